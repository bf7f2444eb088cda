"""The pages of the audit."""

from http_fakes import HttpSite
from page_fakes import Browser, fill


async def test_the_audit_is_a_file_for_spreadsheets(site: HttpSite) -> None:
    browser = Browser(site)
    fill(site, "=1+1")
    page = await browser.read("/audit?q=shop.example&since=")
    answer = await browser.open("/audit.csv?q=shop.example&since=")

    assert "/audit.csv?q=shop.example&since=" in page.links
    assert "text/csv; charset=utf-8" == answer.headers["content-type"]
    assert "'=1+1" in answer.text
    assert "ann@shop.example" in answer.text
