"""Mail from every character of the lab through a real Postfix that enforces what Ringback says.

Who is refused, who is told to come back, and that nobody is told so for ever: no honest mail is lost.
"""

import smtplib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ringback.lab.personas import load_personas
from ringback.lab.plan import load_plan, with_personas

from .conftest import Servers
from .servers import postfix
from .servers.patience import eventually
from .servers.program import Program, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real_more

HOST, POLICY_ADDRESS = "127.9.0.50", "127.0.0.1:10040"
RECIPIENT = "you@home.test"
BRIEF = Path(__file__).with_name("brief.toml")
SMTP_S = 60.0
# A mail is let through after one deferral; and attempts within half a minute are one.
LET_THROUGH_S = 90.0
AT_A_TIME = 8

# Whose existing mailbox is rightly refused: it moved, or it is disabled, or the domain takes no mail.
REFUSED = {
    "moved.example": "5.1.7",
    "disabled.example": "5.1.7",
    "nullmx.example": "5.7.27",
    "nosuch.example": "5.1.8",
}
# Whose mailboxes are not those that the lab's plan names.
EXISTS = {"case-minds.example": "Ok"}
# Who must wait first: what they say, or that they say nothing, may be another thing later.
DEFERRED = {
    "greylisting-briefly.example",
    "greylist.example",
    "busy.example",
    "silent.example",
    "broken.example",
}
# Whose word on a mailbox that does not exist is as good as a proof.
KNOWS = {
    "shop.example",
    "weak-refusal.example",  # "Mailbox unavailable", and postmaster is accepted
    "bare-refusal.example",  # no word at all, and postmaster is accepted
    "exchange-online.example",
    "terminal-escapes.example",
    "foreign-words.example",
    "old.example",
}
# And whose word on it is not.
DOES_NOT_SAY = {
    "acceptall.example",
    "nobounce.example",
    "refuses-bounces-553.example",
    "refuses-bounces-at-rcpt.example",
    "blocklisted.example",
    "blocks-us-at-rcpt.example",
    "refuses-us.example",
    "refuses-helo.example",
    "refuses-any.example",
    "refuses-all.example",
    "wants-spf.example",
    "wants-reverse-name.example",
    "wants-auth.example",
    "wrong-class-for-good.example",
    "not-served.example",
    "our-account-disabled.example",
    "cannot-verify.example",
    "web-server.example",
    "refuses-mail-in-flight.example",
}


@pytest.fixture(scope="module")
def lab(servers: Servers) -> Program:
    """An internet where every behaviour that the lab knows has a domain."""
    options = ("--all", "--personas", str(BRIEF), "--port", "25", "--dns-port", "53")
    program = Program(servers.home("lab") / "log", "lab", *options)
    servers.running.append(program)
    program.start("the lab is open")
    return program


@pytest.fixture(scope="module", autouse=True)
def front(servers: Servers, lab: Program) -> None:
    sections: dict[str, dict[str, object]] = {
        # The lab's own DNS leads the name to 127.0.0.1, and we call from another address.
        "identity": {"require_fit": False},
        "smtp": {
            "allowed_networks": ["127.0.0.0/8"],
            "answer_within_s": 2.0,
            "callout_deadline_s": 8.0,
            "stage_timeout_s": 4.0,
        },
        "etiquette": {"call_when": "always", "max_deferrals": 1},
        "policy": {"listen": [POLICY_ADDRESS], "mode": "enforce"},
        # All of this internet is one network, and the client a stranger to it.
        "budget": {"per_host": 1000, "per_domain": 1000, "refused_recipients_per_host": 1000},
    }
    ringback = install(servers.home("ringback"), settings_with(**sections))
    servers.running.append(ringback.service)
    ringback.start()
    main = {
        "virtual_mailbox_domains": "home.test",
        "virtual_mailbox_maps": f"inline:{{ {RECIPIENT}=you }}",
        "smtpd_sender_restrictions": f"check_policy_service inet:{POLICY_ADDRESS}",
        "smtpd_policy_service_timeout": "20s",
    }
    postfix.start(servers.box("postfix", postfix.fetch), HOST, main)


def reply_to(sender: str) -> tuple[int, str]:
    with smtplib.SMTP(HOST, timeout=SMTP_S) as client:
        client.ehlo("client.test")
        client.mail(sender)
        code, text = client.rcpt(RECIPIENT)
        return code, text.decode()


def codes_of(senders: list[str]) -> Mapping[str, int]:
    """Offer a mail from each of `senders`; return the code that each one got."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        replies = pool.map(reply_to, senders)
        return {sender: code for sender, (code, _) in zip(senders, replies, strict=True)}


def everybody() -> list[str]:
    """A mailbox that exists, at each domain of the lab."""
    plan = with_personas(load_plan(), load_personas(BRIEF))
    found = []
    for domain, it in plan.domains.items():
        name = EXISTS.get(domain) or (it.mailboxes or ("ann",))[0]
        found.append(f"{name}@{domain}")
    return found


def test_no_honest_sender_is_refused_and_none_is_deferred_for_ever() -> None:
    senders = everybody()
    first = codes_of(senders)
    waiting = [sender for sender, code in first.items() if code == 450]
    last = eventually(
        lambda: codes_of(waiting), lambda codes: 450 not in codes.values(), LET_THROUGH_S
    )
    refused = {sender for sender, code in {**first, **last}.items() if code not in (250, 450)}

    assert {f"ann@{domain}" for domain in REFUSED} == refused
    assert {f"ann@{domain}" for domain in DEFERRED} <= set(waiting)
    assert {250} == set(last.values()), last


@pytest.mark.parametrize(("domain", "enhanced"), REFUSED.items())
def test_a_refusal_says_what_it_is_about(domain: str, enhanced: str) -> None:
    code, text = reply_to(f"ann@{domain}")

    assert (550, enhanced) == (code, text.split()[0])
    assert f"<ann@{domain}>" in text


def test_an_invented_sender_is_refused_where_there_is_proof_and_only_there() -> None:
    senders = [f"invented@{domain}" for domain in (*KNOWS, *DOES_NOT_SAY)]
    codes = codes_of(senders)

    assert {f"invented@{domain}" for domain in KNOWS} == {
        sender for sender, code in codes.items() if code == 550
    }
    assert {250, 550} == set(codes.values()), codes
