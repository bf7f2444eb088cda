"""What `ringback replay` foretells from the log of a real Postfix is what comes when that Postfix asks."""

import json
import smtplib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from .conftest import Servers
from .servers import postfix
from .servers.howto import postfix_settings
from .servers.patience import eventually
from .servers.program import CHECK_S, Ringback

pytestmark = pytest.mark.real

ALONE, ASKING = "127.9.0.60", "127.9.0.61"
CLIENT = "127.9.0.62"  # 127.0.0.1 would be the server itself
RECIPIENT, NOBODY = "you@home.test", "nobody@home.test"
SMTP_S, LOGGED_S = 60.0, 20.0
SITE = {
    "virtual_mailbox_domains": "home.test",
    "virtual_mailbox_maps": f"inline:{{ {RECIPIENT}=you }}",
}
SENDERS = (
    "ann@shop.example",
    "ann@shop.example",
    "invented@shop.example",
    "",
    "ann@acceptall.example",
    "ann@blocklisted.example",
    "ann@nosuch.example",
)
UNCALLED = {"", "ann@nosuch.example"}


@pytest.fixture(scope="module")
def log(servers: Servers) -> Path:
    """The log of a Postfix that asks nobody, and had all of the mail."""
    box = servers.box("postfix", postfix.fetch)
    postfix.start(box, ALONE, SITE)
    for sender in SENDERS:
        assert 250 == send(ALONE, sender)
    assert 550 == send(ALONE, "ann@shop.example", NOBODY)
    path = box.home / "log" / "mail.log"
    done = eventually(
        lambda: path.read_text().count(": removed"), lambda it: it >= len(SENDERS), LOGGED_S
    )
    assert len(SENDERS) == done, path.read_text()
    return path


@pytest.fixture(scope="module")
def asked(servers: Servers, ringback: Ringback) -> Ringback:
    """A Ringback that was asked about the same mail by another Postfix."""
    main = postfix_settings("postfix.md")
    servers.postfix(ASKING, {**SITE, **main, "smtpd_policy_service_timeout": "20s"})
    ringback.start()
    for sender in SENDERS:
        send(ASKING, sender)
    return ringback


def send(host: str, sender: str, recipient: str = RECIPIENT) -> int:
    """Offer one message; return the code that settled what became of it."""
    with smtplib.SMTP(host, timeout=SMTP_S, source_address=(CLIENT, 0)) as client:
        client.ehlo("client.test")
        client.mail(sender)
        code, _ = client.rcpt(recipient)
        return client.data(b"Subject: test\r\n\r\nHello\r\n")[0] if code == 250 else code


def replay(ringback: Ringback, log: Path, *options: str) -> Mapping[str, Any]:
    command = [sys.executable, "-m", "ringback", "replay", "--json", *options]
    done = subprocess.run(
        [*command, "--config", str(ringback.config_path), str(log)],
        check=True,
        capture_output=True,
        text=True,
        timeout=CHECK_S,
    )
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def course(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return dict(told["courses"][name])


def called(ringback: Ringback) -> int:
    """How many connections were made for mail."""
    events = map(json.loads, ringback.service.logs().splitlines())
    return sum(one["connections"] for one in events if one["event"] == "called_out")


def test_it_foretells_the_callouts_that_are_made(log: Path, asked: Ringback) -> None:
    told = replay(asked, log)
    always = course(told, "always")

    assert {"taken": 7, "put_off": 0, "refused": 1, "too_late": 0} == told["envelopes"]
    assert called(asked) == always["callouts"] == len({*SENDERS} - UNCALLED)
    assert {"no_such_domain": 1} == always["refused_uncalled"]
    assert 1 == always["said"]["null_sender"]
    assert 5 == always["answered"]
    assert 0 == always["refused_called"]  # nothing is known of the mailboxes


def test_what_ringback_has_learned_is_looked_up_if_wanted(log: Path, asked: Ringback) -> None:
    always = course(replay(asked, log, "--remembered"), "always")

    assert 1 == always["refused_called"]  # the invented one
    assert 2 <= always["answers_from"]["store"]
