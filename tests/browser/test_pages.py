"""What people see in a browser: the journey, a gate's reason in both languages and schemes, the Data Docs."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from browser_window import Browser
from live_stack import DAG, PILOT, Journey

EMPTY_FOR_S = 3
GATE = f"/namrong/gates/{PILOT}/account"
STAMP = {"th": "แซนด์บ็อกซ์: คลาวด์จำลองบนเครื่องเดียว ไม่ใช่ AWS จริง", "en": "Nothing here is real AWS"}
NAME = {"th": "ระบบสารบรรณอิเล็กทรอนิกส์ จังหวัด ข (สมมติ)", "en": "Electronic document registry, Province B (fictional)"}


@pytest.fixture(autouse=True)
def nothing_left_the_machine(browser: Browser, live: Journey) -> Iterator[None]:
    """Every request of every page goes to the stack on this machine."""
    browser.asked()
    yield
    hosts = browser.asked()
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize("login", ["stakeholder", "owner_p02", "platform"])
def test_the_journey_is_seen_as_a_grid(browser: Browser, login: str) -> None:
    browser.enter(login)
    browser.open(f"/dags/{DAG}")
    browser.wait(NAME["th"])
    for stage in ("intake", "account", "migration", "validation", "cutover", "soak", "live"):
        browser.wait(f"· {stage}")
    browser.picture(f"journey-{login}")


def test_another_agency_is_shown_nothing(browser: Browser) -> None:
    browser.enter("owner_p05")
    browser.open(f"/dags/{DAG}")
    browser.wait(DAG)  # Airflow shows an empty page with the name that was asked for
    time.sleep(EMPTY_FOR_S)
    assert NAME["th"] not in browser.text() and "· intake" not in browser.text()
    browser.open(GATE)
    browser.wait("Forbidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["th", "en"])
def test_a_gate_tells_its_reason(browser: Browser, language: str, scheme: str) -> None:
    browser.enter("stakeholder")
    browser.open(f"{GATE}?lang={language}", scheme=scheme)
    browser.picture(f"gate-{language}-{scheme}")
    shown = browser.text()
    assert STAMP[language] in shown
    assert NAME[language] in shown
    assert "account.region" in shown
    assert {"th": "ทุกข้อตรวจ", "en": "every check passed"}[language] in shown
    assert browser.driver.find_elements("css selector", f"html[lang={language}]")
    text, background = map(brightness, browser.colours())
    assert (text < background) is (scheme == "light")


def test_a_gate_leads_to_the_other_language_and_fits_a_phone(browser: Browser) -> None:
    browser.enter("stakeholder")
    browser.open(GATE)
    browser.driver.find_element("css selector", "a[hreflang=en]").click()
    browser.wait(NAME["en"])
    phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)
    try:
        browser.open(GATE)
        browser.picture("gate-phone")
        width = browser.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= phone["width"]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_data_docs_open(browser: Browser) -> None:
    browser.enter("stakeholder")
    browser.open(f"/namrong/reports/{PILOT}/registry/index.html")
    browser.wait("ExpectColumnValuesToMatchRegex")
    assert all(stamp in browser.text() for stamp in STAMP.values())
    browser.picture("data-docs")
    browser.driver.find_element("css selector", "td a").click()
    browser.wait("Expectation Suite")
    assert all(stamp in browser.text() for stamp in STAMP.values())
    browser.picture("data-docs-inside")


def brightness(colour: str) -> float:
    """0 black to 255 white, of a `rgb()`; a page without a background of its own shows the scheme's."""
    red, green, blue, *alpha = map(float, re.findall(r"[\d.]+", colour))
    if alpha == [0.0]:
        raise ValueError(f"transparent: {colour}")
    return (red + green + blue) / 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["th", "en"])
def test_the_runbook_has_every_step_planned_and_as_it_was(browser: Browser, language: str, scheme: str) -> None:
    browser.enter("owner_p02")
    browser.open(f"/namrong/runbooks/{PILOT}?lang={language}", scheme=scheme)
    browser.picture(f"runbook-{language}-{scheme}")
    shown = browser.text()
    assert STAMP[language] in shown and NAME[language] in shown
    rows = browser.driver.find_elements("css selector", "tr[data-step]")
    told = {
        str(row.get_attribute("data-step")): [cell.text for cell in row.find_elements("css selector", "td.s")]
        for row in rows
    }
    frozen = ("freeze", "load", "sequences", "prove", "traffic", "release")
    assert all("–" not in told[step] for step in frozen), told
    assert told["turn_back"][2] == "–", "the way back was not taken"
    text, background = map(brightness, browser.colours())
    assert (text < background) is (scheme == "light")
