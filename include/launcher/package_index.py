"""Where packages come from: what pip is set up for, said again in uv's words. Standard library only."""

from __future__ import annotations

import ast
from collections.abc import Mapping

# pip's option -> uv's variable (https://docs.astral.sh/uv/reference/environment/).
SAME_MEANING = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}
# uv splits these at blanks, pip too; find-links is split at commas.
COMMA_SEPARATED = {"find-links"}
# pip asks all indexes alike; so must uv, or an extra index hides the main one. The hashes keep this safe.
ASK_ALL_INDEXES = {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def for_uv(pip_config_list: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with pip's index settings translated; what is set for uv already stays.

    `pip_config_list` is the output of `pip config list`, in which pip has merged its files
    (lines `section.option='value'`; `:env:` for PIP_ variables, which win).
    """
    translated = {**ASK_ALL_INDEXES, "UV_SYSTEM_CERTS": "true"}
    for option, value in sorted(_options(pip_config_list).items()):
        name = SAME_MEANING.get(option)
        if name and value:
            separator = "," if option in COMMA_SEPARATED else " "
            translated[name] = separator.join(value.split())
    return {**translated, **environment}


def _options(pip_config_list: str) -> dict[str, str]:
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in pip_config_list.splitlines():
        key, _, quoted = line.partition("=")
        section, _, option = key.rpartition(".")
        try:
            value = ast.literal_eval(quoted)
        except (ValueError, SyntaxError):
            continue
        if section in found and isinstance(value, str):
            found[section][option] = value
    return {**found["global"], **found["install"], **found[":env:"]}
