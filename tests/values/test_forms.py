"""The written forms of settings, each with what passes and what does not."""

import pytest

from ringback.errors import SettingError
from ringback.values import forms
from ringback.values.constraints import Rule, quote
from ringback.values.forms import is_loopback, join_host_port, split_host_port

READ: list[tuple[Rule, str, str]] = [
    (forms.IP, "192.0.2.1", "192.0.2.1"),
    (forms.IP, "2001:DB8:0::1", "2001:db8::1"),
    (forms.NETWORK, "192.0.2.0/24", "192.0.2.0/24"),
    (forms.NETWORK, "192.0.2.1", "192.0.2.1/32"),
    (forms.NETWORK, "2001:DB8::/32", "2001:db8::/32"),
    (forms.NAMESERVER, "192.0.2.53", "192.0.2.53"),
    (forms.NAMESERVER, "192.0.2.53:5353", "192.0.2.53:5353"),
    (forms.NAMESERVER, "2001:db8::53", "2001:db8::53"),
    (forms.NAMESERVER, "[2001:db8::53]", "2001:db8::53"),
    (forms.NAMESERVER, "[2001:db8::53]:53", "[2001:db8::53]:53"),
    (forms.LISTENER, "127.0.0.1:10040", "127.0.0.1:10040"),
    (forms.LISTENER, "127.0.0.1:0", "127.0.0.1:0"),
    (forms.LISTENER, "[::1]:10040", "[::1]:10040"),
    (forms.LISTENER, "127.0.0.1:00025", "127.0.0.1:25"),
    (forms.LISTENER, "[0:0::1]:25", "[::1]:25"),
    (forms.LISTENER, "localhost:10040", "127.0.0.1:10040"),
    (forms.LISTENER, "unix:/run/ringback/policy", "unix:/run/ringback/policy"),
    (forms.LISTENER, "unix://run/.//ringback//./policy", "unix:/run/ringback/policy"),
    (forms.DOMAIN, "Example.ORG.", "example.org"),
    (forms.DOMAIN, "bücher.example", "xn--bcher-kva.example"),
    (forms.DOMAIN, "mail_1.example", "mail_1.example"),
    (forms.ROUTE_HOST, "192.0.2.1", "192.0.2.1"),
    (forms.ROUTE_HOST, "MX.example", "mx.example"),
    (forms.ROUTE_HOST, "mx:Inside.example", "mx:inside.example"),
    (forms.ROUTE_HOST, "unix:/run/dovecot//lmtp", "unix:/run/dovecot/lmtp"),
    (forms.ROUTE_DOMAIN, "Example.org", "example.org"),
    (forms.ROUTE_DOMAIN, ".Example.org", ".example.org"),
    (forms.ROUTE_DOMAIN, "*", "*"),
    (forms.HELO_NAME, "Verify.example.net", "verify.example.net"),
    (forms.HELO_NAME, "[192.0.2.1]", "[192.0.2.1]"),
    (forms.EMAIL, "Ann@Example.ORG", "Ann@example.org"),
    (forms.SENDER, "ann@Example.org", "ann@example.org"),
    (forms.SENDER, "Example.org", "example.org"),
    (forms.SENDER, ".Example.org", ".example.org"),
    (forms.ROUTE_SENDER, "null", "null"),
    (forms.ROUTE_SENDER, "envelope", "envelope"),
    (forms.ROUTE_SENDER, "probe@example.net", "probe@example.net"),
    (forms.PATH, "/etc/ringback/tokens", "/etc/ringback/tokens"),
    (forms.STORE_URL, "memory:", "memory:"),
    (forms.STORE_URL, "sqlite:///var/lib/x.db", "sqlite:///var/lib/x.db"),
    (forms.STORE_URL, "postgresql://host/name", "postgresql://host/name"),
]

