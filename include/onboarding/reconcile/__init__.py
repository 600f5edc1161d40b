"""Source against target, read anew on both sides; shares no code with what moved the data."""
