"""What a person at the terminal sees: catalogue messages, and a table that renews itself or plain lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live

from launcher.watching import Line, plain, table
from onboarding.messages import Language, text


class Screen:
    """One language, one terminal (or a pipe, then without colours, tables and wrapping)."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._console = Console(highlight=False, soft_wrap=True)
        self._live: Live | None = None
        self._shown: dict[str, tuple[str, ...]] = {}

    @property
    def is_terminal(self) -> bool:
        return self._console.is_terminal

    def say(self, message: str, **values: object) -> None:
        """A message of the catalogue's room `launcher`."""
        self.print(self.text(message, **values))

    def text(self, message: str, **values: object) -> str:
        """The same, not printed."""
        return text(f"launcher.{message}", self.language, **values)

    def print(self, line: str) -> None:
        """A line as it is; above the table while there is one."""
        self._console.print(line, markup=False)

    @contextmanager
    def table(self) -> Iterator[None]:
        """While open, `show` renews one table in place at a terminal."""
        if not self.is_terminal:
            yield
            return
        with Live(console=self._console, refresh_per_second=2) as self._live:
            try:
                yield
            finally:
                self._live = None

    def show(self, lines: Sequence[Line]) -> None:
        """The pilots as they are now; where there is no terminal, a line for each that changed."""
        now = datetime.now(UTC)
        if self._live is not None:
            self._live.update(table(lines, now, self.language))
            return
        for line in lines:
            if self._shown.get(line.row.pilot) != line.news():
                self._shown[line.row.pilot] = line.news()
                self.print(plain(line, now, self.language))
