"""Source against target, read anew on both sides; shares no code with what moved the data."""

from onboarding.reconcile.databases import compare_databases as compare_databases
from onboarding.reconcile.report import Comparison as Comparison
from onboarding.reconcile.report import named_rows as named_rows
from onboarding.reconcile.tables import SetAside as SetAside
