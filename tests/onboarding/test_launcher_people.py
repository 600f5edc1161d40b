"""Who may do what: the roles as written down (the running Airflow is asked in tests/integration)."""

from __future__ import annotations

from launcher import connections, people

PILOTS = ("p02", "p05")
ROLES = people.roles(PILOTS)
CHANGES = {"can_edit", "can_create", "can_delete"}


def resources(role: str, action: str) -> set[str]:
    return {resource for held, resource in ROLES[role] if held == action}


def test_an_agency_owner_reads_its_own_pilots_dags_only() -> None:
    assert {name for name in resources("AgencyOwner_p02", "can_read") if name.startswith("DAG:")} == {
        "DAG:onboard_p02",
        "DAG:roll_back_p02",
        "DAG:close_p02",
        "DAG:abandon_p02",
    }
    assert "DAGs" not in resources("AgencyOwner_p02", "can_read")
    for hidden in ("Connections", "Variables", "XComs", "Task Logs", "Audit Logs", "Assets", "DAG Code"):
        assert hidden not in resources("AgencyOwner_p02", "can_read")


def test_readers_change_nothing_but_their_own_profile() -> None:
    for role in ("AgencyOwner_p02", "AgencyOwner_p05", "Stakeholder"):
        changed = {resource for action, resource in ROLES[role] if action in CHANGES}
        assert changed == {"My Profile", "My Password"}


def test_a_stakeholder_reads_no_rows() -> None:
    assert not {"XComs", "Task Logs", "Connections", "Variables"} & resources("Stakeholder", "can_read")
    assert "DAGs" in resources("Stakeholder", "can_read")


def test_an_approver_answers_and_runs_nothing() -> None:
    assert "HITL Detail" in resources("Approver", "can_edit")
    for action in CHANGES:
        assert not {"DAG Runs", "Task Instances", "XComs", "Variables", "Connections"} & resources("Approver", action)


def test_an_operator_clears_and_triggers_and_answers_nothing() -> None:
    assert {"DAG Runs", "Task Instances"} <= resources("Operator", "can_edit")
    assert "DAG Runs" in resources("Operator", "can_create")
    assert "HITL Detail" not in resources("Operator", "can_edit")
    assert not {"Connections", "Variables", "Roles", "Users"} & {resource for _, resource in ROLES["Operator"]}


def test_everybody_has_a_role_that_exists_and_people_know_their_ids() -> None:
    persons = people.people(PILOTS)
    assert {person.role for person in persons} <= {"Admin", *ROLES}
    ids = {person.login: number for number, person in enumerate(persons, 1)}
    told = connections.variables(persons, ids, {"management_account": "123456789012"})
    assert told["namrong_people"]["approver1"] == {
        "id": str(ids["approver1"]),
        "name": next(person.name for person in persons if person.login == "approver1"),
        "roles": ["approver"],
    }
    assert told["namrong_settings"]["anchor_bucket"] == "namrong-anchors-123456789012"
