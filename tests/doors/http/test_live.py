"""The stream behind the first page."""

import pytest

from http_fakes import HttpSite
from page_fakes import fill
from ringback.doors.http import live
from ringback.doors.http.live import LASTS_S, Board, encode
from ringback.doors.http.rendering import render
from ringback.doors.recent import Span
from ringback.values.events import Lifecycle


async def test_a_stream_shows_the_state_and_ends_in_time(site: HttpSite) -> None:
    fill(site, "<b>hostile</b>")
    began_at = site.clock.elapsed()
    answer = await site.ask("GET", "/live")
    lines = answer.text.split("\n")

    assert "text/event-stream; charset=utf-8" == answer.headers["content-type"]
    assert "retry: 1000" == lines[0]
    assert "event: now" in lines
    assert "&lt;b&gt;hostile" in answer.text
    assert ": still here" in lines
    assert LASTS_S <= site.clock.elapsed() - began_at < LASTS_S + 2
    assert all(line.startswith(("data: ", "event: ", "retry: ", ":")) for line in lines if line)


async def test_a_state_is_rendered_once_for_all(
    site: HttpSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = []

    def count(template: str, **values: object) -> str:
        rendered.append(template)
        return render(template, **values)

    monkeypatch.setattr("ringback.doors.http.live.render", count)
    board = Board(site.door)
    first = await board.wait_text(Span.HOUR, "")
    other = await board.wait_text(Span.HOUR, "")
    quiet = await board.wait_text(Span.HOUR, first)
    fill(site, "news")
    news = await board.wait_text(Span.HOUR, first)

    assert (first, "") == (other, quiet)
    assert "news" in news
    assert 2 == len(rendered)


async def test_a_reload_has_browsers_come_again(site: HttpSite) -> None:
    events = live._events(site.door, board := Board(site.door), Span.HOUR)
    first, second = await anext(events), await anext(events)
    site.door.recent.hear(Lifecycle("draining", ""))
    rest = [event async for event in events]

    assert ("retry: 1000\n\n", True, []) == (first, second.startswith("event: now\n"), rest)
    assert 0 == board.streams


async def test_streams_are_counted(site: HttpSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MAX_STREAMS", 0)
    answer = await site.ask("GET", "/live")

    assert (503, "60") == (answer.status_code, answer.headers["retry-after"])


def test_an_event_has_as_many_lines_as_its_text() -> None:
    assert "event: now\ndata: a\ndata: \ndata: b\n\n" == encode("now", "a\n\nb")
