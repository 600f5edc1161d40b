"""The baseline of a pilot's account, one step per module: `ensure_*` adopts or makes, `observe_*` reads it back."""
