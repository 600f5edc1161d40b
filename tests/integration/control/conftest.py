"""One sandbox for the control plane's tests, hurried up and with room for many accounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_process import Cloud, ask, client, into, running, vend, wait_for

REGION = "ap-southeast-7"
HURRY = {
    "seconds_to_create_account": 0.3,
    "seconds_to_close_account": 0.3,
    "seconds_to_enable_region": 0.3,
    "seconds_to_assign": 0.2,
    "seconds_to_deliver_trail": 0.2,
    "account_quota": 100,
}


@pytest.fixture(scope="session")
def hurried_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that sandbox keeps its files."""
    return tmp_path_factory.mktemp("control")


@pytest.fixture(scope="session")
def hurried(hurried_folder: Path) -> Iterator[Cloud]:
    """A sandbox of its own: other tests' accounts do not fill its quota."""
    with running(hurried_folder) as started:
        yield started


@pytest.fixture
def cloud(hurried: Cloud) -> Cloud:
    """The same sandbox with its settings put back and no fault waiting."""
    ask(hurried, "settings", HURRY)
    ask(hurried, "faults", method="DELETE")
    return hurried


@pytest.fixture(scope="session")
def member(hurried: Cloud) -> str:
    """An account that has switched on ap-southeast-7."""
    ask(hurried, "settings", HURRY)
    account = vend(hurried, "member")
    regions = client(hurried, "account", session=into(hurried, account))
    regions.enable_region(RegionName=REGION)
    wait_for(lambda: regions.get_region_opt_status(RegionName=REGION)["RegionOptStatus"] == "ENABLED")
    return account


@pytest.fixture
def session(cloud: Cloud, member: str) -> dict[str, str]:
    """Credentials in that account."""
    return into(cloud, member)
