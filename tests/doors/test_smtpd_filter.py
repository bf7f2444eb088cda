"""OpenSMTPD on one side, a policy service that does as it is told on the other."""

import asyncio
from collections.abc import Mapping

import pytest

from ringback.doors import smtpd_filter
from ringback.doors.smtpd_filter import SmtpdFilter
from ringback.errors import RemoteProtocolError

CONNECT = "report|0.6|1.0|smtp-in|link-connect|{0}|mail.shop.example|pass|192.0.2.1:9|192.0.2.9:25"
HELO = "report|0.6|1.0|smtp-in|link-identify|{0}|EHLO|client.example"
MAIL = "filter|0.6|1.0|smtp-in|mail-from|{0}|f0|{1}@shop.example"
RCPT = "filter|0.6|1.0|smtp-in|rcpt-to|{0}|f0|you@ours.example"

Answer = str | Exception | asyncio.Event


class FakeService:
    """Gives each local part its action, an error to raise, or an event to wait for."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers
        self.asked: list[Mapping[str, str]] = []

    async def ask(self, attributes: Mapping[str, str], /) -> str:
        self.asked.append(attributes)
        await asyncio.sleep(0)
        answer = self.answers.get(attributes["sender"].partition("@")[0], "DUNNO")
        if isinstance(answer, asyncio.Event):
            await answer.wait()
            return "DUNNO"
        if isinstance(answer, Exception):
            raise answer
        return answer


class FakeStreams:
    """Hands out lines one by one, each after what the one before led to, then the end."""

    def __init__(self, *lines: str, deaf: bool = False) -> None:
        self.lines, self.deaf = list(lines), deaf
        self.written: list[str] = []

    async def read(self) -> bytes:
        for _ in range(20):
            await asyncio.sleep(0)
        return f"{self.lines.pop(0)}\n".encode() if self.lines else b""

    async def write(self, octets: bytes) -> None:
        if self.deaf:
            raise BrokenPipeError
        self.written += octets.decode().splitlines()


def session(name: str, *senders: str) -> list[str]:
    """The lines of one session that writes to one recipient for each sender."""
    asked = [line for it in senders for line in (MAIL.format(name, it), RCPT.format(name))]
    return [CONNECT.format(name), HELO.format(name), *asked]


async def run(streams: FakeStreams, service: FakeService) -> list[str]:
    """Return what was said to the log."""
    said: list[str] = []
    await SmtpdFilter(streams, service, "127.0.0.1:10040", said.append).run()
    return said


async def test_it_asks_as_postfix_would() -> None:
    service = FakeService()
    await run(FakeStreams(*session("a1", "ann")), service)

    assert [
        {
            "request": "smtpd_access_policy",
            "protocol_state": "RCPT",
            "client_address": "192.0.2.1",
            "client_name": "mail.shop.example",
            "helo_name": "client.example",
            "sender": "ann@shop.example",
            "recipient": "you@ours.example",
            "sasl_username": "",
        }
    ] == service.asked


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        ("DUNNO", "proceed"),
        ("550 5.1.7 no such mailbox", "reject|550 5.1.7 no such mailbox"),
        ("DEFER_IF_PERMIT 4.1.7 later", "reject|450 4.1.7 later"),
    ],
)
async def test_actions_are_answers(action: str, answer: str) -> None:
    streams = FakeStreams(*session("a1", "ann"))
    said = await run(streams, FakeService(ann=action))

    assert ["filter-result|a1|f0|proceed", f"filter-result|a1|f0|{answer}"] == streams.written
    assert [] == said


async def test_nobody_waits_for_somebody_else() -> None:
    never = asyncio.Event()
    streams = FakeStreams(*session("a1", "slow"), *session("a2", "ann"))
    await run(streams, FakeService(slow=never, ann="550 5.1.7 no"))

    assert [
        "filter-result|a1|f0|proceed",
        "filter-result|a2|f0|proceed",
        "filter-result|a2|f0|reject|550 5.1.7 no",
    ] == streams.written


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (ConnectionRefusedError(111, "x"), "Connection refused"),
        (TimeoutError("no answer within 12 s"), "no answer within 12 s"),
        (ConnectionResetError(), "ConnectionResetError"),
        (RemoteProtocolError("an answer\nwithout an action"), "an answer without an action"),
        ("nonsense", "an action that is none"),
        (ValueError("oops"), r"a bug in the filter: ValueError('oops')"),
    ],
)
async def test_without_an_answer_mail_passes_and_it_is_said_once(
    trouble: Exception | str, why: str
) -> None:
    streams = FakeStreams(*session("a1", "ann", "ann"), *session("a2", "ann"))
    said = await run(streams, FakeService(ann=trouble))

    assert {"proceed"} == {line.rpartition("|")[2] for line in streams.written}
    assert [
        f"the policy service at 127.0.0.1:10040 gives no answer: {why};"
        " mail passes unasked until it does"
    ] == said


async def test_it_says_when_there_are_answers_again() -> None:
    senders = ("lost", "ann", "lost", "ann", "lost")
    said = await run(FakeStreams(*session("a1", *senders)), FakeService(lost=OSError("gone")))

    assert 2 == len(said), "and not at every other question"
    assert "the policy service at 127.0.0.1:10040 answers again" == said[1]


async def test_a_later_silence_is_said_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtpd_filter, "SILENCE_S", 0.0)
    said = await run(
        FakeStreams(*session("a1", "lost", "ann", "lost")), FakeService(lost=OSError("gone"))
    )

    assert 3 == len(said)


async def test_lines_that_make_no_sense_are_said_once_and_the_others_count() -> None:
    streams = FakeStreams("config|ready", "nonsense", "filter|", *session("a1", "ann"))
    said = await run(streams, FakeService(ann="550 5.1.7 no"))

    assert "register|ready" == streams.written[7]
    assert "filter-result|a1|f0|reject|550 5.1.7 no" == streams.written[-1]
    assert 1 == len(said)
    assert said[0].startswith("OpenSMTPD says what a filter does not understand: ")


async def test_opensmtpd_may_be_gone_by_the_time_of_an_answer() -> None:
    streams = FakeStreams(CONNECT.format("a1"), deaf=True)
    asking = FakeStreams(*session("a1", "ann")[:3])
    with pytest.raises(BrokenPipeError):
        await run(FakeStreams(*session("a1", "ann"), deaf=True), FakeService())
    said = await run(streams, FakeService()) + await run(asking, FakeService())

    assert [] == said
