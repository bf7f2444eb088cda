"""The HTTP door opened, with all that belongs to it."""

import httpx

from http_fakes import HttpSite
from page_fakes import BROWSER
from ringback.doors.http.opening import open_at


async def test_pages_and_the_api_are_behind_one_address(site: HttpSite) -> None:
    listener = await open_at(site.door, "127.0.0.1:0")
    try:
        async with httpx.AsyncClient(base_url=f"http://{listener.address}") as client:
            page = await client.get("/", headers=BROWSER)
            asked = await client.post("/v1/verify", json={"address": "ann@shop.example"})
    finally:
        await listener.stop(0.0)

    assert "<h1>Now</h1>" in page.text
    assert "deliverable" == asked.json()["verdict"]
