"""The conversation with one client, with a connection and answers that do as they are told."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import pytest

from door_fakes import AttendedConnection, turns, until
from ringback.doors.policy_session import AtHand, Limits, PolicySession
from ringback.lab.sim import SimLoop, run
from ringback.values.events import DoorClosed, Event, Lifecycle, Trouble
from ringback.values.query import Query
from ringback.wire.policy import PolicyRequest


def asked(*senders: str) -> bytes:
    return b"".join(
        f"request=smtpd_access_policy\nsender={sender}\n\n".encode() for sender in senders
    )


class RealConnection(AttendedConnection):
    """It is lost a moment after it was broken off, as those outside are."""

    def abort(self) -> None:
        asyncio.get_running_loop().call_soon(super().abort)


class FakeAnswer:
    """That of a task."""

    def __init__(self, work: Coroutine[None, None, bytes], heed: Callable[[], None]) -> None:
        self._task = asyncio.create_task(work)
        self._task.add_done_callback(lambda _: heed())

    @property
    def is_there(self) -> bool:
        return self._task.done()

    def octets(self) -> bytes:
        return self._task.result()

    def cancel(self) -> None:
        self._task.cancel()


class FakeAnswers:
    """Echoes the sender: at once if its name begins with "now", never if it is "bug", else when told."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.under_way: list[str] = []

    def queries(self, request: PolicyRequest, /) -> Sequence[Query]:
        return (Query(request.sender),)

    def answer_nowait(self, queries: Sequence[Query], /) -> AtHand | None:
        sender = queries[0].address
        if sender == "bug":
            raise KeyError(sender)
        said = Lifecycle("asked", sender) if sender.startswith("now, and told") else None
        return AtHand(sender.encode(), said) if sender.startswith("now") else None

    def begin(self, queries: Sequence[Query], heed: Callable[[], None], /) -> FakeAnswer:
        return FakeAnswer(self._answer(queries[0].address), heed)

    async def _answer(self, sender: str) -> bytes:
        self.under_way.append(sender)
        try:
            await self.may_answer.wait()
        finally:
            self.under_way.remove(sender)
        if sender == "late bug":
            raise KeyError(sender)
        return sender.encode()


