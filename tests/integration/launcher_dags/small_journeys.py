"""Two journeys for the launcher's own test: one asks two people, one works until it is killed."""

import json
import time

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, Connection, Param, Variable, task


class Approval(ApprovalOperator):
    """Asks one login; who that is in Airflow is known when the question is asked."""

    def __init__(self, *, login, **kwargs):
        params = {"automated": Param(False, type="boolean"), "comment": Param("", type="string")}
        super().__init__(subject=f"ask {login}", params=params, fail_on_reject=True, **kwargs)
        self.login = login

    def execute(self, context):
        people = json.loads(Variable.get("namrong_people"))
        self.assigned_users = [{"id": people[self.login]["id"], "name": self.login}]
        return super().execute(context)


with DAG("onboard_p02", schedule=None):

    @task
    def read_connections():
        """Everything that a journey is handed is there."""
        assert Connection.get("namrong_ledger").login == "namrong_ledger_writer"
        assert Connection.get("namrong_management").password
        assert len(Connection.get("namrong_secrets").password) > 40
        source = Connection.get("agency_p02_registry")
        assert source.host == "db.p02.agency.example"
        assert set(source.extra_dejson) == {"service_user", "service_password"}
        assert Connection.get("agency_p02_documents").extra_dejson["path"].endswith("documents")

    read_connections() >> Approval(task_id="first", login="approver1") >> Approval(task_id="second", login="approver2")

with DAG("onboard_p05", schedule=None):

    @task
    def work_until_killed():
        time.sleep(600)

    work_until_killed()
