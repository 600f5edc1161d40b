"""The `follow` engine: the copy under a slot's own snapshot, then PostgreSQL's logical replication until the switch.

In order: `readiness`, `slots.open_slot` (its snapshot feeds the `copy` engine up to `finish`),
`subscription.ensure_subscription`, `subscription.enable`, `lag.sample` until `lag.caught_up`, `drift`,
`turn.prepare` for the way back; the source frozen: `drain`, `turn.arm`; then the switch. The way back is `drain` of
the reverse feed. `closing.close` at the end of each feed. No change is decoded or applied by code of ours.
"""
