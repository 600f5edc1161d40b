"""The page by which a service says that it is well: what is an answer, what is none, and whose page it has to be."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from loopback import listening

from onboarding import health_page
from onboarding.errors import OnboardingError, Stop, TryAgain

HOST = "queue.go.th.example"


class Page(BaseHTTPRequestHandler):
    """Answers `/<status>` with that status, and keeps whose page was asked for."""

    hosts: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "/200")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[str]:
    Page.hosts.clear()
    with listening(Page) as url:
        yield url.rpartition(":")[2]


@pytest.mark.parametrize("status", [200, 204])
def test_it_is_asked_at_that_address_by_its_own_name(port: str, status: int) -> None:
    health_page.ask(f"http://{HOST}:{port}/{status}", "127.0.0.1")
    assert Page.hosts == [f"{HOST}:{port}"]


@pytest.mark.parametrize(("status", "kind"), [(500, TryAgain), (503, TryAgain), (404, Stop), (302, Stop), (401, Stop)])
def test_any_other_answer_is_none(port: str, status: int, kind: type[OnboardingError]) -> None:
    with pytest.raises(OnboardingError, match=f"HTTP {status}") as told:
        health_page.ask(f"http://{HOST}:{port}/{status}", "127.0.0.1")
    assert type(told.value) is kind and "127.0.0.1" in told.value.render("th")
    assert len(Page.hosts) == 1, "a redirect was followed"


def test_nobody_there_may_pass(port: str) -> None:
    with pytest.raises(TryAgain, match=r"asked at 127\.0\.0\.9"):
        health_page.ask(f"http://{HOST}:{port}/200", "127.0.0.9")


def certificate(folder: Path, name: str) -> Path:
    """Key and certificate of that name in one file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number(), now, now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file = folder / f"{name}.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.mark.parametrize("whose", [HOST, "somebody.else.example"])
def test_over_https_the_certificate_is_the_names(whose: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trusted = certificate(tmp_path, whose)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(trusted)
    with listening(Page, tls=shown) as url:
        page = f"https://{HOST}:{url.rpartition(':')[2]}/200"
        if whose == HOST:
            health_page.ask(page, "127.0.0.1")
        else:
            with pytest.raises(TryAgain, match=r"doesn't match|mismatch"):
                health_page.ask(page, "127.0.0.1")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(certificate(tmp_path, HOST))
    with listening(Page, tls=shown) as url, pytest.raises(TryAgain, match="certificate verify failed"):
        health_page.ask(f"https://{HOST}:{url.rpartition(':')[2]}/200", "127.0.0.1")
