"""The `copy` engine: PostgreSQL to PostgreSQL, one whole database under one snapshot.

In order: `target.ensure_empty_database`, `snapshot.open_snapshot`, `schema.copy_schema`, `plan.plan`,
`rows.move_unit` per shard, `finish.finish`, `service.ensure_service_role`, `sequences.set_sequences`.
The freeze and the service's right to write are `freeze` and `service`; readiness is `assess`.
"""
