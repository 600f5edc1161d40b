"""Source against target, read anew on both sides; shares no code with what moved the data."""

from onboarding.reconcile.databases import compare_databases as compare_databases
