"""IAM and resource policies kept as files, filled in and compared by content."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from onboarding.errors import Stop

Document = str | Mapping[str, Any]

FOLDER = Path(__file__).resolve().parent.parent / "policies"


def document(name: str, **values: str) -> str:
    """The policy `policies/<name>.json` as compact JSON, every `<field>` in it filled in.

    Raises Stop for a field that nobody fills: a policy with a hole in it would allow or deny something else.
    """
    template = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    for field, value in values.items():
        template = template.replace(f"<{field}>", value)
    if left := re.findall(r"<[a-z_]+>", template):
        raise Stop("guardrails.hole", where=name, field=left[0])
    return json.dumps(json.loads(template), separators=(",", ":"))


def same_policy(one: Document, other: Document) -> bool:
    """Whether two policies say the same. IAM returns them URL-encoded or already parsed (IAM API reference)."""
    return bool(_parsed(one) == _parsed(other))


def _parsed(policy: Document) -> Any:
    if not isinstance(policy, str):
        return policy
    return json.loads(policy if policy.lstrip().startswith("{") else unquote(policy))
