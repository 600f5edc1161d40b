"""A window of Chromium onto the running stack: log in, look, read, take a picture, say which hosts were asked."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from live_stack import Stack

SIZE = (1280, 800)
PATIENCE_S = 120
TOO_MANY = "Too Many Requests"


@dataclass
class Browser:
    """One window."""

    driver: Any
    stack: Stack
    pictures: Path
    login: str = ""

    def enter(self, login: str) -> None:
        """Logs in on Airflow's own page, as somebody else than before."""
        from selenium.webdriver.common.by import By

        if login == self.login:
            return
        self.driver.get(self.stack.url + "/auth/login/")
        self.driver.delete_all_cookies()
        self._until(lambda: self._submitted(login, By.NAME), login)
        self._until(lambda: "/auth/login" not in self.driver.current_url and self.text().strip(), login)
        self.login = login

    def _submitted(self, login: str, by_name: str) -> bool:
        """Whether the login page took the login: it takes five in 40 seconds, from everybody together."""
        self.driver.get(self.stack.url + "/auth/login/")
        if TOO_MANY in self.text():
            time.sleep(5)
            return False
        self.driver.find_element(by_name, "username").send_keys(login)
        password = self.driver.find_element(by_name, "password")
        password.send_keys(self.stack.checkout.secrets()[f"login:{login}"])
        password.submit()
        time.sleep(0.5)
        return TOO_MANY not in self.text()

    def open(self, path: str, *, scheme: str = "light") -> None:
        """Opens an address below the UI's in a light or dark colour scheme."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get(self.stack.url + path)

    def wait(self, *words: str) -> None:
        """Until one of the words is on the page."""
        self._until(lambda: any(word in self.text() for word in words), f"one of {words}")

    def _until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"{what}: {self.driver.current_url} shows {self.text()}"
            time.sleep(0.3)

    def text(self) -> str:
        return str(self.driver.execute_script("return document.body ? document.body.innerText : ''"))

    def colours(self) -> tuple[str, str]:
        """Text and background colour as shown."""
        script = "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
        text, background = self.driver.execute_script(script)
        return str(text), str(background)

    def picture(self, name: str) -> Path:
        path = self.pictures / f"{name}.png"
        assert self.driver.save_screenshot(str(path))
        return path

    def asked(self) -> set[str]:
        """The hosts of every request that pages made since this was asked last."""
        hosts = set()
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                address = urlsplit(message["params"]["request"]["url"])
                if address.scheme in ("http", "https", "ws", "wss"):
                    hosts.add(str(address.hostname))
        return hosts
