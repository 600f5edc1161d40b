"""What Airflow itself makes of commands and settings, in a process of its own: JSON on standard input and output."""

import json
import sys

import airflow.providers.celery.executors.celery_executor  # noqa: F401  (what a worker and the scheduler import)
from airflow.cli.cli_parser import get_parser
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager

asked = json.load(sys.stdin)
for command in asked["commands"]:
    get_parser().parse_args(command[1:])  # ends with 2, and says why, when it does not fit
ProvidersManager().initialize_providers_configuration()
known = conf.configuration_description


def unknown(name):
    section, option = (part.lower() for part in name.removeprefix("AIRFLOW__").split("__", 1))
    return section not in known or option not in known[section]["options"]


print(json.dumps([name for name in asked["settings"] if unknown(name)]))
