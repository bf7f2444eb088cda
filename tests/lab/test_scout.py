"""What is asked ahead is what the engine asks, which then waits for nothing any more."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from replay_scene import OWN_IP, STRANGER_IP, around, envelope
from ringback.lab.kept_dns import KeptDns
from ringback.lab.lane import Surroundings
from ringback.lab.outward import Outward
from ringback.lab.replay import Replay
from ringback.lab.scout import AT_A_TIME, Scout
from ringback.rules.envelopes import Envelope
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.settings import Settings

RECORDS = {
    ("shop.example", "MX"): (Mx(10, "mx.shop.example"), Mx(20, "mx2.shop.example")),
    ("shop.example", "TXT"): (f"v=spf1 ip4:{OWN_IP} ?all",),
    ("mx.shop.example", "A"): ("62.0.1.1",),
    ("null.example", "MX"): (Mx(0, ""),),
    ("example.com", "A"): ("62.0.0.1",),
}


class Outside:
    """A small DNS on the loop outside; `most` is how many questions it had at a time."""

    def __init__(self) -> None:
        self.under_way = self.most = 0

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        found = RECORDS.get((name, kind.value), ())
        if not found:
            return DnsAnswer(name, kind, DnsStatus.NODATA)
        mx = tuple(one for one in found if isinstance(one, Mx))
        texts = tuple(one for one in found if isinstance(one, str))
        return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, texts=texts)

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None: ...


class Scene:
    def __init__(self, outward: Outward, settings: Settings | None = None) -> None:
        self._outward, self.outside = outward, Outside()
        scene = around(outward.loop, settings=settings)
        self.kept = KeptDns(outward, self.outside)
        self.around: Surroundings = replace(scene, resolver=self.kept)
        self._scout = Scout(scene.settings, self.kept, scene.clock, scene.organisation)

    def look_ahead(self, mail: Sequence[Envelope]) -> int:
        """Return how many questions that took."""
        before = self.kept.asked
        self._outward.outside(self._scout.look_ahead(mail))
        return self.kept.asked - before

    def replay(self, mail: Sequence[Envelope]) -> int:
        before, replay = self.kept.asked, Replay(self.around)

        async def work() -> None:
            for one in mail:
                await replay.meet(one, one.at)
            await replay.close()

        self._outward.run(work())
        return self.kept.asked - before


@pytest.mark.parametrize(
    ("mail", "expected"),
    [
        ([envelope()], 0),
        ([envelope(ip=STRANGER_IP)], 0),
        ([envelope(f"a@[{STRANGER_IP}]")], 0),
        # Where a domain takes no mail: the canary, and the wish of its owner.
        ([envelope("a@null.example")], 1),
        ([envelope("a@nowhere.example", STRANGER_IP)], 2),
    ],
)
def test_the_engine_has_nothing_left_to_ask(mail: Sequence[Envelope], expected: int) -> None:
    with Outward() as outward:
        scene = Scene(outward)
        scene.look_ahead(mail)
        left = scene.replay(mail)

        assert expected == left


def test_who_raises_no_question_has_none_asked() -> None:
    mail = [envelope(""), envelope(login="ann"), envelope("not an address")]
    with Outward() as outward:
        assert 0 == Scene(outward).look_ahead(mail)


def test_block_lists_are_asked_as_configured() -> None:
    with Outward() as outward:
        settings = around(outward.loop).settings
        listed = settings.but(etiquette=settings.etiquette.but(dnsbl=("list.example",)))
        with_lists = Scene(outward, listed).look_ahead([envelope()])
        without = Scene(outward).look_ahead([envelope()])

        assert with_lists > without


def test_each_domain_and_client_is_looked_at_once_and_not_all_at_a_time() -> None:
    mail = [envelope(f"ann@{number}.example") for number in range(3 * AT_A_TIME)]
    with Outward() as outward:
        scene = Scene(outward)
        asked = scene.look_ahead(mail)

        assert asked == scene.look_ahead([*mail, *mail]) + asked
        assert AT_A_TIME <= scene.outside.most <= 2 * AT_A_TIME  # some are asked in pairs
