"""What the tests of the dashboard share: a browser without JavaScript, and somebody who means harm."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx

from door_fakes import NOON
from http_fakes import HttpSite
from ringback.rules.freshness import Entry
from ringback.values.calls import Call
from ringback.values.events import Answered, CalledOut, Decided, Examined, Trouble
from ringback.values.evidence import Exchange, Fault, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.fitness import Aspect, Finding, Fitness, Severity
from ringback.values.query import Purpose, Report
from ringback.values.verdict import Reason

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e'\"" + "x" * 20_000
DAY = 86_400.0
IP = "192.0.2.1"
_BLOCKS = frozenset({"dd", "dt", "li", "p", "td", "th"})


class Reader(HTMLParser):
    """Reads a page as far as tests ask: its elements and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " " if tag in _BLOCKS else ""
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of each element of a kind."""
        found = (given for name, given in self.elements if name == tag)
        return [given for given in found if wanted.items() <= given.items()]

    @property
    def links(self) -> list[str]:
        names = ("href", "src", "action", "data-live")
        return [given[name] for _, given in self.elements for name in names if name in given]


@dataclass
class Browser:
    """Opens pages and sends their forms, with cookies, and without JavaScript."""

    site: HttpSite
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, path: str) -> httpx.Response:
        return self._keep(await self.site.ask("GET", path, headers=self._headers()))

    async def read(self, path: str) -> Reader:
        return Reader((await self.open(path)).text)

    async def seal(self, path: str = "/lookup?address=ann@shop.example") -> str:
        return (await self.read(path)).all("input", name="seal")[0]["value"]

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Send a form with exactly these fields."""
        body = str(httpx.QueryParams(fields)).encode()
        kind = {"content-type": "application/x-www-form-urlencoded", "origin": "http://localhost"}
        headers = {**self._headers(), **kind}
        return self._keep(await self.site.ask("POST", path, content=body, headers=headers))

    def _headers(self) -> dict[str, str]:
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**BROWSER, **({"cookie": kept} if kept else {})}

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self.cookies |= dict(answer.cookies)
        return answer


def said(text: str, code: int | None = 550, host: str = "mx.shop.example") -> Exchange:
    meaning = Meaning.UNKNOWN_USER if code else None
    fault = None if code else Fault.TIMEOUT
    command = "RCPT TO:<ann@shop.example>"
    return Exchange(
        NOON,
        Stage.RCPT,
        1,
        host,
        IP,
        10,
        command=command,
        code=code,
        text=text,
        meaning=meaning,
        fault=fault,
        rule="code 550" if code else "",
    )


def fill(site: HttpSite, text: str) -> None:
    """Let a door have something of everything, with `text` wherever others can write."""
    refusal = said(text)
    store, recent = site.store, site.door.recent
    until = NOON + DAY
    store.save(
        Entry(
            "ann@shop.example",
            Reason.NO_SUCH_MAILBOX,
            True,
            text,
            NOON,
            until,
            because=refusal,
            evidence=(refusal,),
        )
    )
    shown = (refusal,)
    store.save_fact(Fact("shop.example", DomainFact.SELECTIVE, NOON, until, shown))
    store.save_fact(Fact(IP, HostFact.REFUSES_US, NOON, until, shown, strikes=2))
    store.save_fact(Fact(IP, HostFact.GREYLISTS, NOON, until, shown, window_s=300.0))
    pair = f"{IP} shop.example"
    store.save_fact(Fact(pair, HostFact.REFUSES_US, NOON - DAY, until, shown))
    call = Call(
        "1",
        "1",
        NOON,
        "ann@shop.example",
        "shop.example",
        "mx.shop.example",
        IP,
        Purpose.SENDER,
        "198.51.100.7",
        text,
        (text,),
        "rejected",
        (refusal, said(text, None)),
    )
    store.save_call(call)
    report = Report(
        text, Reason.NO_SUCH_MAILBOX, False, NOON, text, because=refusal, gate="spf_fail"
    )
    for event in (
        Decided("policy", "sender", text, text, "550 5.1.1 no", "DUNNO", report, 0.1),
        Answered("http", "sender", "", "", report, 0.1),
        CalledOut(text, "sender", 1, (text,), "no_such_mailbox", text, 1.0, (refusal,)),
        Trouble("store", text, text),
    ):
        recent.hear(event)
    findings = tuple(Finding(Aspect.HELO_NAME, severity, text, text, text) for severity in Severity)
    site.door.metrics.hear(Examined(Fitness(findings), may_call=True))
