"""The small types of a manifest's fields: text that is safe where it goes, times that say what they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema


class Part(BaseModel):
    """What every part of a manifest is: fixed once read, and nothing in it that is not described."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, use_attribute_docstrings=True)


PILOT_ID = r"p[0-9]{2,4}"

IDENTIFIER_BYTES = 63


@dataclass(frozen=True)
class AsciiName:
    """Text that matches the whole `pattern` in ASCII: Thai digits and look-alikes are refused."""

    pattern: str

    def check(self, value: str) -> str:
        """The value itself. Raises ValueError."""
        if not re.fullmatch(self.pattern, value, re.ASCII):
            raise ValueError(f"does not match {self.pattern} (ASCII only)")
        return value

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "pattern": f"^{self.pattern}$"}


def _identifier(name: str) -> str:
    """A PostgreSQL name by its bytes (chapter 4.1.1): quoted always, but never cut and never a second statement."""
    if not 1 <= len(name.encode()) <= IDENTIFIER_BYTES:
        raise ValueError(f"is {len(name.encode())} bytes; PostgreSQL cuts names at {IDENTIFIER_BYTES}")
    if re.search(r"[\x00-\x1f\"';\\＂＇；]|--|/\*", name):
        raise ValueError("holds a quote, a semicolon, a comment or a control character")
    return name


def _without_offset(value: time) -> time:
    """A window is Thailand's time: an offset would be dropped without a word."""
    if value.tzinfo is not None:
        raise ValueError('carries an offset; hours of a window are Asia/Bangkok, e.g. "22:00"')
    return value


def plain_url(text: str) -> str:
    """An address over HTTP as it stands in a manifest. Raises ValueError."""
    try:
        said = urlsplit(text)
        there = said.scheme in ("http", "https") and bool(said.hostname) and said.port != 0
    except ValueError:
        there = False
    if not there or said.username is not None or said.query or said.fragment or not text.isascii():
        raise ValueError("is no plain https:// or http:// address: no login, query or fragment belongs into it")
    return text


PilotId = Annotated[str, AsciiName(PILOT_ID)]
Slug = Annotated[str, AsciiName(r"[a-z][a-z0-9_]{0,30}")]
Login = Annotated[str, AsciiName(r"[a-z][a-z0-9_.-]{0,62}")]
DomainName = Annotated[str, AsciiName(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")]
Url = Annotated[str, AfterValidator(plain_url)]
Region = Annotated[str, AsciiName(r"[a-z]{2}-[a-z]+-[0-9]")]
InstanceClass = Annotated[str, AsciiName(r"db\.[a-z0-9]+\.[a-z0-9]+")]
ExpectationName = Annotated[str, AsciiName(r"Expect[A-Za-z]{1,80}")]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\r\n\x00-\x1f]+$")
]
Identifier = Annotated[
    str, AfterValidator(_identifier), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": IDENTIFIER_BYTES})
]
Hour = Annotated[
    time,
    AfterValidator(_without_offset),
    # JSON Schema's own format "time" demands an offset.
    WithJsonSchema({"type": "string", "pattern": r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"}),
]
Duration = Annotated[
    timedelta,
    Field(ge=timedelta(0)),
    WithJsonSchema({"type": "string", "format": "duration"}),
]
Level = Literal["low", "moderate", "high"]
