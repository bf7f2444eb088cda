"""Domains whose MX is a real server that does not serve them: nothing is known of anybody there."""

import pytest

from .conftest import Servers
from .servers import exim, opensmtpd, postfix, sendmail
from .servers.program import Program, Ringback, install
from .servers.settings import settings_with

pytestmark = pytest.mark.real_more

SERVED = "served.test"
LISTED = [f"ann@{SERVED}", f"postmaster@{SERVED}"]


@pytest.fixture(scope="module", autouse=True)
def strangers(servers: Servers) -> None:
    mailboxes = f"inline:{{ {LISTED[0]}=ann, {LISTED[1]}=ann }}"
    main = {"virtual_mailbox_domains": SERVED, "virtual_mailbox_maps": mailboxes}
    postfix.start(servers.box("postfix", postfix.fetch), "127.9.0.71", main)
    exim.start(servers.box("exim", exim.fetch), "127.9.0.72", LISTED)
    box = servers.box("opensmtpd", opensmtpd.fetch)
    opensmtpd.start(box, "127.9.0.73", LISTED, f"virtual.{SERVED}")
    sendmail.start(servers.box("sendmail", sendmail.fetch), "127.9.0.74", SERVED)


@pytest.fixture(scope="module")
def asker(servers: Servers, lab: Program) -> Ringback:
    return install(servers.home("asker"), settings_with())


# OpenSMTPD has the same words for a mailbox that does not exist: its postmaster tells them apart.
@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("postfix", "domain_not_served"),
        ("exim", "domain_not_served"),
        ("opensmtpd", "refuses_any"),
        ("sendmail", "domain_not_served"),
    ],
)
def test_a_host_that_denies_relaying_says_nothing_of_a_mailbox(
    asker: Ringback, server: str, reason: str
) -> None:
    (report,) = asker.check(f"ann@stray-{server}.test").values()

    assert ("unknown", reason) == (report["verdict"], report["reason"])