class Bench:
    """One session."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.answers, self.events = FakeAnswers(), list[Event]()
        self.limits = limits or Limits()

    def serve(self, connection: AttendedConnection) -> None:
        PolicySession(connection, self.answers, self.limits, self.events.append)


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_waits_holds_up_what_does_not(bench: Bench) -> None:
    connection = AttendedConnection(asked("now 1", "a", "now 2"), asked("b"))
    serving = asyncio.create_task(connection.served(bench.serve))
    await until(lambda: len(bench.answers.under_way) == 3)

    assert [b"now 1"] == connection.written
    bench.answers.may_answer.set()
    await serving
    assert [b"now 1", b"a", b"now 2", b"b"] == connection.written


async def test_who_takes_no_answers_gets_no_more(bench: Bench) -> None:
    connection = AttendedConnection(silent_at_end=True)
    bench.serve(connection)
    connection.arrive(asked("a"))
    connection.has_room = False
    connection.arrive(asked("now 1"))
    bench.answers.may_answer.set()
    await turns()

    assert ([], 1) == (connection.written, connection.reads)
    connection.make_room()
    assert [b"a", b"now 1"] == connection.written


async def test_one_client_with_much_to_ask_lets_others_have_their_turn(bench: Bench) -> None:
    connection = AttendedConnection(silent_at_end=True)
    bench.serve(connection)
    connection.arrive(asked(*["now"] * 40))

    assert ([b"now" * 16], 1) == (connection.written, connection.times_in_line)
    await turns()
    assert ([b"now" * 16, b"now" * 16, b"now" * 8], 2) == (
        connection.written,
        connection.times_in_line,
    )


async def test_what_must_be_worked_out_is_begun_one_at_a_turn(bench: Bench) -> None:
    connection = AttendedConnection(silent_at_end=True)
    bench.serve(connection)
    connection.arrive(asked("now", "a", "b", "c"))
    begun = list[int]()
    for _ in range(3):
        await asyncio.sleep(0)
        begun.append(len(bench.answers.under_way))
    bench.answers.may_answer.set()
    await turns()

    assert ([1, 2, 3], 2) == (begun, connection.times_in_line)
    assert [b"now", b"a", b"b", b"c"] == connection.written


async def test_with_the_connection_all_is_lost_that_was_worked_out_for_it(bench: Bench) -> None:
    connection = AttendedConnection(silent_at_end=True)
    bench.serve(connection)
    connection.arrive(asked("a", "b"))
    await turns()
    connection.lose()
    await turns()

    assert [] == bench.answers.under_way
    assert [] == bench.events


async def test_whoever_ends_an_answer_ends_the_connection(bench: Bench) -> None:
    connection = AttendedConnection(silent_at_end=True)
    before = asyncio.all_tasks()
    bench.serve(connection)
    connection.arrive(asked("a"))
    await turns()
    for task in asyncio.all_tasks() - before:
        task.cancel()
    await turns()

    assert connection.is_lost
    assert [] == bench.events


@pytest.mark.parametrize("sender", ["bug", "late bug"])
async def test_a_bug_is_told_and_costs_one_connection(bench: Bench, sender: str) -> None:
    connection = AttendedConnection(asked(sender), silent_at_end=True)
    bench.answers.may_answer.set()
    await connection.served(bench.serve)

    assert connection.is_lost
    (event,) = bench.events
    assert isinstance(event, Trouble)
    assert f"KeyError('{sender}')" == event.what


async def test_a_bug_has_nothing_taken_up_that_was_read_before() -> None:
    bench = Bench(Limits(in_flight=2))
    connection = RealConnection(silent_at_end=True)
    bench.serve(connection)
    connection.arrive(asked("a", "b", "bug", "bug", "late"))
    await turns()
    bench.answers.may_answer.set()
    await turns()

    assert connection.is_lost
    assert [b"a", b"b"] == connection.written
    assert 1 == len(bench.events)


async def test_a_deaf_client_is_let_go(bench: Bench) -> None:
    connection = AttendedConnection(asked("now"), silent_at_end=True, deaf=True)
    await connection.served(bench.serve)

    assert connection.is_lost
    assert [] == bench.events


async def test_silence_while_it_is_our_turn_is_no_silence() -> None:
    bench = Bench(Limits(idle_s=0.001, half_request_s=0.002))
    connection = AttendedConnection(asked("a"), silent_at_end=True)
    serving = asyncio.create_task(connection.served(bench.serve))
    await turns()
    patient = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.01, patient.set_result, None)
    await patient

    assert not serving.done()
    bench.answers.may_answer.set()
    await serving
    assert [b"a"] == connection.written


async def test_a_part_of_a_request_has_its_time_from_where_the_last_was_whole() -> None:
    bench = Bench(Limits(half_request_s=0.005))
    connection = AttendedConnection(silent_at_end=True)
    serving = asyncio.create_task(connection.served(bench.serve))
    await asyncio.sleep(0)
    connection.arrive(b"request=")
    connection.arrive(asked("now")[8:] + b"req")
    connection.arrive(b"uest=")
    await serving

    assert [b"now"] == connection.written
    why = "a request that is not whole after 0.005 s"
    assert [DoorClosed("policy", connection.peer, why)] == bench.events


async def test_a_part_that_came_before_our_turn_has_its_time_after_it() -> None:
    bench = Bench(Limits(half_request_s=0.005))
    connection = AttendedConnection(silent_at_end=True)
    bench.serve(connection)
    senders = [f"s{number}" for number in range(16)]
    connection.arrive(b"request=")  # a timer is set, and goes off while we do not read
    connection.arrive(asked(*senders)[8:] + b"request=")
    connection.arrive(b"smtpd_access_policy\nsender=last\n\n")
    gone_off = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.02, gone_off.set_result, None)
    await gone_off
    bench.answers.may_answer.set()
    await turns()

    assert [] == bench.events
    assert [sender.encode() for sender in (*senders, "last")] == connection.written


class TimedConnection(AttendedConnection):
    """It notes each time that it is closed, and does not mind."""

    def __init__(self) -> None:
        super().__init__(silent_at_end=True)
        self.closed_at: list[float] = []

    def close(self) -> None:
        self.closed_at.append(asyncio.get_running_loop().time())
        super().close()


Work = Callable[[Bench, TimedConnection], Coroutine[None, None, None]]


def in_time(work: Work, limits: Limits | None = None) -> TimedConnection:
    """Do it with one session, where time jumps and begins at 0; return the connection a day later."""

    async def served() -> TimedConnection:
        bench, connection = Bench(limits), TimedConnection()
        bench.serve(connection)
        await work(bench, connection)
        await asyncio.sleep(86_400)
        return connection

    return run(SimLoop(), served())


def test_who_waits_longer_than_he_may_be_silent_has_all_that_time_when_he_has_his_answer() -> None:
    async def work(bench: Bench, connection: TimedConnection) -> None:
        connection.arrive(asked("a"))
        await asyncio.sleep(1_000)
        bench.answers.may_answer.set()
        await asyncio.sleep(850)
        connection.arrive(asked("now"))

    connection = in_time(work, Limits(idle_s=900.0))

    assert [b"a", b"now"] == connection.written
    assert [1_000.0 + 850 + 900] == connection.closed_at


def test_who_has_asked_more_than_he_takes_answers_for_is_not_silent() -> None:
    async def work(_: Bench, connection: TimedConnection) -> None:
        connection.arrive(asked(*["now"] * 17))
        connection.has_room = False
        await asyncio.sleep(1_000)
        connection.make_room()

    connection = in_time(work, Limits(idle_s=900.0))

    assert [b"now" * 16, b"now"] == connection.written
    assert [1_800.0] == connection.closed_at


def test_who_has_ended_his_input_is_looked_at_no_more() -> None:
    async def work(_: Bench, connection: TimedConnection) -> None:
        connection.arrive(b"requ")
        connection.arrive(asked("now")[4:])
        connection.arrive(b"req")
        connection.arrive(asked("now")[3:])
        connection.end()

    connection = in_time(work)

    assert [b"now", b"now"] == connection.written
    assert [0.0] == connection.closed_at


def test_whose_connection_is_lost_is_looked_at_no_more() -> None:
    async def work(_: Bench, connection: TimedConnection) -> None:
        connection.arrive(asked("now"))
        connection.lose()

    assert [0.0] == in_time(work).closed_at


class InRound(RealConnection):
    """It is one of those whose turn it is, until the round ends."""

    def __init__(self, *others: "InRound") -> None:
        super().__init__(silent_at_end=True)
        self._at_end: list[Callable[[], None]] = others[0]._at_end if others else []
        self.bug: Exception | None = None  # in writing

    def write_nowait(self, octets: bytes, /) -> None:
        if self.bug:
            raise self.bug
        super().write_nowait(octets)

    def at_end_of_round(self, act: Callable[[], None], /) -> None:
        self._at_end.append(act)

    def end_round(self) -> None:
        for act in self._at_end:  # and for what they add
            act()


TOLD = Lifecycle("asked", "now, and told")


async def test_what_is_at_hand_leaves_at_the_end_of_the_round_and_is_told_of_then(
    bench: Bench,
) -> None:
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now", "now, and told"))
    before = connection.written.copy(), bench.events.copy()
    connection.end_round()

    assert ([], []) == before
    assert ([b"nownow, and told"], [TOLD]) == (connection.written, bench.events)


async def test_it_is_told_of_when_its_client_has_heard_it(bench: Bench) -> None:
    heard: list[list[bytes]] = []
    connection = AttendedConnection(silent_at_end=True)
    PolicySession(
        connection, bench.answers, bench.limits, lambda _: heard.append(connection.written.copy())
    )
    connection.arrive(asked("now, and told"))

    assert [[b"now, and told"]] == heard


@pytest.mark.parametrize("lost", [True, False])
async def test_it_is_told_of_also_where_nobody_hears_it(bench: Bench, lost: bool) -> None:
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now, and told"))
    if lost:
        connection.lose()
    connection.deaf = True
    connection.end_round()
    await turns()

    assert connection.is_lost
    assert ([], [TOLD]) == (connection.written, bench.events)


async def test_who_ends_his_input_has_his_answer_before_we_close(bench: Bench) -> None:
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now"))
    connection.end()
    closed_before = connection.is_closed
    connection.end_round()

    assert (False, True) == (closed_before, connection.is_closed)
    assert [b"now"] == connection.written


async def test_all_who_ask_in_one_round_have_their_answers_before_any_is_told_of(
    bench: Bench,
) -> None:
    first = InRound()
    both, heard = (first, InRound(first)), list[list[list[bytes]]]()
    for connection in both:
        PolicySession(
            connection,
            bench.answers,
            bench.limits,
            lambda _: heard.append([it.written.copy() for it in both]),
        )
        connection.arrive(asked("now, and told"))
    first.end_round()

    assert [[[b"now, and told"]] * 2] * 2 == heard


async def test_what_was_waited_for_comes_after_what_was_at_hand_before(bench: Bench) -> None:
    bench.limits = Limits(in_flight=2)
    bench.answers.may_answer.set()
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now 1", "a"))
    connection.arrive(asked("b", "c"))
    connection.end()
    await turns()
    before = connection.written.copy()
    connection.end_round()
    await turns()

    assert [] == before
    assert [b"now 1", b"a", b"b", b"c"] == connection.written
    assert connection.is_closed


async def test_a_bug_in_writing_is_told_and_costs_one_connection(bench: Bench) -> None:
    broken = InRound()
    well = InRound(broken)
    broken.bug = KeyError("a bug")
    for connection in (broken, well):
        bench.serve(connection)
        connection.arrive(asked("now, and told"))
    broken.end_round()
    await turns()
    bugs = [event.what for event in bench.events if isinstance(event, Trouble)]

    assert (True, False) == (broken.is_lost, well.is_lost)
    assert ([b"now, and told"], ["KeyError('a bug')"]) == (well.written, bugs)
    assert [TOLD] * 2 == [event for event in bench.events if event == TOLD]


async def test_a_bug_costs_no_answer_that_was_worked_out_before(bench: Bench) -> None:
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now, and told", "bug", "now"))
    connection.end_round()
    await turns()

    assert connection.is_lost
    assert [b"now, and told"] == connection.written
    assert [Trouble, Lifecycle] == [type(event) for event in bench.events]


async def test_who_is_sent_away_is_told_of_after_his_answers(bench: Bench) -> None:
    connection = InRound()
    bench.serve(connection)
    connection.arrive(asked("now, and told") + b"no request\n\n")
    connection.end_round()

    assert connection.is_closed
    assert [b"now, and told"] == connection.written
    assert [Lifecycle, DoorClosed] == [type(event) for event in bench.events]
