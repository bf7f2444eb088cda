"""Real servers as those who are called: what `ringback check` concludes from their own words."""

import pytest

from .conftest import Servers
from .servers.program import Ringback

pytestmark = pytest.mark.real


@pytest.fixture(scope="module", autouse=True)
def targets(servers: Servers) -> None:
    servers.postfix(
        "127.9.0.1",
        {
            "virtual_mailbox_domains": "postfix.test",
            "virtual_mailbox_maps": "inline:{ ann@postfix.test=ann, postmaster@postfix.test=ann }",
        },
    )
    servers.exim("127.9.0.2", "ann@exim.test", "postmaster@exim.test")


@pytest.mark.parametrize("domain", ["postfix.test", "exim.test"])
def test_a_mailbox_that_exists_is_found_and_one_that_does_not_is_not(
    ringback: Ringback, domain: str
) -> None:
    reports = ringback.check(f"ann@{domain}", f"nobody.here@{domain}")
    found = [(report["verdict"], report["reason"]) for report in reports.values()]

    assert [("deliverable", "accepted"), ("undeliverable", "no_such_mailbox")] == found
