"""Parameter groups: values that reach the servers, at once or at the next reboot."""

from __future__ import annotations

from typing import Any

from sandbox.rds import parameters, rules
from sandbox.rds.model import Instance, ParameterGroup, Rds, arn, last_part, only, page, place, tags_of
from sandbox.state import AwsError, Call

MOST_PER_CALL = 20


def default_name() -> str:
    """The group that an instance gets when none is named."""
    return f"default.{rules.family()}"


def find(rds: Rds, call: Call, name: str | None) -> ParameterGroup:
    """The group of that name; the default one exists from the start."""
    wanted = last_part(name or default_name()).lower()
    group = rds.groups.get((place(call), wanted))
    if group is None and wanted == default_name():
        description = f"Default parameter group for {rules.family()}"
        group = ParameterGroup(wanted, arn(call, "pg", wanted), rules.family(), description)
        rds.groups[place(call), wanted] = group
    if group is None:
        raise AwsError("DBParameterGroupNotFound", f"DBParameterGroup not found: {wanted}", 404)
    return group


def boot_settings(instance: Instance) -> None:
    """What the server is to start with: every value of its group, static ones included."""
    instance.booted_group = instance.group
    instance.booted = parameters.static_part(instance.group.values, static=True)
    instance.cluster.settings = parameters.settings(instance.group.values)
    instance.cluster.configure()


def apply_status(instance: Instance) -> str:
    """ "in-sync", or "pending-reboot" while the server runs on older static values or another group."""
    wanted = parameters.static_part(instance.group.values, static=True)
    return "in-sync" if instance.booted_group is instance.group and instance.booted == wanted else "pending-reboot"


def create(rds: Rds, call: Call) -> dict[str, Any]:
    """A group of the one family there is."""
    only(call, ("DBParameterGroupName", "DBParameterGroupFamily", "Description", "Tags"))
    name = rules.identifier(call.params["DBParameterGroupName"], "DBParameterGroupName", 255)
    family = call.params["DBParameterGroupFamily"]
    if family != rules.family():
        raise AwsError("InvalidParameterValue", f"ParameterGroupFamily {family} is not a valid parameter group family")
    with rds.state.lock:
        if (place(call), name) in rds.groups:
            raise AwsError("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
        group = ParameterGroup(name, arn(call, "pg", name), family, call.params["Description"], tags=tags_of(call))
        rds.groups[place(call), name] = group
    return {"DBParameterGroup": _described(group)}


def describe(rds: Rds, call: Call) -> dict[str, Any]:
    """The named group, or all."""
    if call.params.get("Filters"):
        raise AwsError("InvalidParameterValue", "This parameter isn't currently supported: Filters")
    with rds.state.lock:
        default = find(rds, call, None)
        name = call.params.get("DBParameterGroupName")
        groups = [find(rds, call, name)] if name else [g for (at, _), g in rds.groups.items() if at == place(call)]
    described = [_described(group) for group in groups or [default]]
    return page(call, described, "DBParameterGroups", "DBParameterGroupName")


def modify(rds: Rds, call: Call) -> dict[str, Any]:
    """New values: dynamic ones reach running servers now, static ones at their reboot."""
    changes = _checked_changes(call)
    with rds.state.lock:
        group = _changeable(rds, call)
        group.values.update(changes)
    _reload(rds, group)
    return {"DBParameterGroupName": group.name}


def reset(rds: Rds, call: Call) -> dict[str, Any]:
    """Defaults again, for all or the named parameters."""
    with rds.state.lock:
        group = _changeable(rds, call)
        named = {parameter["ParameterName"] for parameter in call.params.get("Parameters") or []}
        if not named and not call.params.get("ResetAllParameters", True):
            raise AwsError("InvalidParameterCombination", "Name the parameters or reset all of them.")
        group.values = {name: value for name, value in group.values.items() if named and name not in named}
    _reload(rds, group)
    return {"DBParameterGroupName": group.name}


def delete(rds: Rds, call: Call) -> dict[str, Any]:
    """Gone, unless it is the default or an instance uses it."""
    with rds.state.lock:
        group = _changeable(rds, call)
        if any(group in (instance.group, instance.booted_group) for instance in rds.instances.values()):
            raise AwsError("InvalidDBParameterGroupState", f"One or more database instances use {group.name}")
        del rds.groups[place(call), group.name]
    return {}


def describe_parameters(rds: Rds, call: Call) -> dict[str, Any]:
    """Every parameter of the engine with the group's value or the engine's default."""
    source = call.params.get("Source")
    with rds.state.lock:
        group = find(rds, call, call.params["DBParameterGroupName"])
        told = [_parameter(group, known) for known in parameters.catalogue().values()]
    if source and source not in ("user", "system", "engine-default"):
        raise AwsError("InvalidParameterValue", f"Invalid source: {source}")
    return page(call, [one for one in told if source in (None, one["Source"])], "Parameters", "ParameterName")


def _checked_changes(call: Call) -> dict[str, str]:
    wanted = call.params.get("Parameters") or []
    if len(wanted) > MOST_PER_CALL:
        raise AwsError("InvalidParameterValue", f"At most {MOST_PER_CALL} parameters can be modified in one request")
    for one in wanted:
        if not {"ParameterName", "ParameterValue", "ApplyMethod"} <= one.keys():
            raise AwsError("InvalidParameterValue", "ParameterName, ParameterValue and ApplyMethod are required")
        parameters.check(one["ParameterName"], one["ParameterValue"], one["ApplyMethod"])
    return {one["ParameterName"]: one["ParameterValue"] for one in wanted}


def _changeable(rds: Rds, call: Call) -> ParameterGroup:
    group = find(rds, call, call.params["DBParameterGroupName"])
    if group.name == default_name():
        raise AwsError("InvalidDBParameterGroupState", f"The default parameter group {group.name} cannot be changed")
    return group


def _reload(rds: Rds, group: ParameterGroup) -> None:
    with rds.state.lock:
        users = [instance for instance in rds.instances.values() if instance.booted_group is group]
        for instance in users:
            dynamic = parameters.static_part(group.values, static=False)
            instance.cluster.settings = parameters.settings(instance.booted | dynamic)
            instance.cluster.configure()


def _described(group: ParameterGroup) -> dict[str, Any]:
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": group.arn,
    }


def _parameter(group: ParameterGroup, known: parameters.Parameter) -> dict[str, Any]:
    value = group.values.get(known.name)
    return {
        "ParameterName": known.name,
        "ParameterValue": known.default if value is None else value,
        "Description": known.description,
        "Source": "engine-default" if value is None else "user",
        "ApplyType": "static" if known.static else "dynamic",
        "DataType": {"real": "float", "enum": "string"}.get(known.kind, known.kind),
        "AllowedValues": parameters.allowed(known),
        "IsModifiable": known.modifiable,
        "ApplyMethod": "pending-reboot" if known.static else "immediate",
    }


OPERATIONS = {
    "CreateDBParameterGroup": create,
    "DescribeDBParameterGroups": describe,
    "ModifyDBParameterGroup": modify,
    "ResetDBParameterGroup": reset,
    "DeleteDBParameterGroup": delete,
    "DescribeDBParameters": describe_parameters,
}
