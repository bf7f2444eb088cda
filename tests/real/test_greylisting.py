"""A Postfix that greylists with postgrey, really waited out: asked again, and only when it is time."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from .conftest import Servers
from .servers import postfix, postgrey
from .servers.box import Box
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real_more

POSTGREY = "127.9.0.30"
PORT = 10_023
# The real thing has 300 s and 360 s; what counts is that the second is a little longer.
DELAY_S = 3
RECHECK_S = 4.0
PATIENCE_S = 120.0

ASKS_POSTGREY = f"check_policy_service inet:{POSTGREY}:{PORT}"
# As the manuals have it: who does not exist is refused first, and only then is anybody kept waiting.
FIRST_WHO_THEN_WHEN = f"reject_unauth_destination, reject_unlisted_recipient, {ASKS_POSTGREY}"
# As many sites have it: everybody waits, those included who do not exist.
EVERYBODY_WAITS = f"reject_unauth_destination, {ASKS_POSTGREY}"


@pytest.fixture(scope="module", autouse=True)
def greylister(servers: Servers) -> None:
    postgrey.start(servers.box("postgrey", postgrey.fetch), f"{POSTGREY}:{PORT}", DELAY_S)


# Two hosts, or postgrey would know by the second test who asks.
TARGETS = {
    "first.test": ("127.9.0.31", FIRST_WHO_THEN_WHEN),
    "everybody.test": ("127.9.0.32", EVERYBODY_WAITS),
}


@pytest.fixture(scope="module")
def targets(servers: Servers) -> Mapping[str, Box]:
    """The Postfix that receives mail, for each domain."""
    boxes = {domain: servers.box("postfix", postfix.fetch) for domain in TARGETS}
    for domain, (host, restrictions) in TARGETS.items():
        main = {
            "virtual_mailbox_domains": domain,
            "virtual_mailbox_maps": f"inline:{{ ann@{domain}=ann, postmaster@{domain}=ann }}",
            "smtpd_recipient_restrictions": restrictions,
        }
        postfix.start(boxes[domain], host, main)
    return boxes


@pytest.fixture
def asker(servers: Servers, lab: Program) -> Ringback:
    etiquette = {"recheck_after_s": [RECHECK_S] * 3}
    return install(servers.home("asker"), settings_with(etiquette=etiquette))


def test_greylisted_addresses_are_asked_again_when_it_is_time_and_then_accepted(
    targets: Mapping[str, Box], asker: Ringback
) -> None:
    addresses = [f"ann@{domain}" for domain in targets]
    first = asker.check(*addresses)
    last = eventually(
        lambda: asker.check(*addresses),
        lambda reports: all(it["verdict"] != "unknown" for it in reports.values()),
        PATIENCE_S,
    )

    assert [("unknown", "greylisted")] * 2 == [verdict(it) for it in first.values()]
    assert all(elapsed(it["checked_at"], it["retry_at"]) >= RECHECK_S for it in first.values())
    assert [("deliverable", "accepted")] * 2 == [verdict(it) for it in last.values()]
    assert all(
        elapsed(first[address]["retry_at"], last[address]["checked_at"]) >= 0
        for address in addresses
    ), "not before its time"


def test_every_attempt_has_the_same_source_and_the_same_envelope(
    targets: Mapping[str, Box],
) -> None:
    logs = "".join(box.logs() for box in targets.values())
    asked = re.findall(r"reject: RCPT from (\S+): 450 .*? from=<(.*?)> to", logs)

    assert {("verify.lab.example[127.8.0.1]", "")} == set(asked)


def verdict(report: Mapping[str, Any]) -> tuple[str, str]:
    return report["verdict"], report["reason"]


def elapsed(start: str, end: str) -> float:
    """Seconds between two instants of a report."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
