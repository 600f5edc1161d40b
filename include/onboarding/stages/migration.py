"""Migration: the places to move to, and a backup that was really restored."""

from __future__ import annotations

from onboarding import backups, targets
from onboarding.baseline import key, network
from onboarding.databases.unlogged import unlogged_rows
from onboarding.effects import Effects
from onboarding.errors import Stop
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.tables import SetAside
from onboarding.stages import drill, sides
from onboarding.stages.drill import snapshot_id
from onboarding.stages.pilot import Pilot
from onboarding.stages.uploading import bucket


def effects(pilot: Pilot) -> Effects:
    return Effects(pilot.once, pilot.account_id)


def parameter_group(pilot: Pilot) -> str:
    return f"namrong-{pilot.id}"


def request_targets(pilot: Pilot) -> dict[str, list[str]]:
    """Make the buckets, and ask for the database instances."""
    made = effects(pilot)
    s3, rds, secrets = (pilot.cloud.client(service) for service in ("s3", "rds", "secretsmanager"))
    key_arn = str(key.key_of_alias(pilot.cloud.client("kms")))
    for files in pilot.manifest.files:
        targets.ensure_bucket(s3, made, bucket(pilot, files.name), key_arn)
    version, family = targets.newest_version(rds)
    targets.ensure_parameter_group(rds, made, parameter_group(pilot), family)
    place = placement(pilot)
    for workload in pilot.manifest.databases:
        targets.ensure_master_password(secrets, made, pilot.manifest, workload.name)
        targets.request_instance(
            rds,
            made,
            pilot.manifest,
            workload,
            version=version,
            group=parameter_group(pilot),
            network=place,
            port=pilot.sources[workload.name].port,
            key_arn=key_arn,
            password=targets.master_password(secrets, pilot.manifest, workload.name),
        )
    return {"buckets": [w.name for w in pilot.manifest.files], "instances": [w.name for w in pilot.manifest.databases]}


def placement(pilot: Pilot) -> targets.Placement:
    """The subnets and the security group of the pilot's instances, made when they are missing."""
    ec2, made = pilot.cloud.client("ec2"), effects(pilot)
    subnets = [str(subnet["SubnetId"]) for subnet in network.subnets(ec2, network.vpc_of(ec2, pilot.manifest))]
    port = next(iter(pilot.sources.values())).port
    group = targets.ensure_subnet_group(pilot.cloud.client("rds"), made, f"namrong-{pilot.id}", subnets)
    return targets.Placement(group, network.ensure_database_group(ec2, made, pilot.manifest, port))


def back_up(pilot: Pilot) -> list[str]:
    """Back up every instance that was loaded."""
    if sides.has_switched(pilot):
        return []
    rds, made = pilot.cloud.client("rds"), effects(pilot)
    return [
        backups.request_snapshot(
            rds, made, snapshot_id(pilot, workload.name), of=targets.instance_id(pilot.manifest, workload.name)
        )
        for workload in pilot.manifest.databases
    ]


def restore_backup(pilot: Pilot) -> list[str]:
    """Restore each backup to an instance of its own: what nobody can restore is no backup.

    The night is rehearsed there. Not again while proof and rehearsal stand.
    """
    if not drill.is_wanted(pilot):
        return []
    rds, made = pilot.cloud.client("rds"), effects(pilot)
    return [
        backups.request_restore(
            rds,
            made,
            drill.set_up(pilot, workload.name),
            snapshot=snapshot_id(pilot, workload.name),
            instance_class=workload.target.instance_class,
            group=parameter_group(pilot),
            network=placement(pilot),
        )
        for workload in pilot.manifest.databases
    ]


def prove_restore(pilot: Pilot) -> dict[str, int]:
    """Compare the restored databases with the loaded ones, row for row. They stay until the night was rehearsed."""
    if not drill.is_wanted(pilot):
        return {}
    return {
        workload.name: _prove(pilot, workload.name)
        for workload in pilot.manifest.databases
        if not drill.is_proven(pilot, workload.name)
    }


def _prove(pilot: Pilot, workload: str) -> int:
    instance = drill.drill_id(pilot, workload)
    loaded, restored = sides.target(pilot, workload), sides.drilled(pilot, workload, instance)
    aside = {
        table: [SetAside(rows, "excluded", "unlogged: a backup never holds its rows")]
        for table, rows in unlogged_rows(loaded).items()
    }
    comparison = compare_databases(loaded, restored, set_aside=aside)
    body = {"snapshot": snapshot_id(pilot, workload), "instance": instance, "rows": comparison.source_rows}
    if not comparison.equal:
        differing = {"found": comparison.unaccounted_rows, "expected": comparison.source_rows}
        named = ", ".join(table.table for table in comparison.tables if not table.equal)
        named = named or ", ".join(f"{one.kind} {one.name}" for one in comparison.objects.differences)
        raise Stop("targets.not_restored", where=workload, named=named, **differing)
    pilot.record("restore_drill", workload, body)
    return comparison.source_rows
