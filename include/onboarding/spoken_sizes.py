"""Bytes as people read them, alike in both languages."""

from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB", "TB")


def spoken_size(size: int) -> str:
    """`812 B`, `14 MB`, `2.6 GB`: decimal units, two figures where there are fewer than ten of them."""
    amount, unit = float(size), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {UNITS[unit]}" if unit and amount < 9.95 else f"{amount:,.0f} {UNITS[unit]}"
