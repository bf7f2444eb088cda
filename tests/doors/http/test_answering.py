"""Pages as answers, and what forms send."""

import pytest

from http_fakes import HttpSite
from page_fakes import BROWSER, Browser
from ringback.doors.http.answering import MENU, go_to, read_pattern
from ringback.doors.http.problems import ProblemError
from ringback.doors.http.sessions import FORM


@pytest.mark.parametrize(("path", "title"), MENU)
async def test_the_menu_knows_where_we_are(site: HttpSite, path: str, title: str) -> None:
    page = await Browser(site).read(path)

    assert [path] == [given["href"] for given in page.all("a", **{"aria-current": "page"})]
    assert title in page.text


async def test_a_form_cookie_is_given_once(site: HttpSite) -> None:
    first = await site.ask("GET", "/", headers=BROWSER)
    kept = {**BROWSER, "cookie": f"{FORM}={first.cookies[FORM]}"}
    second = await site.ask("GET", "/", headers=kept)

    assert "set-cookie" in first.headers
    assert "set-cookie" not in second.headers


def test_a_browser_is_sent_on_within_our_pages() -> None:
    answer = go_to("/cache", q="//evil.example/?&x", forgotten=1)

    assert "/cache?q=%2F%2Fevil.example%2F%3F%26x&forgotten=1" == answer.headers["location"]


def test_a_pattern_is_spelled_as_the_store_does() -> None:
    assert "shop.example" == read_pattern(" Shop.Example ")
    with pytest.raises(ProblemError):
        read_pattern("no domain")
