"""Registers Namrong's pages in the Airflow UI; nothing else."""

from airflow.plugins_manager import AirflowPlugin

from onboarding_airflow import pages


class ProgrammePlugin(AirflowPlugin):
    """The pages below `/namrong`: live reasons of gates, reports of a pilot's validation."""

    name = "namrong"
    fastapi_apps = [{"app": pages.app(), "url_prefix": "/namrong", "name": "Namrong"}]  # noqa: RUF012  (Airflow reads it)
