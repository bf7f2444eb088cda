"""What the HTTP door answers by."""

from door_fakes import NOON
from http_fakes import TOKENS, WITH_TOKEN, FakeEngine, HttpSite
from ringback.values.events import DoorClosed
from ringback.values.query import Query
from ringback.values.settings import Smtp
from ringback.values.verdict import Reason

ASKED = {"address": "ann@shop.example"}


async def test_a_reload_holds_from_the_next_request_on(site: HttpSite) -> None:
    before = await site.ask("POST", "/v1/verify", ASKED)
    engine = FakeEngine(ann=Reason.NO_SUCH_MAILBOX)
    settings = site.settings.but(smtp=Smtp(answer_within_s=3.0))
    site.door.adopt(engine, settings, {}, TOKENS)
    without = await site.ask("POST", "/v1/verify", ASKED)
    after = await site.ask("POST", "/v1/verify", ASKED, headers=WITH_TOKEN)

    assert ("accepted", 401, "no_such_mailbox") == (
        before.json()["reason"],
        without.status_code,
        after.json()["reason"],
    )
    assert [NOON + 3.0] == [query.answer_by_at for query in engine.queries]


async def test_a_follow_up_asks_the_engine_of_its_moment(site: HttpSite) -> None:
    ask_again, engine = site.door.ask_again, FakeEngine()
    site.door.adopt(engine, site.settings, {}, TOKENS)
    await ask_again(Query("ann@shop.example"))

    assert 1 == len(engine.queries)


def test_of_a_client_that_is_sent_away_all_day_the_log_says_little(site: HttpSite) -> None:
    for number in range(100):
        site.door.tell_sent_away(f"2001:db8::{number:x}", "no token")
    site.door.tell_sent_away("192.0.2.1", "no token")

    told = [event.peer for event in site.events if isinstance(event, DoorClosed)]
    assert (16, "192.0.2.1") == (len(told), told[-1])
