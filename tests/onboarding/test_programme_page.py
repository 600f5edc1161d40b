"""The page itself, served by its own application: what is in it, for whom, escaped, and not sent twice."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import airflow_process  # noqa: F401  (before Airflow: it must find a home of its own)
import pytest
from journeys import FOLDER, journey, manifest
from starlette.testclient import TestClient

from onboarding.evidence_kinds import RunBegan, Runbook
from onboarding.programme import progress, troubles

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>"
PILOTS = ("p02", "p05", "p09")


@dataclass
class Login:
    """Somebody who may read these pilots; it stands where the auth manager's answer does."""

    pilots: set[str] = field(default_factory=lambda: set(PILOTS))
    logs: bool = True

    def may(self, pilot_id: str, entity: object = None) -> bool:
        return pilot_id in self.pilots and (entity is None or self.logs)

    def reader(self, pilots: Any) -> Any:
        from onboarding_airflow.readers import Access

        return Access.reader(self, pilots)  # type: ignore[arg-type]  # its own rule, over this one's answers


@dataclass
class Site:
    """The application, asked as `login`; None is nobody."""

    client: TestClient
    login: Login | None = None

    def get(self, path: str, login: Login | None = None, **how: Any) -> Any:
        self.login = login
        self.client.cookies.clear()
        return self.client.get(path, **how)


