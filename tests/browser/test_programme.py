"""The programme view as people meet it: in Airflow's navigation and on its home page, each with their own login."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from browser_window import PATIENCE_S, Browser
from live_stack import DAG, PILOT, Journey

VIEW = "/plugin/programme"
TITLE = {"th": "โครงการนำร่องขึ้นคลาวด์", "en": "Pilots to the cloud"}
STAMP = {"th": "ไม่ใช่ AWS จริง", "en": "Nothing here is real AWS"}
OWN = "ระบบสารบรรณอิเล็กทรอนิกส์ จังหวัด ข (สมมติ)"
SIZES = ((360, 740), (1280, 800), (1920, 1080))


@pytest.fixture(autouse=True)
def nothing_left_the_machine(browser: Browser, live: Journey) -> Iterator[None]:
    """Every request of every page goes to the stack on this machine."""
    browser.asked()
    yield
    browser.driver.switch_to.default_content()
    assert browser.asked() == {"127.0.0.1"}


def until(condition: Any, what: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.2)
    return found


def in_frame(browser: Browser, language: str = "th") -> None:
    """Steps into the frame that Airflow shows the view in, once it is there."""

    def look() -> bool:
        browser.driver.switch_to.default_content()
        frames = browser.driver.find_elements("css selector", "iframe")
        if not frames:
            return False
        browser.driver.switch_to.frame(frames[0])
        return TITLE[language] in browser.text()

    until(look, f"{browser.driver.current_url}: no frame with {TITLE[language]}")


def lanes(browser: Browser) -> list[str]:
    found = browser.driver.find_elements("css selector", "li.lane")
    return [str(one.get_attribute("id")).removeprefix("lane-") for one in found]


@contextmanager
def sized(browser: Browser, width: int, height: int) -> Iterator[None]:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        yield
    finally:
        browser.driver.switch_to.default_content()
        browser.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize(("login", "everything"), [("stakeholder", True), ("platform", True), ("owner_p02", False)])
def test_everybody_sees_their_own_programme_inside_airflow(browser: Browser, login: str, everything: bool) -> None:
    browser.enter(login)
    browser.open("/")
    until(lambda: browser.driver.find_elements("css selector", f"a[href*='{VIEW[1:]}']"), "no link in the navigation")
    browser.driver.find_element("css selector", f"a[href*='{VIEW[1:]}']").click()
    in_frame(browser)
    assert OWN in browser.text() and STAMP["th"] in browser.text()
    assert (PILOT in lanes(browser)) and (len(lanes(browser)) > 1) is everything
    live = browser.driver.find_element("css selector", "[data-figure=live]").text
    assert live == "1"
    browser.picture(f"programme-{login}")


def test_the_switch_changes_the_language_inside_airflow(browser: Browser) -> None:
    browser.enter("stakeholder")
    for language, other in (("th", "en"), ("en", "th")):
        browser.open(f"{VIEW}/namrong/programme?lang={language}")
        in_frame(browser, language)
        browser.picture(f"programme-in-airflow-{language}")
        browser.driver.find_element("css selector", f"nav a[hreflang={other}]").click()
        browser.wait(TITLE[other])


def test_another_agency_is_told_nothing_of_it(browser: Browser) -> None:
    browser.enter("owner_p05")
    browser.open(VIEW)
    in_frame(browser)
    assert lanes(browser) == ["p05"] and OWN not in browser.text()
    browser.open("/")
    card = until(lambda: browser.driver.find_elements("css selector", "[data-namrong=card]"), "no card")[0]
    assert OWN not in card.text


def test_the_card_is_on_the_home_page_and_leads_to_the_view(browser: Browser) -> None:
    browser.enter("stakeholder")
    browser.open("/")
    card = until(lambda: browser.driver.find_elements("css selector", "[data-namrong=card]"), "no card")[0]
    assert "1" in card.text and "10" in card.text
    browser.picture("card")
    card.find_element("css selector", "a").click()
    in_frame(browser)


def test_links_open_in_airflow_and_not_in_the_frame(browser: Browser) -> None:
    browser.enter("stakeholder")
    browser.open(VIEW)
    in_frame(browser)
    browser.driver.execute_script(f"document.querySelector('#lane-{PILOT} .more').open = true")
    browser.driver.find_element("css selector", f"#lane-{PILOT} a.airflow").click()
    browser.driver.switch_to.default_content()
    until(lambda: f"/dags/{DAG}/runs/" in browser.driver.current_url, "Airflow did not go to the run")
    browser.wait("· intake")
    assert not browser.driver.find_elements("css selector", "iframe")


def test_a_gate_and_the_data_docs_open_in_the_frame_and_lead_back(browser: Browser) -> None:
    browser.enter("stakeholder")
    for link, words in (("a[href^='gates/']", "account.region"), ("a[href^='reports/']", "Expectation")):
        browser.open(VIEW)
        in_frame(browser)
        browser.driver.execute_script(f"document.querySelector('#lane-{PILOT} .more').open = true")
        chosen = browser.driver.find_elements("css selector", f"#lane-{PILOT} {link}")
        wanted = [one for one in chosen if "/account?" in one.get_attribute("href")] or chosen
        wanted[0].click()
        browser.wait(words)
        browser.driver.find_element("css selector", "a[href*='programme']").click()
        browser.wait(*TITLE.values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_frame_follows_airflows_scheme(browser: Browser, scheme: str) -> None:
    browser.enter("stakeholder")
    other = {"light": "dark", "dark": "light"}[scheme]
    browser.open("/", scheme=other)
    browser.driver.execute_script("localStorage.setItem('theme', arguments[0])", scheme)
    try:
        browser.open(VIEW, scheme=other)  # what Airflow shows counts, not what the system says
        in_frame(browser)
        until(lambda: browser.driver.find_elements("css selector", f"html[data-theme={scheme}]"), "another scheme")
        browser.picture(f"programme-{scheme}")
    finally:
        browser.driver.switch_to.default_content()
        browser.driver.execute_script("localStorage.removeItem('theme')")


@pytest.mark.parametrize("language", ["en", "th"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_from_phone_to_wall_in_both_languages(browser: Browser, language: str, width: int, height: int) -> None:
    browser.enter("stakeholder")
    with sized(browser, width, height):
        browser.open(f"/namrong/programme?lang={language}")
        browser.wait(TITLE[language])
        assert STAMP[language] in browser.text()
        assert browser.driver.execute_script("return document.documentElement.scrollWidth") <= width
        browser.picture(f"programme-{language}-{width}")


def test_it_stays_open_and_focused_while_it_renews_itself(browser: Browser) -> None:
    browser.enter("stakeholder")
    browser.open("/namrong/programme?lang=en")
    browser.wait(TITLE["en"])
    script = f"const s = document.querySelector('#lane-{PILOT} .more summary'); s.click(); s.focus(); window.mark = 1;"
    browser.driver.execute_script(script)
    # as if the server had told something else before
    browser.driver.execute_script(f"document.querySelector('#lane-{PILOT} .state').textContent = 'x'")
    until(
        lambda: (
            browser.driver.execute_script(f"return document.querySelector('#lane-{PILOT} .state').textContent")
            == "live"
        ),
        "not renewed within the time",
    )
    kept = (
        "const m = document.querySelector(arguments[0]); return [window.mark, m.open, document.activeElement.tagName]"
    )
    assert browser.driver.execute_script(kept, f"#lane-{PILOT} .more") == [1, True, "SUMMARY"]
