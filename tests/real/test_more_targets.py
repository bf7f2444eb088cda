"""More real servers as those who are called: what `ringback check` concludes from their own words."""

import pytest

from .conftest import Servers
from .servers import opensmtpd, sendmail
from .servers.program import Ringback

pytestmark = pytest.mark.real_more


def test_opensmtpd(servers: Servers, ringback: Ringback) -> None:
    box = servers.box("opensmtpd", opensmtpd.fetch)
    listed = ["ann@opensmtpd.test", "postmaster@opensmtpd.test"]
    opensmtpd.start(box, "127.9.0.3", listed, "virtual.opensmtpd.test")
    addresses = [
        "ann@opensmtpd.test",
        "nobody.here@opensmtpd.test",
        "nobody@virtual.opensmtpd.test",
    ]
    found, missing, virtual = ringback.check(*addresses).values()

    assert "deliverable" == found["verdict"]
    assert "undeliverable" == missing["verdict"]
    # "524 5.2.4 Mailing list expansion problem" is what it says of a loop among aliases, too.
    assert virtual["verdict"] in {"undeliverable", "unknown"}


def test_sendmail(servers: Servers, ringback: Ringback) -> None:
    sendmail.start(servers.box("sendmail", sendmail.fetch), "127.9.0.4", "sendmail.test")
    reports = ringback.check("ann@sendmail.test", "nobody.here@sendmail.test")

    assert ["deliverable", "undeliverable"] == [it["verdict"] for it in reports.values()]
