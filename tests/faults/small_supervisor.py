"""The real supervisor over a small table: processes that come up at once and are hard to get rid of."""

import sys
from pathlib import Path

from launcher import airflow_config, supervisor
from launcher.components import Component

CHILD = Path(__file__).with_name("stubborn_child.py")


def table(checkout, _settings):
    environment = airflow_config.base_environment(checkout)

    def component(name, *needs, rank, again=False):
        ready = checkout.run / f"{name}.ready"
        return Component(
            name=name,
            command=lambda: (sys.executable, str(CHILD), str(ready)),
            environment=lambda: environment,
            ready=ready.exists,
            needs=needs,
            again=again,
            rank=rank,
        )

    return (component("first", rank=0), component("second", "first", rank=1, again=True))


sys.exit(supervisor.main(table))
