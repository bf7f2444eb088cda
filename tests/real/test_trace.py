"""Callbacks that real mail servers and Ringback make at others, found in the logs that these wrote."""

import json
import smtplib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ringback.doors.cli import main

from .conftest import Servers
from .servers import exim, postfix
from .servers.box import Box
from .servers.howto import snippet
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real

CALLED = {"postfix": "127.9.0.81", "exim": "127.9.0.82"}
# Who calls, from a network of its own; each sees a mail that claims to be from somebody called.
EXIM_CALLS, POSTFIX_CALLS, RINGBACK_CALLS = "127.7.2.1", "127.7.3.1", "127.8.0.1"
EXIM_HOST, POSTFIX_HOST = "127.9.0.83", "127.9.0.84"
# Who does other things.
HONEST, BOUNCES, SCANNER, BOT = "127.7.4.1", "127.7.5.1", "127.7.6.1", "127.7.7.1"
STRANGER = "127.7.8.1"
SMTP_S = 60.0
LOGGED_S = 20.0

EXIM_ACL = "  require verify = sender/callout=30s,random,defer_ok\n"
EXIM_SECTIONS = f"""
outward:
  driver = dnslookup
  domains = !+ours
  self = send
  transport = outward

begin transports
outward:
  driver = smtp
  allow_localhost = true
  interface = {EXIM_CALLS}
"""
POSTFIX_MAIN = {
    "myhostname": "mx.verifies.test",
    "virtual_mailbox_domains": "verifies.test",
    "virtual_mailbox_maps": "static:all",
    "smtpd_recipient_restrictions": "reject_unverified_sender, reject_unauth_destination",
    "address_verify_poll_delay": "1s",
    "default_transport": "smtp",
    "smtp_host_lookup": "dns",
    "inet_protocols": "ipv4",
    "smtp_bind_address": POSTFIX_CALLS,
}


def domain_of(called: str) -> str:
    return f"traced-{called}.test"


@pytest.fixture(scope="module")
def called(servers: Servers) -> dict[str, Box]:
    """The servers that are called: ann and postmaster exist."""
    boxes = {
        name: servers.box(name, fetch)
        for name, fetch in (("postfix", postfix.fetch), ("exim", exim.fetch))
    }
    domain = domain_of("postfix")
    mailboxes = f"inline:{{ ann@{domain}=ann, postmaster@{domain}=ann }}"
    settings = {"virtual_mailbox_domains": domain, "virtual_mailbox_maps": mailboxes}
    postfix.start(boxes["postfix"], CALLED["postfix"], settings)
    people = [f"ann@{domain_of('exim')}", f"postmaster@{domain_of('exim')}"]
    exim.start(boxes["exim"], CALLED["exim"], people, main=snippet("trace.md", "exim"))
    return boxes


@pytest.fixture(scope="module")
def asker(servers: Servers, lab: Program) -> Ringback:
    return install(servers.home("asker"), settings_with())


@pytest.fixture(scope="module")
def callers(servers: Servers, lab: Program) -> None:
    """Others that verify senders."""
    box = servers.box("verifying-exim", exim.fetch)
    exim.start(box, EXIM_HOST, ["x@verifies.test"], EXIM_ACL, EXIM_SECTIONS)
    postfix.start(servers.box("verifying-postfix", postfix.fetch), POSTFIX_HOST, POSTFIX_MAIN)


@contextmanager
def session(host: str, source: str) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(host, timeout=SMTP_S, source_address=(source, 0)) as client:
        client.ehlo("client.test")
        yield client


def offer(host: str, source: str, sender: str, recipient: str, *, message: bool) -> int:
    """Give an envelope, and the message if it is taken; return the last code."""
    with session(host, source) as client:
        client.mail(sender)
        code, _ = client.rcpt(recipient)
        if message and code == 250:
            code, _ = client.data(b"Subject: test\r\n\r\nHello\r\n")
    return code


def traffic(name: str, asker: Ringback) -> None:
    """All that happens at one of the called."""
    host, domain = CALLED[name], domain_of(name)
    ann, nobody = f"ann@{domain}", f"nobody@{domain}"
    for sender in (ann, nobody):  # forged ones, at those who verify
        for verifier in (EXIM_HOST, POSTFIX_HOST):
            offer(verifier, STRANGER, sender, "x@verifies.test", message=False)
    asker.check(ann, nobody)
    offer(host, HONEST, "friend@elsewhere.test", ann, message=True)
    offer(host, HONEST, "friend@elsewhere.test", nobody, message=True)
    offer(host, BOUNCES, "", ann, message=True)
    offer(host, BOUNCES, "", nobody, message=True)
    with session(host, SCANNER) as client:
        client.docmd("VRFY", "ann")
    with socket.create_connection((host, 25), SMTP_S, (BOT, 0)) as bot:
        bot.sendall(b"EHLO x\r\nMAIL FROM:<bot@spam.test>\r\nRCPT TO:<%b>\r\n" % nobody.encode())
        bot.recv(100)


@pytest.fixture(scope="module", params=list(CALLED))
def log_path(
    request: pytest.FixtureRequest, called: dict[str, Box], callers: None, asker: Ringback
) -> Path:
    """The log of one that was called, when all is in it."""
    name = request.param
    path = called[name].home / "log" / {"postfix": "mail.log", "exim": "mainlog"}[name]
    traffic(name, asker)
    last = f"{BOT}]"
    eventually(lambda: path.read_text(errors="replace"), lambda text: last in text, LOGGED_S)
    return path


def trace(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit):
        main(["trace", "--json", *arguments])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_exactly_the_callers_are_found(log_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *callers, rest = trace(capsys, str(log_path))

    assert [[EXIM_CALLS], [POSTFIX_CALLS], [RINGBACK_CALLS]] == sorted(
        one["ips"] for one in callers
    )
    assert {"callers": 1, "sessions": 1} == rest["set_aside_as_bounces"]


def test_each_is_known_by_its_manner(log_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *callers, _ = trace(capsys, str(log_path))
    made_by = {ip: one["software"] for one in callers for ip in one["ips"]}

    assert {
        EXIM_CALLS: ["exim"],
        POSTFIX_CALLS: ["postfix"],
        RINGBACK_CALLS: ["ringback"],
    } == made_by


def test_who_was_asked_for_is_told(log_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for one in trace(capsys, str(log_path))[:-1]:
        assert one["certain"] <= one["callbacks"]
        assert 1 == one["recipients_missing"] <= one["recipients_named"]
        assert 1 <= one["recipients_accepted"]


def test_what_is_sure_is_told(log_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *callers, _ = trace(capsys, str(log_path))
    sure = {ip for one in callers if one["certain"] for ip in one["ips"]}

    # Postfix does not log the sender with a recipient that it accepted; Ringback and Exim ask for one, too,
    # that it refuses.
    unsure = {POSTFIX_CALLS} if log_path.name == "mail.log" else set()
    assert {EXIM_CALLS, POSTFIX_CALLS, RINGBACK_CALLS} - unsure == sure
