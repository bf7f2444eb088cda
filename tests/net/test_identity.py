"""Where we call from, where we would call ourselves, and the name that we go by."""

import pytest

from ringback.errors import ConfigError
from ringback.net import identity
from ringback.values.dns import DnsAnswer, DnsStatus, RecordType
from ringback.values.settings import Identity, Settings, Smtp

IP, IP6 = "192.0.2.7", "2001:db8::7"
POINTER = "7.2.0.192.in-addr.arpa"
POINTER6 = "7.0.0.0." + 20 * "0." + "8.b.d.0.1.0.0.2.ip6.arpa"


def dns(**records: str) -> identity.Ask:
    """A DNS of texts by kind and name, as in A_mx.example."""

    async def ask(name: str, kind: RecordType) -> DnsAnswer:
        texts = records.get(f"{kind.name}_{name}", "").split()
        status = DnsStatus.OK if texts else DnsStatus.NXDOMAIN
        return DnsAnswer(name, kind, status, texts=tuple(texts))

    return ask


NAMED = {
    f"PTR_{POINTER}": "liar.example mail.shop.example",
    "A_liar.example": "192.0.2.99",
    "A_mail.shop.example": IP,
}
NAMED6 = {f"PTR_{POINTER6}": "mail.shop.example", "AAAA_mail.shop.example": IP6}
OTHER6 = {f"PTR_{POINTER6}": "other.example", "AAAA_other.example": IP6}


@pytest.mark.parametrize(
    ("given", "records"),
    [
        (Identity(public_addresses=("192.0.2.8", IP)), NAMED),
        (Identity(source_addresses=(IP6,)), NAMED6),
        (Identity(), NAMED),
        (Identity(helo_name="mail.shop.example"), {}),
        (Identity(public_addresses=(IP,), source_addresses=(IP6,)), NAMED | OTHER6),
    ],
    ids=["public", "source", "of the system", "given", "public before source"],
)
async def test_the_name_is_the_one_given_or_the_confirmed_reverse_name(
    given: Identity, records: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "outward_addresses", lambda: (IP,))

    settings = await identity.require_name(Settings(identity=given), dns(**records))

    assert "mail.shop.example" == settings.identity.helo_name


async def test_a_name_that_does_not_lead_back_is_none_of_ours() -> None:
    settings = Settings(identity=Identity(public_addresses=(IP,)))
    liar = dns(**{f"PTR_{POINTER}": "liar.example", "A_liar.example": "192.0.2.99"})

    assert settings == await identity.find_name(settings, liar)
    with pytest.raises(ConfigError, match=r"identity\.helo_name"):
        await identity.require_name(settings, liar)


@pytest.mark.parametrize(
    ("configured", "allowed", "sources"),
    [
        (("192.0.2.9",), ("127.0.0.0/8",), ("192.0.2.9",)),
        ((), ("10.0.0.0/8",), (IP,)),
        ((), ("10.0.0.0/8", "127.25.0.0/16"), ("127.0.0.1",)),
        ((), ("::1/128",), (IP,)),
    ],
)
def test_callouts_come_from_where_they_are_told_or_the_system_chooses(
    configured: tuple[str, ...],
    allowed: tuple[str, ...],
    sources: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "outward_addresses", lambda: (IP,))
    settings = Settings(
        identity=Identity(source_addresses=configured), smtp=Smtp(allowed_networks=allowed)
    )

    assert sources == identity.source_addresses(settings)


@pytest.mark.parametrize(("allowed", "is_own"), [((), True), (("192.0.2.0/24",), False)])
def test_we_do_not_call_ourselves_unless_the_network_is_allowed(
    monkeypatch: pytest.MonkeyPatch, allowed: tuple[str, ...], is_own: bool
) -> None:
    monkeypatch.setattr(identity, "outward_addresses", lambda: (IP,))
    settings = Settings(smtp=Smtp(allowed_networks=allowed))

    own = identity.own_addresses(settings)

    assert is_own is (IP in own)


def test_we_never_call_ourselves_where_we_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "outward_addresses", lambda: (IP,))
    named = Identity(source_addresses=("192.0.2.9",), public_addresses=("192.0.2.10",))
    allowed = Smtp(allowed_networks=("192.0.2.0/24",))

    own = identity.own_addresses(Settings(identity=named, smtp=allowed))

    assert ("192.0.2.9", "192.0.2.10") == own
