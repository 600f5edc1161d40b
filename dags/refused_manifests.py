"""No DAG: shows manifests that were refused as an import error of this file in Airflow's UI.

The pilots of the other manifests keep their DAGs, which are in files of their own.
"""

from __future__ import annotations

from onboarding.manifests import BadManifest
from onboarding_airflow.pilots import loaded

if refused := loaded().bad:
    raise BadManifest(problem for bad in refused.values() for problem in bad.problems)
