"""Names for rows and files in what is kept, that nobody turns back into a key or a path without the secret.

A plain SHA-256 would not do: thirteen digits with a check digit are guessed in an hour, and a ledger forgets nothing.
"""

from __future__ import annotations

import hmac
import secrets


class Pseudonyms:
    """One secret: the same key has the same name under it, and no other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def forgotten(cls) -> Pseudonyms:
        """Under a secret that nobody keeps: names that tell rows apart within one report, and no more."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def derived(cls, secret: str, purpose: str) -> Pseudonyms:
        """Under what follows from an installation's secret: who has it can look whether a key is meant.

        Raises ValueError for an empty secret, which anybody has.
        """
        if not secret:
            raise ValueError("pseudonyms need a secret")
        return cls(hmac.digest(secret.encode(), f"pseudonyms/{purpose}".encode(), "sha256"))

    def of(self, digest: str) -> str:
        """64 hexadecimal digits (HMAC-SHA-256) for what SHA-256 gave of a key or a path."""
        return hmac.digest(self._secret, digest.encode(), "sha256").hex()
