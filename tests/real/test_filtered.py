"""Mail that a real Postfix has filtered, before its queue and after, is read in its log as one mail each."""

import smtplib
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path
from time import time

import pytest

from ringback.rules.envelopes import Ending, EnvelopeReader
from ringback.wire.maillog import LogReader

from .conftest import Servers
from .servers import postfix
from .servers.patience import eventually

pytestmark = pytest.mark.real

# By where they ask their filter: in the queue, and before it.
QUEUED, PROXIED = "127.9.0.63", "127.9.0.64"
CLIENT = "127.9.0.65"
FILTER, BACK = "127.0.0.1", 10025  # where a filter brings mail back; here there is nothing between
SMTP_S, LOGGED_S = 60.0, 20.0
ANN, BEN = "ann@home.test", "ben@home.test"
SITE = {
    "virtual_mailbox_domains": "home.test",
    "virtual_mailbox_maps": "static:all",
    "content_filter": f"scan:[{FILTER}]:{BACK}",
    "header_checks": "regexp:/srv/header_checks",
}
SERVICES = f"""\
scan unix - - n - 10 smtp
  -o smtp_send_xforward_command=yes
{FILTER}:{BACK} inet n - n - - smtpd
  -o content_filter= -o smtpd_authorized_xforward_hosts={FILTER}
{PROXIED}:25 inet n - n - - smtpd
  -o content_filter= -o smtpd_proxy_filter={FILTER}:{BACK}
"""
GOOD, BAD = b"Subject: Hello\r\n\r\nHello\r\n", b"Subject: You win\r\n\r\nHello\r\n"


def send(host: str, sender: str, recipients: Sequence[str], message: bytes) -> None:
    """Offer one message; some are refused."""
    with smtplib.SMTP(host, timeout=SMTP_S, source_address=(CLIENT, 0)) as client:
        client.ehlo("client.test")
        client.mail(sender)
        for recipient in recipients:
            client.rcpt(recipient)
        client.data(message)


@pytest.fixture(scope="module")
def log(servers: Servers) -> Path:
    """The log of a Postfix that filters in both ways, and refuses what promises too much."""
    box = servers.box("postfix", postfix.fetch)
    (box.home / "header_checks").write_text("/^Subject: You win/ REJECT\n")
    postfix.start(box, QUEUED, SITE, SERVICES)
    for host in (QUEUED, PROXIED):
        send(host, f"two@{host}.example", [ANN, BEN], GOOD)
        send(host, "", [ANN], GOOD)
        send(host, f"bad@{host}.example", [ANN], BAD)
    path = box.home / "log" / "mail.log"
    # The queued ones are removed twice, with what the filter made of them.
    done = eventually(lambda: path.read_text().count(": removed"), lambda it: it >= 6, LOGGED_S)
    assert 6 == done, path.read_text()
    return path


def test_filtered_mail_is_told_once(log: Path) -> None:
    reader, envelopes = LogReader(time(), UTC), EnvelopeReader()
    lines = log.read_bytes().splitlines()
    events = [event for line in lines if (event := reader.read(line))]
    found = [envelope for event in events for envelope in envelopes.take(event)]
    envelopes.close()

    assert {CLIENT} == {one.client.ip for one in found}
    assert not any(envelopes.unread.counts().values())
    assert sorted(
        row
        for host in (QUEUED, PROXIED)
        for row in (
            (f"two@{host}.example", ANN, Ending.TAKEN),
            (f"two@{host}.example", BEN, Ending.TAKEN),
            ("", ANN, Ending.TAKEN),
            (f"bad@{host}.example", ANN, Ending.TOO_LATE),
        )
    ) == sorted((one.sender, one.recipient, one.ending) for one in found)
