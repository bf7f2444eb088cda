"""The files that pages load."""

from http_fakes import TOKENS, HttpSite
from ringback.doors.http.assets import NAMES, path_of


async def test_each_is_served_for_good_under_the_name_of_its_content(site: HttpSite) -> None:
    for name in NAMES:
        answer = await site.ask("GET", path_of(name))

        assert 200 == answer.status_code
        assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
        assert "nosniff" == answer.headers["x-content-type-options"]
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript", "image/"))


async def test_nothing_else_is_served(site: HttpSite) -> None:
    stale = "/static/ringback.000000000000.css"
    paths = (stale, "/static/ringback.css", "/static/vendor/README.md", "/static/..%2fapp.py")

    assert [404] * 4 == [(await site.ask("GET", path)).status_code for path in paths]


async def test_who_has_yet_to_log_in_gets_them(site: HttpSite) -> None:
    site.tokens = TOKENS
    answer = await site.ask("GET", path_of("ringback.css"))

    assert 200 == answer.status_code
