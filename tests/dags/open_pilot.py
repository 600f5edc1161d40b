"""One pilot opened as a task opens it; says where its files are, and with which login."""

from __future__ import annotations

import json
import sys

from onboarding.places import SftpFolder
from onboarding_airflow.pilots import open_pilot

pilot = open_pilot(sys.argv[1])
for name, place in pilot.folders.items():
    secret = (place.password, place.host_key) if isinstance(place, SftpFolder) else ()
    print(json.dumps({"name": name, "place": str(place), "secret": secret}))
