"""The application as a whole."""

import sys
from subprocess import run

import pytest
from litestar import get

from http_fakes import HttpSite
from ringback.doors.http.app import make_app


async def test_the_root_is_left_to_pages(site: HttpSite) -> None:
    site.__dict__["app"] = make_app(site.door)
    answer = await site.ask("GET", "/")

    assert (404, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    )


async def test_pages_are_routers_of_their_own(site: HttpSite) -> None:
    @get("/")
    async def page() -> str:
        return "hello"

    site.__dict__["app"] = make_app(site.door, [page])

    assert "hello" == (await site.ask("GET", "/")).text


@pytest.mark.parametrize("path", ["/v1", "/v1/bulk", "/schema", "/docs", "/v1/verify/x"])
async def test_what_is_not_served_is_a_problem(site: HttpSite, path: str) -> None:
    answer = await site.ask("GET", path)

    assert (404, "Not Found") == (answer.status_code, answer.json()["title"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["ringback.doors.cli", "ringback.doors.cli.check", "ringback.doors.http.door"]
)
def test_who_does_not_serve_does_not_load_a_web_server(module: str) -> None:
    heavy = "[name for name in ('litestar', 'uvicorn', 'jinja2') if name in sys.modules]"
    script = f"import sys, {module}; sys.exit(bool({heavy}))"

    assert 0 == run([sys.executable, "-c", script], check=False).returncode
