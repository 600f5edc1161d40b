"""What each command does; each returns its exit status."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.console import Console

from launcher import front, settings
from launcher.checkout import AlreadyRunning, Checkout
from launcher.people import people
from onboarding.manifests import load_folder

OK, NOT_SO, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130

console = Console(highlight=False)


def up(asked: argparse.Namespace) -> int:
    checkout = Checkout()
    chosen = settings.choose(_pilots(checkout, asked), asked.scale, asked.seed, asked.parallelism)
    try:
        with front.started(checkout, chosen, may_stay=asked.detach) as run:
            show_start(run)
            show_logins(checkout, chosen)
            if asked.detach:
                run.detach()
                return OK
            stay(run)
    except AlreadyRunning as refusal:
        return refuse(refusal)
    except front.RunFailed as failure:
        return show_failure(failure)
    except front.Interrupted:
        console.print("stopped")
        return INTERRUPTED
    return OK


def down(_asked: argparse.Namespace) -> int:
    console.print("stopped" if front.take_down(Checkout()) else "nothing was running in this checkout")
    return OK


def stay(run: front.Run) -> None:
    """Until Ctrl-C (Interrupted) or a death (RunFailed)."""
    console.print("Ctrl-C stops everything.")
    while True:
        run.hear(3600.0)


def show_start(run: front.Run) -> None:
    """Prints each process as it gets ready, with its seconds."""
    began = time.monotonic()
    for news in run.until_up():
        if news.get("state") == "ready":
            console.print(f"  {news['component']:<15} ready after {news['seconds']:5.1f} s")
    console.print(f"up in {time.monotonic() - began:.1f} s; logs in .namrong/run/logs")


def show_logins(checkout: Checkout, chosen: settings.Settings) -> None:
    passwords = checkout.secrets()
    console.print(f"\n[bold]Airflow UI[/bold]  {chosen.url}")
    for person in people(chosen.pilots):
        console.print(f"  {person.login:<12} {passwords[f'login:{person.login}']}   {person.role}")
    console.print()


def show_failure(failure: front.RunFailed) -> int:
    news = failure.news
    console.print(f"[red]{news.get('component')} {news.get('reason')}[/red]; log: {news.get('log', '-')}", markup=True)
    for line in news.get("tail", []):
        console.print(f"  | {line}", markup=False)
    return FAILED


def refuse(refusal: AlreadyRunning) -> int:
    holder = refusal.holder
    console.print(
        f"This checkout is running already: process {holder.get('pid', '?')}, {holder.get('url', '')}. "
        "`./namrong down` ends it; another checkout runs beside it."
    )
    return NOT_SO


def _pilots(checkout: Checkout, asked: argparse.Namespace) -> tuple[str, ...]:
    return asked.pilots or tuple(load_folder(checkout.pilots()).manifests)


def demo(_asked: argparse.Namespace) -> int:
    raise NotImplementedError


test = check = lock = verify_evidence = report = demo
