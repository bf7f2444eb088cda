"""DNS in virtual time: each question is put once; and a DNS that is made up."""

import asyncio

import pytest

from ringback.lab import kept_dns
from ringback.lab.kept_dns import KeptDns, MadeUpDns
from ringback.lab.outward import Outward
from ringback.rules.networks import forbidden
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType

A, MX, TXT = RecordType.A, RecordType.MX, RecordType.TXT


class Outside:
    """A resolver that takes a round of its loop, and counts."""

    def __init__(self, status: DnsStatus = DnsStatus.OK) -> None:
        self.asked: list[str] = []
        self._status = status

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        self.asked.append(f"{name} {kind}")
        await asyncio.sleep(0)
        return DnsAnswer(name, kind, self._status, texts=("192.0.2.1",))

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None: ...


def ask_all(kept: KeptDns, outward: Outward, *names: str) -> list[DnsAnswer]:
    async def ask() -> list[DnsAnswer]:
        return [await kept.ask(name, A) for name in names]

    return outward.run(ask())


def test_a_question_is_put_once() -> None:
    outside = Outside()
    with Outward() as outward:
        kept = KeptDns(outward, outside)

        assert kept.ask_nowait("shop.example", A) is None
        answers = ask_all(kept, outward, "shop.example", "Shop.Example.", "other.example")

        assert ["shop.example A", "other.example A"] == outside.asked
        assert answers[0] is answers[1] is kept.ask_nowait("SHOP.example", A)
        assert (2, 0) == (kept.asked, kept.failed)


def test_failures_hold_as_well_and_are_counted() -> None:
    outside = Outside(DnsStatus.FAILURE)
    with Outward() as outward:
        kept = KeptDns(outward, outside)
        ask_all(kept, outward, "shop.example", "shop.example")

        assert 1 == len(outside.asked)
        assert (1, 1) == (kept.asked, kept.failed)


def test_what_was_asked_from_outside_is_known_inside() -> None:
    outside = Outside()
    with Outward() as outward:
        kept = KeptDns(outward, outside)

        async def scout() -> None:
            first, second = await asyncio.gather(
                kept.ask("shop.example", A), kept.ask("shop.example", A)
            )
            assert first is second

        outward.outside(scout())
        ask_all(kept, outward, "shop.example")

        assert 1 == kept.asked
        outward.run(kept.close())


def test_answers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_dns, "MAX_KEPT", 2)
    with Outward() as outward:
        kept = KeptDns(outward, Outside())
        ask_all(kept, outward, "a.example", "b.example", "c.example")

        assert kept.ask_nowait("a.example", A) is None
        assert kept.ask_nowait("c.example", A) is not None


async def test_a_made_up_dns_has_each_domain_be_its_own_host() -> None:
    made_up = MadeUpDns()

    mx = await made_up.ask("shop.example", MX)
    address = made_up.ask_nowait("shop.example", RecordType.AAAA)
    other = made_up.ask_nowait("other.example", RecordType.AAAA)

    assert (Mx(0, "shop.example"),) == mx.mx
    assert address == made_up.ask_nowait("shop.example", RecordType.AAAA)
    assert address.texts != other.texts
    assert forbidden(address.texts[0]) is not None  # nobody could be called by mistake
    assert DnsStatus.NODATA is made_up.ask_nowait("shop.example", TXT).status
    assert (0, 0) == (made_up.asked, made_up.failed)
    await made_up.close()
