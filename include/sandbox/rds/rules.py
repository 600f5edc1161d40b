"""What RDS for PostgreSQL accepts: names, versions, classes, storage.

Source: Amazon RDS API reference, CreateDBInstance, and the user guide's "Hardware specifications".
"""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Mapping
from typing import Any

from sandbox import postgres
from sandbox.state import AwsError

FAMILIES = (
    "t3", "t4g", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7g", "m7i", "m8g",
    "r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r7g", "r7i", "r8g", "x2g",
)  # fmt: skip
BURSTABLE = ("micro", "small", "medium", "large", "xlarge", "2xlarge")
FIXED = ("large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge", "24xlarge")
STORAGE_GIB = {"gp2": (20, 65536), "gp3": (20, 65536), "io1": (100, 65536), "io2": (100, 65536), "standard": (5, 3072)}
RESERVED_USERS = {"rdsadmin", "rdsrepladmin", "rdstopmgr", "rds_superuser", "rds_replication", "rds_password", "public"}


@functools.cache
def engine_version() -> str:
    """The version that really runs, e.g. "18.6"."""
    said = subprocess.run([postgres.bin_dir() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[2]


def major() -> str:
    """The major version, e.g. "18"."""
    return engine_version().split(".")[0]


def family() -> str:
    """The only parameter group family, e.g. "postgres18"."""
    return f"postgres{major()}"


def classes() -> list[str]:
    """Every instance class that is accepted; all are the same machine here."""
    return [f"db.{name}.{size}" for name in FAMILIES for size in (BURSTABLE if name.startswith("t") else FIXED)]


def engine(name: str) -> None:
    """Refuses what is not PostgreSQL."""
    if name in ("mysql", "mariadb") or name.startswith(("oracle-", "sqlserver-", "aurora-", "db2-", "custom-")):
        raise AwsError("NotImplemented", f"the sandbox runs no {name} server", 501)
    if name != "postgres":
        raise AwsError("InvalidParameterValue", f"Invalid DB engine: {name}")


def version(wanted: str | None) -> str:
    """The full version for the one asked for: none, the major or the exact one."""
    if wanted not in (None, "", major(), engine_version()):
        raise AwsError("InvalidParameterCombination", f"Cannot find version {wanted} for postgres")
    return engine_version()


def identifier(name: str, what: str = "DBInstanceIdentifier", longest: int = 63) -> str:
    """The name in lower case, as AWS stores it."""
    if not re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", name) or len(name) > longest:
        raise AwsError(
            "InvalidParameterValue",
            f"The parameter {what} is not a valid identifier. Identifiers must begin with a letter; must contain only "
            f"ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens. "
            f"At most {longest} characters.",
        )
    return name.lower()


def instance_class(name: str) -> str:
    """A class that exists."""
    if name not in classes():
        raise AwsError("InvalidParameterValue", f"Invalid DB Instance class: {name}")
    return name


def storage(gib: int | None, kind: str) -> None:
    """Enough of a storage type that exists."""
    if kind not in STORAGE_GIB:
        raise AwsError("InvalidParameterValue", f"Invalid storage type: {kind}")
    if gib is None:
        raise AwsError("InvalidParameterValue", "The parameter AllocatedStorage must be provided.")
    least, most = STORAGE_GIB[kind]
    if not least <= gib <= most:
        raise AwsError(
            "InvalidParameterValue", f"Invalid storage size for engine name postgres and storage type {kind}: {gib}"
        )


def master_user(name: str | None) -> str:
    """A login name that is not RDS's own."""
    if not name or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name):
        raise AwsError("InvalidParameterValue", "The parameter MasterUsername must be provided and must not be blank.")
    if name.lower() in RESERVED_USERS or name.lower().startswith("pg_"):
        raise AwsError(
            "InvalidParameterValue", f"MasterUsername {name} cannot be used as it is a reserved word used by the engine"
        )
    return name


def master_password(password: str | None) -> str:
    """8 to 128 printable ASCII characters other than / @ " and space."""
    if not password or not re.fullmatch(r"[!-~]{8,128}", password) or set(password) & set('/@"'):
        raise AwsError(
            "InvalidParameterValue",
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', "
            "'@', '\"', ' ' may be used, 8 to 128 of them.",
        )
    return password


def database_name(name: str | None) -> str | None:
    """A database name, or None for none besides `postgres`."""
    if name is None:
        return None
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", name) or name.lower() in ("rdsadmin", "template0", "template1"):
        raise AwsError("InvalidParameterValue", f"DBName {name} is not a valid database name for engine postgres")
    return name


def port(wanted: int | None, ours: int) -> None:
    """Refuses another port than the one all services of the sandbox share."""
    if wanted is not None and wanted != ours:
        raise AwsError(
            "NotImplemented",
            f"the sandbox gives every instance port {ours} on an address of its own; leave it out",
            501,
        )


def retention(params: Mapping[str, Any]) -> int:
    """Days of automated backups asked for (described only)."""
    days = params.get("BackupRetentionPeriod")
    if days is not None and not 0 <= days <= 35:
        raise AwsError("InvalidParameterValue", f"Invalid backup retention period: {days}. Must be between 0 and 35.")
    return 1 if days is None else int(days)