@pytest.fixture
def site(house: Any, ledger: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    """On this test's ledger and on manifests of which one has a hostile name."""
    for pilot in PILOTS:
        text = (FOLDER / f"{pilot}.yaml").read_text(encoding="utf-8")
        hostile = re.sub(r"(?m)^  en: .*$", f"  en: '{HOSTILE}'", text, count=1) if pilot == "p09" else text
        (tmp_path / f"{pilot}.yaml").write_text(hostile, encoding="utf-8")
    writer = house.writer
    address = f"postgresql://{writer.user}:{writer.password}@{writer.host}:{writer.port}/{writer.name}"
    monkeypatch.setenv("AIRFLOW_CONN_NAMRONG_LEDGER", address)
    chosen = {"email_domain": "x.example", "anchor_bucket": "b", "sandbox": True}
    monkeypatch.setenv("AIRFLOW_VAR_NAMRONG_SETTINGS", json.dumps(chosen))
    from airflow.api_fastapi.core_api.security import get_user
    from fastapi import HTTPException

    from onboarding_airflow import pages, pilots, programme_page, readers, server_side

    monkeypatch.setattr(pilots, "PILOTS", tmp_path)
    for kept in (pages.app, server_side.ledger, programme_page._reading):
        kept.cache_clear()
    found = Site(TestClient(pages.app()))

    def user() -> Login:
        if found.login is None:
            raise HTTPException(401, "Not authenticated")
        return found.login

    pages.app().dependency_overrides[get_user] = user
    pages.app().dependency_overrides[readers.access] = user
    yield found
    server_side.ledger().close()
    for kept in (pages.app, server_side.ledger, programme_page._reading):
        kept.cache_clear()


class Page(HTMLParser):
    """What is in an HTML text: its tags with their attributes, its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.figures: dict[str, str] = {}
        self.words, self._figure = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._figure = dict(attrs).get("data-figure") or ""

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._figure:
            self.figures[self._figure], self._figure = data.strip(), ""

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def lanes(page: Page) -> list[str]:
    return [str(one["id"]).removeprefix("lane-") for one in page.of("li") if str(one.get("id")).startswith("lane-")]


def busy(ledger: Any, house: Any) -> None:
    journey(ledger, house.clock, manifest("p02"))
    progress.enter(ledger, "p05", "migration", run="r1")
    troubles.tell_trouble(ledger, "p05", "copy", -1, {"th": "ก → ข", "en": "Key (id)=(7) → mend"}, "ask", run="r1")


def test_nobody_gets_anything_from_any_route(site: Site) -> None:
    from onboarding_airflow import pages

    def example(path: str) -> str:
        values = {"pilot_id": "p02", "gate": "intake", "name": "card.js", "path": "x/index.html"}
        return re.sub(r"\{(\w+)(:\w+)?\}", lambda found: values[found[1]], path)

    routes = [route for route in pages.app().routes if hasattr(route, "methods")]
    assert {route.path for route in routes} >= {"/programme", "/programme.json", "/static/{name}"}  # type: ignore[attr-defined]
    for route in routes:
        for method in route.methods:  # type: ignore[attr-defined]
            answer = site.client.request(method, example(route.path))  # type: ignore[attr-defined]
            assert answer.status_code == 401 and len(answer.content) < 100, route


def test_the_page_says_what_the_document_says(site: Site, ledger: Any, house: Any) -> None:
    busy(ledger, house)
    told = site.get("/programme.json?lang=en", Login()).json()
    page = Page(site.get("/programme?lang=en", Login()).text)
    counted = {name: str(number) for name, number in told["counts"].items()}
    assert page.figures == counted | {"waiting_for_people": str(told["waiting_for_people"])}
    assert lanes(page) == [one["id"] for one in told["lanes"]] == ["p05", "p09", "p02"]
    assert page.words.count("Electronic document registry, Province B") == 1
    assert "GDCC-2570-0102" in page.words and "Key (id)=(7)" in page.words
    assert len(page.of("h1")) == len(page.of("main")) == len(page.of("nav")) == 1


@pytest.mark.parametrize("language", ["th", "en"])
def test_sandbox_and_fiction_are_always_said(site: Site, language: str) -> None:
    words = Page(site.get(f"/programme?lang={language}", Login()).text).words
    assert {"th": "ไม่ใช่ AWS จริง", "en": "Nothing here is real AWS"}[language] in words
    assert words.count({"th": "สมมติ", "en": "fictional"}[language]) >= len(PILOTS)


def test_the_language_chosen_is_kept_and_thai_comes_first(site: Site) -> None:
    def language(answer: Any) -> str | None:
        return Page(answer.text).of("html")[0]["lang"]

    assert language(site.get("/programme", Login())) == "th"
    assert language(site.get("/programme?lang=en", Login())) == "en"
    assert language(site.client.get("/programme")) == "en"  # the cookie of the answer before


def test_names_are_text_and_no_markup(site: Site) -> None:
    text = site.get("/programme?lang=en", Login()).text
    page = Page(text)
    assert HOSTILE in page.words and HOSTILE not in text
    assert page.of("img") == [] and all(str(one["src"]).startswith("static/") for one in page.of("script"))


def test_nothing_inline_and_nothing_from_outside(site: Site, ledger: Any, house: Any) -> None:
    busy(ledger, house)
    answer = site.get("/programme", Login())
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy
    page = Page(answer.text)
    assert page.of("style") == []
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name == "style" or name.startswith("on")], tag
        for name in ("href", "src"):
            assert not re.match(r"[a-z]+:|//", attributes.get(name) or ""), attributes
    from onboarding_airflow.programme_page import HERE, STATIC

    for name in STATIC:
        content = re.sub("http://www.w3.org/2000/svg", "", (HERE / "static" / name).read_text(encoding="utf-8"))
        assert not re.search(r"https?://|@import", content), name
        assert site.get(f"/static/{name}", Login()).status_code == 200
    assert site.get("/static/../pages.py", Login()).status_code == 404
    assert site.get("/static/pages.py", Login()).status_code == 404


def test_what_has_not_changed_is_not_sent_again(site: Site, ledger: Any, house: Any) -> None:
    house.clock.tick *= 0
    for path in ("/programme?lang=en", "/programme.json?lang=en"):
        first = site.get(path, Login())
        known = {"If-None-Match": first.headers["ETag"]}
        for _ in range(5):  # a boundary of RENEWED_S may lie in between, once
            again = site.get(path, Login(), headers=known)
            known = {"If-None-Match": again.headers["ETag"]}
        assert (again.status_code, again.content) == (304, b"")
        progress.enter(ledger, "p02", "intake", run=path)
        assert site.get(path, Login(), headers=known).status_code == 200
        known = {"If-None-Match": site.get(path, Login()).headers["ETag"]}
        assert site.get(path, Login({"p05"}), headers=known).status_code == 200  # another reader


def test_an_agency_gets_its_own_pilot_and_no_word_of_another(site: Site, ledger: Any, house: Any) -> None:
    busy(ledger, house)
    owner = Login({"p05"}, logs=False)
    told, text = site.get("/programme.json?lang=th", owner).json(), site.get("/programme?lang=th", owner).text
    assert [one["id"] for one in told["lanes"]] == lanes(Page(text)) == ["p05"]
    for other in ("p02", "p09"):
        for word in (other, manifest(other).name.th, manifest(other).agency.name.th):
            assert word not in text and word not in json.dumps(told, ensure_ascii=False)
    assert "Key (id)" not in text and told["counts"]["live"] == 0
    assert lanes(Page(site.get("/programme", Login(set())).text)) == []


def test_a_manifest_that_changes_is_seen(site: Site, tmp_path: Path) -> None:
    before = site.get("/programme?lang=en", Login())
    path = tmp_path / "p02.yaml"
    changed = path.read_text(encoding="utf-8").replace("Province B (fictional)", "Province Z (fictional)")
    path.write_text(changed, encoding="utf-8")
    os.utime(path, ns=(1, 1))
    after = site.get("/programme?lang=en", Login(), headers={"If-None-Match": before.headers["ETag"]})
    assert "Province Z" in after.text and "Province Z" not in before.text


def test_the_sandbox_of_the_ledger_counts_where_the_setting_does_not_say_so(
    site: Site, ledger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_NAMRONG_SETTINGS", json.dumps({"email_domain": "x", "anchor_bucket": "b"}))
    assert site.get("/programme.json", Login()).json()["sandbox"] is False
    ledger.record("p02", *RunBegan(True, True, "platform", "d").as_record())
    assert site.get("/programme.json", Login()).json()["sandbox"] is True


def test_a_ledger_that_does_not_answer_is_told_and_nothing_old_is_shown(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.get("/programme", Login())
    from onboarding_airflow import programme_page, server_side

    monkeypatch.setenv("AIRFLOW_CONN_NAMRONG_LEDGER", f"postgresql://x:y@{tempfile.gettempdir()[1:]}.invalid:1/z")
    for kept in (server_side.ledger, programme_page._reading):
        kept.cache_clear()
    answer = site.get("/programme?lang=en", Login())
    assert answer.status_code == 503 and "does not answer" in answer.text and lanes(Page(answer.text)) == []
    assert site.get("/programme.json", Login()).status_code == 503


def test_a_runbook_is_read_by_whoever_may_read_the_pilot_and_escapes_what_it_shows(site: Site, ledger: Any) -> None:
    step = {"step": "freeze", "phase": "frozen", "owner": "namrong", "rehearsed_s": 2.0, "planned_s": 3.0, "seen": {}}
    nothing = site.get("/runbooks/p02?lang=en", Login())
    assert nothing.status_code == 200 and "not been rehearsed" in nothing.text
    for pilot in PILOTS:
        ledger.record(pilot, *Runbook("copy", {}, [step]).as_record(), run="r1")
    assert site.get("/runbooks/p02").status_code == 401
    assert site.get("/runbooks/p02", Login(pilots={"p05"})).status_code == 403
    shown = site.get("/runbooks/p02?lang=th", Login(pilots={"p02"}))
    assert "script-src" not in shown.headers["Content-Security-Policy"]  # default-src 'self' holds for scripts
    page = Page(shown.text)
    assert "หยุดรับการเขียน" in page.words and "3.0 วิ." in page.words and "ผู้อนุมัติ" in page.words
    assert [one.get("src") for one in page.of("script")] == ["../static/theme.js", "../static/frame.js"]
    hostile = site.get("/runbooks/p09?lang=en", Login()).text
    assert "3.0 s" in Page(hostile).words
    assert HOSTILE not in hostile and "&lt;script&gt;" in hostile


def test_a_lane_leads_to_the_runbook_once_there_is_one(site: Site, ledger: Any, house: Any) -> None:
    busy(ledger, house)
    links = [one["href"] for one in Page(site.get("/programme?lang=en", Login()).text).of("a")]
    assert [link for link in links if str(link).startswith("runbooks/")] == ["runbooks/p02?lang=en"]
