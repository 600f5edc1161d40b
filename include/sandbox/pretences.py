"""What moto answers with success although nothing has happened: here it is refused, as not implemented."""

from __future__ import annotations

import fnmatch

from sandbox.state import AwsError, Call, SandboxState

PRETENCES = {
    "athena": ("StartQueryExecution",),
    "backup": ("StartBackupJob", "StartRestoreJob", "StartCopyJob"),
    "batch": ("SubmitJob",),
    "cloudformation": ("CreateStack*", "UpdateStack*", "ExecuteChangeSet"),
    "datasync": ("*",),
    "dms": ("*",),
    "docdb": ("*",),
    "ec2": ("RunInstances", "StartInstances", "ImportImage", "ImportSnapshot", "CreateSnapshot*", "RequestSpot*"),
    "ecs": ("RunTask", "StartTask"),
    "elb": ("DescribeInstanceHealth",),
    "elbv2": ("DescribeTargetHealth",),
    "emr": ("RunJobFlow",),
    "glue": ("StartJobRun", "StartCrawler"),
    "lambda": ("Invoke*",),
    "neptune": ("*",),
    "rds-data": ("*",),
    "redshift-data": ("*",),
    "route53": ("GetHealthCheckStatus",),
    "sesv2": ("Send*",),
    "ses": ("Send*",),
    "ssm": ("SendCommand", "StartAutomationExecution"),
    "stepfunctions": ("StartExecution", "StartSyncExecution"),
    "textract": ("*",),
    "transcribe": ("Start*",),
}
"""Measured on moto 5.2.5, or read in its source: no data moves, no code runs, no health is looked at."""


def install(state: SandboxState) -> None:
    """A part of the sandbox that really does one of these takes it over with a handler."""

    def check(call: Call) -> None:
        taken = (call.service, call.operation) in state.handlers or (call.service, call.operation) in state.raw_handlers
        named = any(fnmatch.fnmatchcase(call.operation, one) for one in PRETENCES.get(call.service, ()))
        by_mail = call.operation == "Subscribe" and str(call.params.get("Protocol", "")).startswith(("email", "sms"))
        if not taken and (named or (call.service == "sns" and by_mail)):
            said = f"the sandbox does not implement {call.service}:{call.operation}: nothing would really happen"
            raise AwsError("NotImplemented", said, 501)

    state.guard(check)
