"""Two sites that verify senders through Ringback write to each other, as Postfix sends and receives mail.

Nothing here asks or answers for the test: every question between the two is one that a mail raised.
"""

import json
import re
import smtplib
from dataclasses import dataclass

import pytest

from .conftest import Servers
from .servers import postfix
from .servers.box import Box
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real_more

SMTP_S = 60.0
DELIVERY_S = 60.0
POLICY_PORT = 10_050

MAIN = {
    # Whoever writes from the site itself may write to anybody; its users have their own network.
    "smtpd_recipient_restrictions": "permit_mynetworks, reject_unauth_destination",
    "smtpd_delay_reject": "yes",
    # Mail leaves for real.
    "default_transport": "smtp",
    "smtp_host_lookup": "dns",
    "disable_dns_lookups": "no",
    "inet_protocols": "ipv4",
    "minimal_backoff_time": "2s",
    "maximal_backoff_time": "2s",
    "queue_run_delay": "2s",
    "notify_classes": "",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A Postfix and the Ringback that it asks."""

    domain: str
    host: str
    box: Box
    ringback: Ringback

    def submit(self, sender: str, recipient: str) -> None:
        """Write a mail as one of its users does."""
        with smtplib.SMTP(self.host, timeout=SMTP_S, source_address=(self.host, 0)) as client:
            client.sendmail(sender, [recipient], "Subject: news\r\n\r\nHello\r\n")

    def called(self) -> list[str]:
        """The addresses that its Ringback asked others about."""
        events = map(json.loads, self.ringback.service.logs().splitlines())
        return [event["address"] for event in events if event.get("event") == "called_out"]

    def fate(self, recipient: str, sender: str) -> list[str]:
        """What became of a mail, one word for each attempt: sent, deferred, bounced."""
        logs = self.box.logs()
        fates = []
        for queue_id in re.findall(rf"qmgr\[\d+\]: (\w+): from=<{re.escape(sender)}>", logs):
            mine = rf"{queue_id}: to=<{re.escape(recipient)}>, .*? status=(\w+)"
            fates += re.findall(mine, logs)
        return fates


def open_site(servers: Servers, domain: str, host: str) -> Site:
    policy = f"{host}:{POLICY_PORT}"
    ringback = install(
        servers.home(domain),
        settings_with(
            identity={"helo_name": f"mx.{domain}", "source_addresses": [host]},
            policy={"listen": [policy], "mode": "enforce"},
        ),
    )
    servers.running.append(ringback.service)
    ringback.start()
    box = servers.box("postfix", postfix.fetch)
    postfix.start(
        box,
        host,
        {
            **MAIN,
            "myhostname": f"mx.{domain}",
            "mynetworks": f"{host}/32",
            "smtp_bind_address": host,
            "virtual_mailbox_domains": domain,
            "virtual_mailbox_maps": f"inline:{{ ann@{domain}=ann, postmaster@{domain}=ann }}",
            "smtpd_sender_restrictions": f"permit_mynetworks, check_policy_service inet:{policy}",
        },
    )
    return Site(domain, host, box, ringback)


@pytest.fixture(scope="module")
def sites(servers: Servers, lab: Program) -> tuple[Site, Site]:
    here = open_site(servers, "here.test", "127.9.0.41")
    there = open_site(servers, "there.test", "127.9.0.42")
    return here, there


@pytest.mark.parametrize("turned", [False, True], ids=["there", "and back"])
def test_mail_arrives_at_the_first_attempt(sites: tuple[Site, Site], turned: bool) -> None:
    here, there = reversed(sites) if turned else sites
    sender, recipient = f"ann@{here.domain}", f"ann@{there.domain}"
    here.submit(sender, recipient)
    fates = eventually(lambda: here.fate(recipient, sender), bool, DELIVERY_S)

    assert ["sent"] == fates
    assert [sender] == there.called(), "one question about the sender"


def test_an_invented_sender_is_refused_for_good(sites: tuple[Site, Site]) -> None:
    here, there = sites
    sender, recipient = f"invented@{here.domain}", f"ann@{there.domain}"
    here.submit(sender, recipient)
    fates = eventually(lambda: here.fate(recipient, sender), bool, DELIVERY_S)

    assert ["bounced"] == fates


def test_a_bounce_comes_back_unasked(sites: tuple[Site, Site]) -> None:
    here, there = sites
    before = len(here.called())
    there.submit("", f"ann@{here.domain}")
    fates = eventually(lambda: there.fate(f"ann@{here.domain}", ""), bool, DELIVERY_S)

    assert ["sent"] == fates
    assert before == len(here.called())


def test_nobody_ever_asks_about_the_null_sender(sites: tuple[Site, Site]) -> None:
    questions = [address for site in sites for address in site.called()]

    assert {"ann@here.test", "ann@there.test", "invented@here.test"} >= set(questions)
    assert len(set(questions)) == len(questions), "and about nobody twice"
