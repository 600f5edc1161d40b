"""What changed since everything was compared, so that under a freeze only that has to be.

In order: `watches.open_watch` on the source before the load's snapshot; the load; `standing.stand`, which opens the
target's, and the full comparison; `rounds.prove_round` while changes flow; the source frozen and everything applied:
`proving.compare_changed`. `watches.close_watch` and `forget_pending` at the end. Nothing here is the engine's.
"""
