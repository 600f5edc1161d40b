"""Whether one of Airflow's processes is well, as Airflow itself tells it. Standard library only: it is asked often.

`python -m launcher.health URL COMPONENT` ends with 0 when it is: what a container's health check runs.
"""

from __future__ import annotations

import json
import sys
from urllib.error import URLError
from urllib.request import urlopen

PROBE_TIMEOUT_S = 2.0


def is_healthy(url: str, name: str) -> bool:
    """What Airflow itself says of one of its processes: its heart beat lately."""
    try:
        with urlopen(f"{url}/api/v2/monitor/health", timeout=PROBE_TIMEOUT_S) as answer:
            health = json.load(answer)
    except (URLError, OSError, ValueError):
        return False
    asked = "metadatabase" if name == "api_server" else name
    return bool((health.get(asked) or {}).get("status") == "healthy")


if __name__ == "__main__":
    sys.exit(0 if is_healthy(sys.argv[1], sys.argv[2]) else 1)
