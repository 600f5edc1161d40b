"""What the witness was told against what is there: lost, there twice, written on both sides; and how long it waited."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import psycopg

Line = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """Transactions acknowledged, refused and unknown; what is wrong by name; the waits at each change of sides, s."""

    acknowledged: int
    refused: int
    unknown: int
    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    both_sides: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return self.acknowledged > 0 and not (self.lost or self.duplicated or self.both_sides)


def read(log: Path) -> list[Line]:
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def judge(lines: Sequence[Line], active: psycopg.Connection[Any], sides: Sequence[str]) -> Verdict:
    """The log against the active side; `sides` are the hosts that the service is on, in the order of the switches.

    `active` finds the witness's tables by their names alone (its `search_path`).
    """
    ends = Counter(line["end"] for line in lines)
    lost: list[str] = []
    twice: list[str] = []
    there = {
        table: Counter(int(str(n)) for (n,) in active.execute(f"SELECT number FROM {table}".encode()))
        for table in ("entry", "orders", "order_line", "ticket")
    }
    versions = {int(str(row)): int(str(n)) for row, n in active.execute("SELECT id, version FROM account")}
    for line in lines:
        for table, times in {"insert": [("entry", 1)], "order": [("orders", 1), ("order_line", 2)]}.get(
            line["act"], []
        ):
            _count(line, table, there[table][line["n"]], times, lost, twice)
    _tickets(lines, there["ticket"], lost, twice)
    _accounts(lines, versions, lost)
    known = {line["n"] for line in lines}
    for table, found in there.items():
        twice += [f"{table} {n}: never asked for" for n in found if n > 0 and n not in known]
    changes = list(_changes([line for line in lines if line["end"] == "acked"]))
    hosts = [host for host, _, _ in changes]
    wrong = [] if hosts == list(sides)[: len(hosts)] and len(hosts) == len(sides) else [" → ".join(hosts)]
    waits = [round(there_[1] - here_[2], 3) for here_, there_ in pairwise(changes)]
    return Verdict(ends["acked"], ends["refused"], ends["unknown"], lost, twice, wrong, waits)


def _count(line: Line, table: str, found: int, times: int, lost: list[str], twice: list[str]) -> None:
    name = f"{table} {line['n']} ({line['end']}): {found} of {times}"
    if found > times or (line["end"] == "refused" and found):
        twice.append(name)
    elif found < times and (line["end"] == "acked" or found):
        lost.append(name)


def _tickets(lines: Sequence[Line], found: Counter[int], lost: list[str], twice: list[str]) -> None:
    gone = {line["row"]: line["end"] for line in lines if line["act"] == "delete" and line["end"] != "refused"}
    for line in lines:
        if line["act"] != "ticket":
            continue
        n = line["n"]
        if gone.get(n) == "acked" and found[n]:
            lost.append(f"the deletion of ticket {n}")
        elif n not in gone:
            _count(line, "ticket", found[n], 1, lost, twice)


def _accounts(lines: Sequence[Line], versions: dict[int, int], lost: list[str]) -> None:
    """A row's version is that of the last acknowledged update, or of one after it whose answer was lost."""
    may: dict[int, set[int]] = defaultdict(lambda: {0})
    for line in lines:
        if line["act"] == "update" and line["end"] == "acked":
            may[line["row"]] = {line["n"]}
        elif line["act"] == "update" and line["end"] == "unknown":
            may[line["row"]].add(line["n"])
    for row, version in versions.items():
        if version not in may[row]:
            lost.append(f"account {row}: {version}, expected one of {sorted(may[row])}")


def _changes(acked: Sequence[Line]) -> Any:
    """(host, first answer, last answer) of each stretch that was acknowledged by one side."""
    for host, stretch in groupby(acked, key=lambda line: line["side"]):
        answers = [line["answered"] for line in stretch]
        yield host, min(answers), max(answers)
