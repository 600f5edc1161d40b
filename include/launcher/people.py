"""Who may do what in Airflow: the roles and logins of the demonstration, in Flask-AppBuilder's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Permission = tuple[str, str]

READ, EDIT, CREATE, DELETE, MENU = "can_read", "can_edit", "can_create", "can_delete", "menu_access"

# Without these a person cannot use the pages at all.
AT_HOME: tuple[Permission, ...] = (
    (READ, "Website"),
    (READ, "My Profile"),
    (EDIT, "My Profile"),
    (READ, "My Password"),
    (EDIT, "My Password"),
    (MENU, "DAGs"),
    (READ, "Plugins"),
)
# Runs and task states of the DAGs that a role may read; no row of anybody's data is in them.
PROGRESS: tuple[Permission, ...] = (
    (READ, "DAG Runs"),
    (MENU, "DAG Runs"),
    (READ, "Task Instances"),
    (MENU, "Task Instances"),
    (READ, "DAG Versions"),
    (READ, "DAG Dependencies"),
)
ALL_DAGS: Permission = (READ, "DAGs")
DETAILS: tuple[Permission, ...] = ((READ, "Task Logs"), (READ, "DAG Code"), (READ, "DAG Warnings"))
APPROVALS: tuple[Permission, ...] = ((READ, "HITL Detail"), (MENU, "HITL Detail"), (MENU, "Browse"))

# The list of DAGs shows what each waits for from people, and asks for the right to read that. Import errors are how
# a refused manifest is seen, events of assets how many pilots are live; an agency's owner has no part in either.
STAKEHOLDER = (*AT_HOME, *PROGRESS, ALL_DAGS, (READ, "HITL Detail"), (READ, "ImportError"), (READ, "Assets"))
# Airflow asks for "edit" on the DAG to answer what it asks of people (FabAuthManager.is_authorized_dag, scenario 3).
# It lets an approver pause a DAG; to trigger, clear or mark runs takes "edit" on DAG Runs, which is not here.
APPROVER = (*AT_HOME, *PROGRESS, ALL_DAGS, *DETAILS, *APPROVALS, (EDIT, "HITL Detail"), (EDIT, "DAGs"))
OPERATOR = (
    *AT_HOME, *PROGRESS, ALL_DAGS, *DETAILS, *APPROVALS, (EDIT, "DAGs"),
    (CREATE, "DAG Runs"), (EDIT, "DAG Runs"), (CREATE, "Task Instances"), (EDIT, "Task Instances"),
    (READ, "XComs"), (MENU, "XComs"), (READ, "ImportError"), (READ, "Cluster Activity"), (MENU, "Cluster Activity"),
    (READ, "Jobs"), (MENU, "Jobs"), (READ, "Pools"), (MENU, "Pools"), (READ, "Assets"), (MENU, "Assets"),
    (READ, "Audit Logs"), (MENU, "Audit Logs"), (MENU, "Admin"), (MENU, "Plugins"),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A login; `duties` are what the programme counts on them for (an approver approves)."""

    login: str
    name: str
    role: str
    duties: tuple[str, ...]


def owner_role(pilot: str) -> str:
    return f"AgencyOwner_{pilot}"


def dags_of(pilot: str) -> tuple[str, ...]:
    """The DAGs that belong to one pilot alone."""
    return tuple(f"{journey}_{pilot}" for journey in ("onboard", "roll_back", "close", "abandon"))


def agency_owner(pilot: str) -> tuple[Permission, ...]:
    """Reads its own pilot's DAGs and nothing else."""
    own = tuple((READ, f"DAG:{dag}") for dag in dags_of(pilot))
    return (*AT_HOME, *PROGRESS, *own, (READ, "HITL Detail"), (MENU, "HITL Detail"), (MENU, "Browse"))


def roles(pilots: Sequence[str]) -> dict[str, tuple[Permission, ...]]:
    """Role -> permissions, besides FAB's own (of which only Admin is used)."""
    return {
        "Operator": OPERATOR,
        "Approver": APPROVER,
        "Stakeholder": STAKEHOLDER,
        **{owner_role(pilot): agency_owner(pilot) for pilot in pilots},
    }


def people(pilots: Sequence[str]) -> tuple[Person, ...]:
    """Everybody who can log in, all fictional."""
    return (
        Person("platform", "ทีมแพลตฟอร์ม (สมมติ)", "Admin", ("platform",)),
        Person("operator", "ผู้ปฏิบัติการ (สมมติ)", "Operator", ("operator",)),
        Person("approver1", "ผู้อนุมัติคนที่หนึ่ง (สมมติ)", "Approver", ("approver",)),
        Person("approver2", "ผู้อนุมัติคนที่สอง (สมมติ)", "Approver", ("approver",)),
        *(Person(f"owner_{pilot}", f"เจ้าของระบบ {pilot} (สมมติ)", owner_role(pilot), ("owner",)) for pilot in pilots),
        Person("stakeholder", "ผู้มีส่วนได้เสีย (สมมติ)", "Stakeholder", ("stakeholder",)),
    )
