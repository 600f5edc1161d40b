"""What each command does; each returns its exit status."""

from __future__ import annotations

import argparse
import time

from launcher import front, settings
from launcher.checkout import AlreadyRunning, Checkout
from launcher.demo import Demo
from launcher.people import people
from launcher.screen import Screen
from onboarding.manifests import BadManifest, load_file, load_folder
from sandbox.agencies.profiles import PROFILES

OK, NOT_SO, USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def up(asked: argparse.Namespace) -> int:
    """Everything is up, nothing is triggered."""
    screen = Screen(asked.lang)
    return _run(asked, screen, lambda run: _stay(run, screen), detach=asked.detach)


def demo(asked: argparse.Namespace) -> int:
    """Everything is up, and the pilots go from manifest to live."""
    screen = Screen(asked.lang)

    def play(run: front.Run) -> int:
        holds = Demo(run, screen, approve=not asked.no_approve, trouble=asked.with_trouble).play(asked.report)
        if screen.is_terminal and not asked.exit:
            _stay(run, screen)
        return OK if holds else NOT_SO

    return _run(asked, screen, play)


def down(_asked: argparse.Namespace) -> int:
    """Nothing of this checkout runs any more."""
    Screen("en").say("stopped" if front.take_down(Checkout()) else "nothing_running")
    return OK


def check(asked: argparse.Namespace) -> int:
    """Says what is wrong with manifests: 0 when nothing is."""
    screen = Screen(asked.lang or "th")
    status = OK
    for path in asked.manifests:
        try:
            manifest = load_file(path)
            screen.say("manifest_ok", file=path, pilot=manifest.id)
        except BadManifest as bad:
            status = NOT_SO
            for problem in bad.problems:
                for language in (asked.lang,) if asked.lang else ("th", "en"):
                    screen.print(problem.render(language))
    return status


def _run(asked: argparse.Namespace, screen: Screen, then: front.Then, *, detach: bool = False) -> int:
    checkout = Checkout()
    # Manifests of one's own may lie there too; the sandbox plays these agencies only.
    known = tuple(pilot for pilot in load_folder(checkout.pilots()).manifests if pilot in PROFILES)
    wanted: tuple[str, ...] = asked.pilots or known
    for pilot in sorted(set(wanted) - set(known)):
        screen.say("unknown_pilot", pilot=pilot, known=", ".join(known))
        return USAGE
    chosen = settings.choose(wanted, asked.scale, asked.seed, asked.parallelism)
    try:
        with front.started(checkout, chosen, may_stay=detach) as run:
            run.on_death = lambda news: screen.say("again", component=news["component"], reason=news["reason"])
            _show_start(run, screen)
            _show_logins(checkout, chosen, known, screen)
            if detach:
                run.detach()
                return OK
            return then(run)
    except AlreadyRunning as refusal:
        holder = refusal.holder
        screen.say("running_already", pid=holder.get("pid", "?"), url=holder.get("url", "-"))
        return NOT_SO
    except front.RunFailed as failure:
        return _show_failure(failure, screen)
    except front.Interrupted:
        screen.say("stopped")
        return INTERRUPTED


def _stay(run: front.Run, screen: Screen) -> int:
    """Until Ctrl-C (Interrupted) or a death (RunFailed)."""
    screen.say("stay")
    while True:
        run.hear(3600.0)


def _show_start(run: front.Run, screen: Screen) -> None:
    began = time.monotonic()
    for news in run.until_up():
        if news.get("state") == "ready":
            screen.say("ready", component=news["component"], seconds=news["seconds"])
    screen.say("up", seconds=time.monotonic() - began)


def _show_logins(checkout: Checkout, chosen: settings.Settings, known: tuple[str, ...], screen: Screen) -> None:
    passwords = checkout.secrets()
    screen.say("ui", url=chosen.url)
    screen.say("logins")
    for person in people(known):
        screen.print(f"  {person.login:<12} {passwords[f'login:{person.login}']}   {person.role}")


def _show_failure(failure: front.RunFailed, screen: Screen) -> int:
    news = failure.news
    screen.say("died", component=news.get("component"), reason=news.get("reason"), log=news.get("log", "-"))
    for line in news.get("tail", []):
        screen.print(f"  | {line}")
    return FAILED
