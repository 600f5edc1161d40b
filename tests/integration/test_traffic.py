"""A service's name on the sandbox's Route 53 and DNS, with a real server on each side."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import boto3
import pytest
from loopback import listening
from once_in_memory import OnceInMemory

from onboarding import health_page, traffic
from onboarding.aws import Cloud
from onboarding.effects import Effects
from onboarding.errors import Stop
from onboarding.look_ups import Resolver, resolver

ZONE = "traffic.pilots.example"
SOURCE, TARGET = "source.traffic.agency.example", "target.traffic.agency.example"


class Side:
    """A server on an address of its own that counts who asks it."""

    def __init__(self, address: str, port: int = 0) -> None:
        side = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                side.asked += 1
                self.request.sendall(b"well" if side.well else b"ill")

        ThreadingTCPServer.allow_reuse_address = True
        self._server = ThreadingTCPServer((address, port), Handler)
        self.port = int(self._server.server_address[1])
        self.asked, self.well = 0, True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class World:
    """Route 53, the resolver, both servers, and a probe that asks whichever address it is given."""

    def __init__(self, ready: dict[str, Any]) -> None:
        session = boto3.Session(ready["access_key"], ready["secret_key"])
        cloud = Cloud(session, "us-east-1", ready.get("aws_endpoint_url") or ready["endpoint"])
        self.route53, self.effects = cloud.client("route53"), Effects(OnceInMemory())
        self.resolve: Resolver = resolver(ready["nameserver"])
        self.addresses = (f"{ready['subnet']}.240", f"{ready['subnet']}.241")
        self.source = Side(self.addresses[0])
        self.target = Side(self.addresses[1], self.source.port)
        self._ready = ready
        self.point(*self.addresses)
        self.zone = traffic.ensure_zone(self.route53, self.effects, ZONE)

    def point(self, source: str, target: str) -> None:
        asked = urllib.request.Request(
            f"{self._ready['endpoint']}/_sandbox/names",
            data=json.dumps({SOURCE: source, TARGET: target}).encode(),
            headers={"X-Sandbox-Token": self._ready["token"]},
        )
        urllib.request.urlopen(asked).close()

    def name(self, record: str) -> traffic.Name:
        return traffic.Name(self.zone, f"{record}.{ZONE}", SOURCE, TARGET, ttl_s=1)

    def ask(self, address: str) -> None:
        try:
            with socket.create_connection((address, self.source.port), timeout=2) as connection:
                answer = connection.recv(10)
        except OSError as failure:
            raise Stop("traffic.bad_answer", where="test", address=address, reason=str(failure)) from failure
        if answer != b"well":
            raise RuntimeError(f"{address} answered {answer!r}")

    def ramp(
        self, name: traffic.Name, steps: tuple[int, ...], probes: int = 25, ask: traffic.Ask | None = None
    ) -> list[traffic.StepResult]:
        return traffic.ramp(
            self.route53,
            name,
            steps,
            resolve=self.resolve,
            ask=ask or self.ask,
            probing=traffic.Probing(probes),
            sleep=no_wait,
        )


def no_wait(_: float) -> None:
    """The sandbox's nameserver keeps nothing, so there is no TTL to wait for."""


@pytest.fixture(scope="module")
def world(sandbox_cloud: dict[str, Any]) -> Iterator[World]:
    made = World(sandbox_cloud)
    yield made
    made.source.stop()
    made.target.stop()


def test_the_zone_is_made_once(world: World, sandbox_cloud: dict[str, Any]) -> None:
    assert traffic.ensure_zone(world.route53, world.effects, ZONE) == world.zone
    assert traffic.ensure_zone(world.route53, Effects(OnceInMemory()), ZONE) == world.zone


def test_all_look_ups_move_from_source_to_target(world: World) -> None:
    name = world.name("good")
    before = (world.source.asked, world.target.asked)
    steps = world.ramp(name, (0, 50, 100))
    assert [step.percent for step in steps] == [0, 50, 100]
    assert [step.seen for step in steps] == [world.addresses[:1], world.addresses, world.addresses[1:]]
    assert traffic.current_weights(world.route53, name) == {"source": 0, "target": 100}
    asked = (world.source.asked - before[0], world.target.asked - before[1])
    assert asked[0] > 25 and asked[1] > 25 and sum(asked) == 75  # every probe asked the address the name gave


def test_a_server_that_answers_badly_brings_the_traffic_back_by_itself(world: World) -> None:
    name = world.name("ill")
    world.target.well = False
    try:
        with pytest.raises(Stop, match=r"50 %") as told:
            world.ramp(name, (0, 50, 100))
    finally:
        world.target.well = True
    assert "กลับ" in told.value.render("th")
    assert traffic.current_weights(world.route53, name) == {"source": 100, "target": 0}
    assert {world.resolve(name.record) for _ in range(20)} == {world.addresses[0]}


