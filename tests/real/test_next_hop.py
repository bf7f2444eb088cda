"""A next hop that wants to be known by its certificate, or to know us by a password: a Postfix, and an Exim.

Without a conversation nothing is known of a recipient, and its mail comes back later; nobody is ever refused
for it, and the log says what to mend.
"""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import pytest

from .conftest import Servers
from .servers import exim, postfix
from .servers.certificates import Authority
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with
from .test_exim_asks import AUTHENTICATOR

pytestmark = pytest.mark.real_more

ANSWER_S = 30.0
SENDER = "ann@shop.example"  # of the lab

BY_NAME, EXPIRED, BY_LOGIN = "127.9.1.40", "127.9.1.41", "127.9.1.43"
# It takes mail of those who have logged in, and of nobody else.
STATEMENTS = """
deny !authenticated = *
     message = log in first
"""
ROUTE = '[[recipient.route]]\ndomain = "{domain}"\nhost = "{host}"\n{more}\n'


def ask(address: str, recipient: str) -> str:
    """Ask the policy port as a mail server would; return the action."""
    attributes = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "client_address": "127.7.0.9",
        "sender": SENDER,
        "recipient": recipient,
    }
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), ANSWER_S) as client:
        client.sendall("".join(f"{it}={value}\n" for it, value in attributes.items()).encode())
        client.sendall(b"\n")
        with client.makefile() as answer:
            return answer.readline().strip().removeprefix("action=")


def start(servers: Servers, at: str, routes: Mapping[str, tuple[str, str]]) -> Ringback:
    """Start a Ringback asked at `at`. `routes`: domain → (host, further lines)."""
    lines = [
        ROUTE.format(domain=domain, host=host, more=more) for domain, (host, more) in routes.items()
    ]
    settings = settings_with(policy={"listen": [at]})
    installed = install(servers.home("ringback"), f"{settings}\n{''.join(lines)}")
    servers.running.append(installed.service)
    installed.start()
    return installed


def told(ringback: Ringback, event: str) -> list[Mapping[str, object]]:
    events = [json.loads(line) for line in ringback.service.logs().splitlines()]
    return [it for it in events if it["event"] == event]


@pytest.fixture(scope="module")
def trusted(servers: Servers) -> tuple[Authority, Path]:
    authority = Authority.new()
    return authority, authority.write(servers.home("authority") / "authority.pem")


@pytest.fixture(scope="module")
def by_name(servers: Servers, lab: Program, trusted: tuple[Authority, Path]) -> Ringback:
    """Routes to a Postfix, by the name of its certificate, by another, and by that of an expired one."""
    authority, path = trusted
    box = servers.box("behind", postfix.fetch)
    authority.issue(box.home / "next.pem", "next.tls.test")
    authority.issue(box.home / "expired.pem", "expired.tls.test", expired=True)
    domains = ("right.test", "wrong.test", "expired.test")
    people = ", ".join(f"bob@{domain}=bob" for domain in domains)
    main = {
        "virtual_mailbox_domains": ", ".join(domains),
        "virtual_mailbox_maps": f"inline:{{ {people} }}",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_chain_files": "/srv/next.pem",
    }
    second = f"{EXPIRED}:25 inet n - n - - smtpd -o smtpd_tls_chain_files=/srv/expired.pem\n"
    postfix.start(box, BY_NAME, main, second)
    verified = 'tls = "verified"'
    routes = {
        "right.test": ("next.tls.test", verified),
        "wrong.test": ("other.tls.test", verified),
        "expired.test": ("expired.tls.test", verified),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "SSL_CERT_FILE", str(path))
        return start(servers, "127.0.0.40:10040", routes)


def test_a_host_with_a_valid_certificate_is_asked(by_name: Ringback) -> None:
    known, unknown = (ask("127.0.0.40:10040", f"{it}@right.test") for it in ("bob", "x"))

    assert "DUNNO" == known
    assert unknown.startswith("550 5.1.1 recipient <x@right.test> does not exist"), unknown


@pytest.mark.parametrize(
    ("domain", "why"),
    [("wrong.test", "not valid for 'other.tls.test'"), ("expired.test", "has expired")],
)
def test_a_host_with_another_certificate_is_not_asked_and_mail_comes_back(
    by_name: Ringback, domain: str, why: str
) -> None:
    answers = [ask("127.0.0.40:10040", f"{it}@{domain}") for it in ("bob", "x", "x")]
    troubles = [str(it["what"]) for it in told(by_name, "trouble")]

    assert ["DEFER 4.1.1"] * 3 == [" ".join(it.split()[:2]) for it in answers], answers
    assert any(why in it for it in troubles), troubles


@pytest.fixture(scope="module")
def by_login(servers: Servers, lab: Program) -> Ringback:
    """Routes to an Exim, with its password and with another."""
    people = ("bob@login.test", "bob@mistyped.test")
    box = servers.box("behind", exim.fetch)
    exim.start(box, BY_LOGIN, people, STATEMENTS, AUTHENTICATOR)
    passwords = servers.home("passwords")
    routes = {}
    for domain, password in (("login.test", "secret"), ("mistyped.test", "sceret")):
        path = passwords / domain
        path.write_text(f"{password}\n")
        path.chmod(0o600)
        more = f'username = "gateway"\npassword_file = "{path}"'
        routes[domain] = (BY_LOGIN, more)
    return start(servers, "127.0.0.43:10040", routes)


def test_a_host_that_wants_a_login_is_asked(by_login: Ringback) -> None:
    known, unknown = (ask("127.0.0.43:10040", f"{it}@login.test") for it in ("bob", "x"))

    assert "DUNNO" == known
    assert unknown.startswith("550 5.1.1 recipient <x@login.test> does not exist"), unknown


def test_with_a_wrong_password_mail_comes_back_and_the_log_says_why(by_login: Ringback) -> None:
    people = ("bob", "x", "x", "y")
    answers = [ask("127.0.0.43:10040", f"{it}@mistyped.test") for it in people]
    troubles = [it for it in told(by_login, "trouble") if it["where"] == "route"]

    assert ["DEFER 4.1.1"] * 4 == [" ".join(it.split()[:2]) for it in answers], answers
    assert "password_file" in str(troubles[0]["remedy"])
    assert "secret" not in by_login.service.logs()
    assert "sceret" not in by_login.service.logs()
