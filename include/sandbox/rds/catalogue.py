"""What can be ordered: the one engine version that runs, and the instance classes."""

from __future__ import annotations

from typing import Any

from sandbox.rds import rules
from sandbox.rds.model import Rds, page
from sandbox.state import AwsError, Call


def describe_versions(rds: Rds, call: Call) -> dict[str, Any]:
    """The version of the installed binaries and nothing else."""
    asked = call.params
    exact, family = asked.get("EngineVersion"), asked.get("DBParameterGroupFamily")
    fits = (
        asked.get("Engine") in (None, "postgres")
        and exact in (None, rules.engine_version(), rules.major())
        and family in (None, rules.family())
    )
    version = {
        "Engine": "postgres",
        "EngineVersion": rules.engine_version(),
        "MajorEngineVersion": rules.major(),
        "DBParameterGroupFamily": rules.family(),
        "DBEngineDescription": "PostgreSQL",
        "DBEngineVersionDescription": f"PostgreSQL {rules.engine_version()} (sandbox: no TLS, no ICU)",
        "ValidUpgradeTarget": [],
        "SupportsReadReplica": False,
        "SupportsLogExportsToCloudwatchLogs": False,
        "SupportedFeatureNames": [],
        "Status": "available",
    }
    return page(call, [version] if fits else [], "DBEngineVersions", "EngineVersion")


def describe_orderable(rds: Rds, call: Call) -> dict[str, Any]:
    """Instance class by storage type."""
    asked = call.params
    if "Engine" not in asked:
        raise AwsError("MissingParameter", "The request must contain the parameter Engine")
    if asked["Engine"] != "postgres" or asked.get("EngineVersion") not in (None, rules.engine_version(), rules.major()):
        return {"OrderableDBInstanceOptions": []}
    wanted = asked.get("DBInstanceClass")
    options = [
        _option(name, storage) for name in rules.classes() if wanted in (None, name) for storage in rules.STORAGE_GIB
    ]
    answer = page(call, options, "OrderableDBInstanceOptions", "key")
    return {
        **answer,
        "OrderableDBInstanceOptions": [
            {name: value for name, value in option.items() if name != "key"}
            for option in answer["OrderableDBInstanceOptions"]
        ],
    }


def _option(name: str, storage: str) -> dict[str, Any]:
    least, most = rules.STORAGE_GIB[storage]
    return {
        "key": f"{name} {storage}",
        "Engine": "postgres",
        "EngineVersion": rules.engine_version(),
        "DBInstanceClass": name,
        "LicenseModel": "postgresql-license",
        "StorageType": storage,
        "MinStorageSize": least,
        "MaxStorageSize": most,
        "MultiAZCapable": True,
        "Vpc": True,
        "SupportsStorageEncryption": True,
        "SupportsIAMDatabaseAuthentication": False,
        "ReadReplicaCapable": False,
    }


OPERATIONS = {
    "DescribeDBEngineVersions": describe_versions,
    "DescribeOrderableDBInstanceOptions": describe_orderable,
}
