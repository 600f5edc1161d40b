"""The parameters of the engine that really runs, as its own binary describes them, plus RDS's own."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox import postgres
from sandbox.state import AwsError

# What AWS keeps for itself: files, addresses, durability, other servers, developers' switches.
KEPT = re.compile(
    r"(allow_|archive_|backtrace_|debug_|dynamic_library|dynamic_shared|event_source|extension_control|external_pid|"
    r"file_extend|gss_|ident_|ignore_|io_|jit_|krb_|listen_|log_(dest|dir|file|rot|trunc)|logging_|oauth_|post_auth|"
    r"primary_|promote_|recovery_|remove_temp|restore_|restrict_|scram_|shared_memory|ssl|sync_replication|syslog|"
    r"trace_|transaction_|unix_|update_process|wal_debug|zero_).*"
    r"|allow_system_table_mods|config_file|data_directory.*|data_sync_retry|fsync|full_page_writes|hba_file|"
    r"huge_page.*|is_superuser|local_preload_libraries|port|session_preload_libraries|wal_level|wal_log_hints"
)
TRUE, FALSE = ("1", "on", "true", "yes"), ("0", "off", "false", "no")
PRELOADABLE = {"auto_explain", "pg_prewarm", "pg_stat_statements"}


@dataclass(frozen=True)
class Parameter:
    """One parameter: when a change takes effect, and what it may be."""

    name: str
    static: bool
    kind: str
    default: str
    least: str
    most: str
    description: str
    modifiable: bool


@functools.cache
def catalogue() -> Mapping[str, Parameter]:
    """Every parameter by name."""
    told = subprocess.run(
        [postgres.bin_dir() / "postgres", "--describe-config"], capture_output=True, text=True, check=True
    ).stdout
    known = {line.split("\t")[0]: _parsed(line.split("\t")) for line in told.splitlines() if line.count("\t") >= 7}
    known["rds.logical_replication"] = Parameter(
        "rds.logical_replication", True, "boolean", "0", "", "", "Enables logical decoding.", True
    )
    known["rds.force_ssl"] = Parameter(
        "rds.force_ssl", False, "boolean", "0", "", "", "Force SSL connections (the sandbox has no TLS).", True
    )
    return known


def check(name: str, value: str, method: str) -> None:
    """Refuses an unknown parameter, a value out of range, and an immediate change of a static one."""
    known = catalogue().get(name)
    if known is None:
        raise AwsError("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if not known.modifiable:
        raise AwsError("InvalidParameterValue", f"The parameter {name} cannot be modified.")
    if method not in ("immediate", "pending-reboot"):
        raise AwsError("InvalidParameterValue", f"Invalid apply method: {method}")
    if known.static and method == "immediate":
        raise AwsError("InvalidParameterCombination", "cannot use immediate apply method for static parameter")
    if not _allowed(known, value):
        raise AwsError("InvalidParameterValue", f"Value: {value} is outside of range: {allowed(known)} for: {name}")
    if name == "rds.force_ssl" and value.lower() in TRUE:
        raise AwsError("NotImplemented", "the sandbox's PostgreSQL is built without TLS; rds.force_ssl must be 0", 501)


def allowed(parameter: Parameter) -> str:
    """The range as DescribeDBParameters words it."""
    if parameter.kind == "boolean":
        return "0,1"
    return f"{parameter.least}-{parameter.most}" if parameter.least else ""


def settings(values: Mapping[str, str]) -> dict[str, str]:
    """PostgreSQL's own settings for a group's values."""
    own = {name: value for name, value in values.items() if not name.startswith("rds.")}
    if values.get("rds.logical_replication", "0").lower() in TRUE:
        own["wal_level"] = "logical"
    return own


def static_part(values: Mapping[str, str], *, static: bool) -> dict[str, str]:
    """Those of a group's values that need (or do not need) a reboot."""
    return {name: value for name, value in values.items() if catalogue()[name].static is static}


def _parsed(columns: list[str]) -> Parameter:
    name, context, _, kind, default, least, most, description = columns[:8]
    modifiable = context != "internal" and KEPT.fullmatch(name) is None
    return Parameter(name, context == "postmaster", kind.lower(), default, least, most, description, modifiable)


def _allowed(parameter: Parameter, value: str) -> bool:
    if parameter.kind == "boolean":
        return value.lower() in TRUE + FALSE
    if parameter.kind in ("integer", "real"):
        number = re.fullmatch(r"-?\d+(\.\d+)?", value) if parameter.kind == "real" else re.fullmatch(r"-?\d+", value)
        return number is not None and float(parameter.least) <= float(value) <= float(parameter.most)
    if parameter.name == "shared_preload_libraries":
        return {word.strip() for word in value.split(",") if word.strip()} <= PRELOADABLE
    return "\n" not in value
