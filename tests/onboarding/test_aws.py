"""Clients: what is asked again by itself, and what never is because it might have happened."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from onboarding.aws import MODELS, Cloud, session


class Moody(BaseHTTPRequestHandler):
    """Answers each call with the next of `moods`: an HTTP status with an error code, or "hang up"."""

    moods: list[Any] = []  # noqa: RUF012  # shared on purpose: the server makes a handler per request
    asked: list[str] = []  # noqa: RUF012
    hosts: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.asked.append(self.headers.get("X-Amz-Target") or self.path)
        self.hosts.append(self.headers["Host"])
        mood = self.moods.pop(0) if self.moods else (200, "")
        if mood == "hang up":
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        status, code = mood
        body = json.dumps({"__type": code, "message": "a mood"} if code else {}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def moody() -> Iterator[tuple[Cloud, type[Moody]]]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Moody.moods, Moody.asked, Moody.hosts = [], [], []
    cloud = Cloud(boto3.Session("key", "secret"), "ap-southeast-7", f"http://127.0.0.1:{server.server_port}")
    yield cloud, Moody
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("mood", ["hang up", (500, "ServiceException"), (503, "ServiceUnavailable")])
def test_a_creating_call_with_an_unknown_outcome_is_not_sent_twice(moody: tuple[Cloud, type[Moody]], mood: Any) -> None:
    cloud, server = moody
    server.moods = [mood]
    with pytest.raises((BotoCoreError, ClientError)):
        cloud.client("organizations").create_account(Email="a@example.org", AccountName="a")
    assert len(server.asked) == 1


@pytest.mark.parametrize("mood", [(400, "ThrottlingException"), (503, "SlowDown")])
def test_a_throttled_creating_call_has_made_nothing_and_is_sent_again(
    moody: tuple[Cloud, type[Moody]], mood: Any
) -> None:
    cloud, server = moody
    server.moods = [mood]
    cloud.client("organizations").create_account(Email="a@example.org", AccountName="a")
    assert len(server.asked) == 2


def test_a_call_with_an_idempotency_token_is_sent_again(moody: tuple[Cloud, type[Moody]]) -> None:
    cloud, server = moody
    server.moods = ["hang up"]
    cloud.client("secretsmanager").create_secret(Name="a", SecretString="b")
    assert len(server.asked) == 2


def test_reading_is_tried_five_times(moody: tuple[Cloud, type[Moody]]) -> None:
    cloud, server = moody
    server.moods = [(500, "ServiceException")] * 9
    with pytest.raises(ClientError):
        cloud.client("organizations").describe_organization()
    assert len(server.asked) == 5


def test_s3control_asks_an_address_without_the_account_before_it(moody: tuple[Cloud, type[Moody]]) -> None:
    cloud, server = moody
    blocked = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    cloud.client("s3control").put_public_access_block(AccountId="123456789012", PublicAccessBlockConfiguration=blocked)
    assert [host.split(":")[0] for host in server.hosts] == ["127.0.0.1"]


def test_a_cloud_shows_no_credential() -> None:
    assert "hidden" not in repr(Cloud(boto3.Session("hidden", "hidden"), "ap-southeast-7"))


def test_threads_and_steps_share_a_client_per_service_and_region() -> None:
    cloud = Cloud(session("key", "secret"), "ap-southeast-7")
    assert cloud.client("sts") is cloud.client("sts", region="ap-southeast-7")
    assert cloud.client("sts") is not cloud.client("sts", region="us-east-1")


def test_what_aws_says_of_a_service_is_read_once_in_a_process() -> None:
    for key in ("one", "other"):
        Cloud(session(key, "secret"), "us-east-1").client("sts")
    first, second = (MODELS.load_service_model("sts", "service-2") for _ in range(2))
    assert first is second
    assert len(MODELS.search_paths) == len(set(MODELS.search_paths))


def test_sessions_share_no_credential() -> None:
    one, other = session("one", "1"), session("other", "2", "token")
    assert [found.get_credentials().access_key for found in (one, other)] == ["one", "other"]
    assert [found.get_credentials().token for found in (one, other)] == [None, "token"]
