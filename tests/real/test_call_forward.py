"""A Postfix gateway, set up as the how-to says, in front of servers that know their recipients.

Nothing that is refused behind is ever taken in front: the queue stays empty, and no bounce is made.
"""

import smtplib
from dataclasses import dataclass

import pytest

from .conftest import Servers
from .servers import dovecot, exim, postfix
from .servers.box import Box
from .servers.howto import postfix_settings, snippet
from .servers.patience import eventually
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

PAGE = "call-forward.md"
LMTP_PORT = 24
SMTP_S = 60.0
SENDER = "ann@shop.example"  # of the lab

# Each question goes to the host behind, so that what is remembered only counts where that gives no answer.
ASK_ALWAYS = {"recipient_deliverable": [0, 3_600], "recipient_undeliverable": [0, 3_600]}

_SERVICES = "lmtp unix - - n - - lmtp\nrelay unix - - n - - smtp\n"


@dataclass(frozen=True, slots=True)
class Front:
    """The gateway at `host`."""

    host: str
    box: Box

    def send(self, recipient: str, sender: str = SENDER) -> tuple[int, str]:
        """Offer one message; return the reply that settled what became of it."""
        with smtplib.SMTP(self.host, timeout=SMTP_S) as client:
            client.ehlo("client.test")
            client.mail(sender)
            code, text = client.rcpt(recipient)
            if code == 250:
                code, text = client.data(b"Subject: test\r\n\r\nHello\r\n")
            return code, text.decode()

    @property
    def queued(self) -> list[str]:
        queue = self.box.home / "queue"
        places = ("maildrop", "incoming", "active", "deferred", "bounce", "defer")
        return [
            str(file) for place in places for file in (queue / place).rglob("*") if file.is_file()
        ]

    def assert_delivered(self) -> None:
        """What was accepted has gone behind, and nothing else was ever taken."""
        logs = eventually(self.box.logs, lambda it: "status=sent" in it, within_s=20)
        assert "status=sent" in logs
        assert not eventually(lambda: self.queued, lambda left: not left, within_s=20)
        self.assert_no_bounce()

    def assert_no_bounce(self) -> None:
        logs = self.box.logs()
        assert "status=bounced" not in logs
        assert "sender non-delivery notification" not in logs


@dataclass(frozen=True, slots=True)
class Site:
    """A Ringback, and gateways that ask it. All of their addresses end in `number`."""

    servers: Servers
    number: int
    domain: str
    transport: str
    helo_name: str = "verify.lab.example"

    def ringback(self, host: str, *more: str) -> Ringback:
        """Start a Ringback that enforces, with the route of the how-to leading to `host`."""
        _, _, lines = snippet(PAGE, "toml").partition("[[recipient.route]]\n")
        lines = lines.replace("example.org", self.domain).replace("10.1.2.3", host)
        settings = settings_with(
            identity={"helo_name": self.helo_name},
            policy={"listen": [f"127.0.0.{self.number}:10040"]},
            socketmap={"listen": [f"127.0.0.{self.number}:10041"]},
            cache=ASK_ALWAYS,
        )
        route = "\n".join(["[[recipient.route]]", lines, *more])
        installed = install(self.servers.home("ringback"), f"{settings}\n{route}\n")
        self.servers.running.append(installed.service)
        installed.start()
        return installed

    def front(self, kind: str = "postfix") -> Front:
        """Start a gateway by the block of `kind` of the how-to."""
        box, host = self.servers.box("front", postfix.fetch), f"127.9.{len(kind)}.{self.number}"
        main = {
            name: value.replace("example.org", self.domain).replace(
                "127.0.0.1:", f"127.0.0.{self.number}:"
            )
            for name, value in postfix_settings(PAGE, kind).items()
        }
        main["transport_maps"] = f"inline:{{ {self.domain}={self.transport} }}"
        fitted = {
            "myhostname": "gateway.test",
            "smtpd_policy_service_retry_delay": "1s",
            "smtpd_policy_service_timeout": "20s",
        }
        postfix.start(box, host, {**main, **fitted}, _SERVICES)
        return Front(host, box)


@pytest.mark.real
def test_postfix_behind_and_then_down(servers: Servers, lab: Program) -> None:
    behind, domain = "127.9.1.30", "post.test"
    box = servers.box("behind", postfix.fetch)
    mailboxes = {
        "virtual_mailbox_domains": domain,
        "virtual_mailbox_maps": f"inline:{{ bob@{domain}=bob, amy@{domain}=amy }}",
    }
    postfix.start(box, behind, mailboxes)
    site = Site(servers, 30, domain, f"relay:[{behind}]")
    site.ringback(behind)
    by_policy, by_table = site.front(), site.front("conf")

    for front, words in ((by_policy, f"<x@{domain}> does not exist"), (by_table, "User unknown")):
        accepted, said = front.send(f"bob@{domain}")
        refused, why = front.send(f"x@{domain}")
        from_nobody, _ = front.send(f"y@{domain}", "")

        assert (250, 550, 550) == (accepted, refused, from_nobody), said + why
        assert "5.1.1" == why.split()[0]
        assert words in why
        front.assert_delivered()
    box.stop()

    for front in (by_policy, by_table):
        known, said = front.send(f"bob@{domain}")
        unknown, why = front.send(f"x@{domain}")
        not_seen, later = front.send(f"amy@{domain}")

        assert (250, 550) == (known, unknown), said + why
        assert not_seen in (450, 451), later
        front.assert_no_bounce()
    assert "4.1.1" == by_policy.send(f"amy@{domain}")[1].split()[0]


@pytest.mark.real
def test_exim_behind(servers: Servers, lab: Program) -> None:
    behind = "127.9.1.32"
    exim.start(servers.box("behind", exim.fetch), behind, ["bob@exim.test"])
    site = Site(servers, 32, "exim.test", f"relay:[{behind}]")
    ringback, front = site.ringback(behind), site.front()

    accepted, said = front.send("bob@exim.test")
    refused, why = front.send("x@exim.test")
    report = ringback.check("bob@exim.test", purpose="recipient")["bob@exim.test"]

    assert (250, 550) == (accepted, refused), said + why
    assert "5.1.1" == why.split()[0]
    assert "deliverable" == report["verdict"]
    front.assert_delivered()


@pytest.mark.real_more
@pytest.mark.parametrize("number", [34, 36], ids=["by TCP", "by its socket"])
def test_dovecot_behind(servers: Servers, lab: Program, number: int) -> None:
    behind, domain = f"127.9.1.{number}", f"dove{number}.test"
    box = servers.box("behind", dovecot.fetch)
    socket = dovecot.start(box, behind, LMTP_PORT, [f"ann@{domain}"])
    site = Site(servers, number, domain, f"lmtp:inet:{behind}:{LMTP_PORT}")
    where = behind if number == 34 else f"unix:{socket}"
    site.ringback(where, 'protocol = "lmtp"', f"port = {LMTP_PORT}")
    front = site.front()

    accepted, said = front.send(f"ann@{domain}")
    refused, why = front.send(f"x@{domain}")

    assert (250, 550) == (accepted, refused), said + why
    assert "5.1.1" == why.split()[0]
    front.assert_delivered()