def test_a_page_that_is_ill_on_the_new_side_brings_the_traffic_back(world: World) -> None:
    """Each side has a front end of its own: the one asked is the one that the name gave, in the name's name."""
    name, asked = world.name("page"), []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = self.connection.getsockname()[0]
            asked.append((here, self.headers["Host"].partition(":")[0]))
            self.send_response(503 if here == world.addresses[1] else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with listening(Page, at=world.addresses[0]) as url:
        port = url.rpartition(":")[2]
        with listening(Page, at=world.addresses[1], port=int(port)), pytest.raises(Stop, match=r"50 %.*HTTP 503"):
            world.ramp(name, (0, 50, 100), ask=partial(health_page.ask, f"http://{name.record}:{port}/health"))
    assert traffic.current_weights(world.route53, name) == {"source": 100, "target": 0}
    assert {host for _, host in asked} == {name.record} and {side for side, _ in asked} == set(world.addresses)


@pytest.mark.parametrize("at", ["before a step", "at a bad answer", "after a step"])
def test_an_attempt_that_was_left_behind_sets_no_weight(world: World, at: str) -> None:
    """An orphan that wakes late: a later attempt has the name, and its weights stay."""
    name, overtaken = world.name(f"fenced-{at[:2]}"), False
    arrived: list[traffic.StepResult] = []

    def later_attempt() -> None:
        nonlocal overtaken
        traffic.set_weights(world.route53, name, 30)
        overtaken = True

    def ask(address: str) -> None:
        if at == "at a bad answer":
            later_attempt()
            raise RuntimeError("ill")
        if at == "after a step" and not overtaken:
            later_attempt()

    def still_ours() -> None:
        if at == "before a step" and arrived:
            later_attempt()
        if overtaken:
            raise Stop("traffic.fenced", where=name.record)

    with pytest.raises(Stop, match="newer attempt leads this name"):
        traffic.ramp(
            world.route53, name, (50, 100), resolve=world.resolve, ask=ask, probing=traffic.Probing(1),
            arrived=arrived.append, still_ours=still_ours, sleep=no_wait,
        )  # fmt: skip
    assert traffic.current_weights(world.route53, name) == {"source": 70, "target": 30}
    assert len(arrived) == (1 if at == "before a step" else 0)


def test_a_target_that_is_not_there_brings_the_traffic_back(world: World) -> None:
    name = world.name("gone")
    world.point(world.addresses[0], world.addresses[1].rsplit(".", 1)[0] + ".242")
    try:
        with pytest.raises(Stop, match=r"100 %"):
            world.ramp(name, (0, 100), probes=3)
    finally:
        world.point(*world.addresses)
    assert traffic.current_weights(world.route53, name) == {"source": 100, "target": 0}


def test_another_record_of_the_name_is_noticed_at_the_end(world: World) -> None:
    """Somebody's third record keeps a share of the look-ups: at 100 % the name still leads elsewhere."""
    name = world.name("third")
    third = {
        "Name": name.record, "Type": "CNAME", "SetIdentifier": "somebody", "Weight": 100, "TTL": 1,
        "ResourceRecords": [{"Value": SOURCE}],
    }  # fmt: skip
    world.route53.change_resource_record_sets(
        HostedZoneId=world.zone, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": third}]}
    )
    with pytest.raises(Stop, match="still led to"):
        world.ramp(name, (0, 100))


def test_weights_are_in_force_when_set_weights_returns(world: World) -> None:
    name = world.name("force")
    traffic.set_weights(world.route53, name, 0)
    assert {world.resolve(name.record) for _ in range(10)} == {world.addresses[0]}
    traffic.set_weights(world.route53, name, 100)
    traffic.set_weights(world.route53, name, 100)
    assert {world.resolve(name.record) for _ in range(10)} == {world.addresses[1]}


def test_probe_hands_on_what_the_service_says(world: World) -> None:
    with pytest.raises(Stop, match="did not answer"):
        traffic.probe(lambda record: f"{world.addresses[0][:-3]}242", "any", world.ask, traffic.Probing(1))


def some_ill(world: World, ill: int) -> Callable[[str], None]:
    """The target answers badly the first few times that it is asked."""
    left = [ill]

    def ask(address: str) -> None:
        if address == world.addresses[1] and left[0]:
            left[0] -= 1
            raise Stop("traffic.bad_answer", where="test", address=address, reason="ill")

    return ask


def test_what_the_error_budget_bears_is_counted_and_one_more_brings_the_traffic_back(world: World) -> None:
    slept: list[float] = []
    for ill, tolerated in ((2, 2), (3, 2), (1, 0)):
        name = world.name(f"budget-{ill}-{tolerated}")
        probing = traffic.Probing(10, timedelta(seconds=20), tolerated)
        how = {"resolve": world.resolve, "ask": some_ill(world, ill), "probing": probing, "sleep": slept.append}
        if ill <= tolerated:
            assert [step.failed for step in traffic.ramp(world.route53, name, (0, 100), **how)] == [0, ill]
            assert traffic.current_weights(world.route53, name) == {"source": 0, "target": 100}
        else:
            with pytest.raises(Stop, match="100 %"):
                traffic.ramp(world.route53, name, (0, 100), **how)
            assert traffic.current_weights(world.route53, name) == {"source": 100, "target": 0}
    assert slept[:11] == [1, *[2.0] * 10], "the TTL first, then probes spread over the window"