REFUSED: list[tuple[Rule, str, str]] = [
    (forms.IP, "192.0.2.256", "is not an IP address"),
    (forms.NETWORK, "192.0.2.0/33", "is not a network"),
    (forms.NETWORK, "192.0.2.1/24", "has bits set beyond its prefix, unlike 192.0.2.0/24"),
    (forms.NAMESERVER, "ns.example", "is not ADDRESS or ADDRESS:PORT"),
    (forms.NAMESERVER, "192.0.2.53:0", "has port 0"),
    (forms.NAMESERVER, "192.0.2.53:", "is not ADDRESS or ADDRESS:PORT"),
    (forms.NAMESERVER, "192.0.2.53:٣", "is not ADDRESS or ADDRESS:PORT"),
    (forms.LISTENER, "127.0.0.1", "has no port"),
    (forms.LISTENER, "127.0.0.1:65536", "is not ADDRESS:PORT"),
    (forms.LISTENER, "mx.example:25", "is not ADDRESS:PORT"),
    (forms.LISTENER, "localhost", "is not ADDRESS:PORT"),
    (forms.LISTENER, "[::1:25", "is not ADDRESS:PORT"),
    (forms.LISTENER, "unix", "is not ADDRESS:PORT"),
    (forms.LISTENER, "unix:run/policy", "is not unix: and an absolute path"),
    (forms.LISTENER, "unix:/run/", "is not unix: and an absolute path"),
    (forms.LISTENER, "unix:/run/.", "is not unix: and an absolute path"),
    (forms.LISTENER, f"unix:/{'x' * 107}", "has a path longer than 107 octets"),
    (forms.DOMAIN, "exa mple.org", "is not a domain: the domain is not a sequence of labels"),
    (forms.DOMAIN, "", "is not a domain: the domain is not a sequence of labels"),
    (forms.DOMAIN, "192.0.2.1", "is an address, not a domain"),
    (forms.DOMAIN, "[192.0.2.1]", "is an address, not a domain"),
    (forms.ROUTE_HOST, "-mx.example", "is not a domain: the domain is not a sequence of labels"),
    (forms.HELO_NAME, "[192.0.2]", "is not an address literal"),
    (forms.EMAIL, "mailto:ann", "is not an e-mail address: no local part and domain around an @"),
    (forms.SENDER, "@", "is not an e-mail address: no local part and domain around an @"),
    (forms.SENDER, "..org", "is not a domain: the domain is not a sequence of labels"),
    (forms.ROUTE_SENDER, "", "is not an e-mail address: no local part and domain around an @"),
    (forms.PATH, "tokens", "is not the absolute path of a file"),
]


@pytest.mark.parametrize(("rule", "written", "read"), READ)
def test_forms_are_read_into_one_spelling(rule: Rule, written: str, read: str) -> None:
    assert read == rule.admit("key", written)
    assert read == rule.admit("key", read)


@pytest.mark.parametrize(("rule", "written", "problem"), REFUSED)
def test_other_forms_are_refused_with_an_example(rule: Rule, written: str, problem: str) -> None:
    with pytest.raises(SettingError) as refused:
        rule.admit("key", written)

    assert f"{quote(written)} {problem}" == refused.value.problem
    assert f"write {rule.wants}" == refused.value.remedy


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("mysql://host/name", '"mysql:…" names no kind of store'),
        ("postgresql://", '"postgresql:…" names no kind of store'),
        ("ringback.db", "it names no kind of store"),
        ("sqlite://ringback.db", '"sqlite:…" does not name a file by its absolute path'),
        ("sqlite:///var/lib/", '"sqlite:…" does not name a file by its absolute path'),
        ("mysql://host\x1b", '"mysql:…" contains a control character'),
        (f"{'x' * 100}://host", f'"{"x" * 79}…" names no kind of store'),
        (5, "5 is not text"),
    ],
)
def test_of_a_refused_place_of_a_store_no_more_than_the_scheme_is_shown(
    written: object, problem: str
) -> None:
    with pytest.raises(SettingError) as refused:
        forms.STORE_URL.admit("url", written)

    assert problem == refused.value.problem


def test_no_store_is_suggested_that_is_still_to_come() -> None:
    assert '"sqlite:///path/to/file" or "memory:"' == forms.STORE_URL.wants


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("192.0.2.1", "192.0.2.1", None),
        ("192.0.2.1:25", "192.0.2.1", 25),
        ("::1", "::1", None),
        ("[::1]:25", "::1", 25),
    ],
)
def test_hosts_and_ports_come_apart_and_together(written: str, host: str, port: int | None) -> None:
    assert (host, port) == split_host_port(written)
    assert written == join_host_port(host, port)


@pytest.mark.parametrize("written", ["", ":25", "192.0.2.1:65536", "::1:x", "mx.example"])
def test_what_is_no_host_and_port_is_a_value_error(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        split_host_port(written)


@pytest.mark.parametrize(
    ("listener", "local"),
    [
        ("127.0.0.1:25", True),
        ("127.9.9.9:25", True),
        ("[::1]:25", True),
        ("unix:/run/ringback/http", True),
        ("0.0.0.0:25", False),
        ("[::]:25", False),
        ("192.0.2.1:25", False),
    ],
)
def test_only_loopback_counts_as_unreachable_from_outside(listener: str, local: bool) -> None:
    assert local is is_loopback(listener)
