"""Chromium, driven by its own driver, looking at the running stack; skipped by name where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_window import PATIENCE_S, SIZE, Browser
from live_stack import Stack


@pytest.fixture(scope="session")
def chromium() -> tuple[str, str]:
    """Chromium and its driver."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    pytest.importorskip("selenium", reason="browser: selenium is not installed")
    if not all(found):
        pytest.skip("browser: needs Chromium and its driver (Debian: chromium, chromium-driver)")
    return str(found[0]), str(found[1])


@pytest.fixture(scope="session")
def browser(chromium: tuple[str, str], stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A window in which no name but 127.0.0.1 resolves. `NAMRONG_PICTURES` names a folder that keeps its pictures."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = chromium[0]
    for argument in (
        "--headless=new", f"--window-size={SIZE[0]},{SIZE[1]}", "--hide-scrollbars", "--lang=th", "--accept-lang=th",
        "--disable-gpu", "--no-first-run", "--disable-crash-reporter",
        "--disable-background-networking", "--disable-component-update",
        "--disable-dev-shm-usage",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
    ):  # fmt: skip
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    environment = {**os.environ, "HOME": str(tmp_path_factory.mktemp("home"))}
    # The driver is named, so that selenium does not go and fetch one.
    driver = webdriver.Chrome(options=options, service=Service(executable_path=chromium[1], env=environment))
    driver.set_page_load_timeout(PATIENCE_S)
    pictures = Path(os.environ.get("NAMRONG_PICTURES") or tmp_path_factory.mktemp("pictures"))
    try:
        yield Browser(driver, stack, pictures)
    finally:
        driver.quit()
