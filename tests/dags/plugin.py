"""What Airflow's plugin loader makes of the plugins folder, as one line of JSON."""

from __future__ import annotations

import json
import sys

from airflow import plugins_manager

before = set(sys.modules)
found, errors = plugins_manager._get_plugins()
loaded = set(sys.modules) - before
apps, _ = plugins_manager.get_fastapi_plugins()

from onboarding_airflow import pages  # noqa: E402  (only now: what the loader itself imports is asked above)

routes = [{"path": route.path, "methods": sorted(route.methods)} for route in pages.app().routes]  # type: ignore[attr-defined]
print(
    json.dumps(
        {
            "plugins": sorted(plugin.name for plugin in found),
            "errors": errors,
            "apps": [app["url_prefix"] for app in apps],
            "bare": sorted(name for name in loaded if "." not in name),
            "loaded": sorted(name for name in loaded if name.startswith(("onboarding", "fastapi", "programme"))),
            "routes": routes,
        }
    )
)
