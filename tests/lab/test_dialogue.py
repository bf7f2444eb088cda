"""What a persona says to which line, without a connection."""

import pytest

from ringback.lab.dialogue import MAX_CONTACTS, Conversation, Memory, encode_reply
from ringback.lab.personas import Persona, load_personas, parse_personas

SHIPPED = load_personas()
NOW = 1_800_000_000.0
START = ("EHLO probe.example", "MAIL FROM:<>")


def made(toml: str) -> Persona:
    return parse_personas(f"[mine]\n{toml}", "mine", SHIPPED)["mine"]


class Talk:
    """One conversation with a persona, each line at the instant `now`."""

    def __init__(
        self,
        persona: str | Persona = "normal",
        memory: Memory | None = None,
        client: str = "127.0.0.1",
    ) -> None:
        chosen = SHIPPED[persona] if isinstance(persona, str) else persona
        mailboxes = {"mx.example": {"ann", "Bob"}, "any.example": {"*"}}
        self.now = NOW
        self.brain = Conversation(chosen, "mx.example", client, mailboxes, memory or Memory())
        self.greeting = self.brain.greet(self.now).octets.decode()

    def say(self, *lines: str, pipelined: bool = False) -> list[str]:
        acts = [self.brain.hear(line, pipelined=pipelined, now=self.now) for line in lines]
        return [act.octets.decode().rstrip() if act else "" for act in acts]

    def codes(self, *lines: str) -> list[int]:
        return [int(reply[:3] or 0) for reply in self.say(*lines)]


def test_a_well_kept_host_knows_its_mailboxes() -> None:
    talk = Talk()

    codes = talk.codes(
        *START,
        "RCPT TO:<ann@mx.example>",
        "rcpt to:<BOB@MX.example>",
        "RCPT TO:<nobody@mx.example>",
        "RCPT TO:<whoever@any.example>",
        "RCPT TO:<postmaster@mx.example>",
        "RCPT TO:<Postmaster>",
        "RCPT TO:<ann@elsewhere.example>",
        "QUIT",
    )

    assert [250, 250, 250, 250, 550, 250, 250, 250, 554, 221] == codes


def test_what_is_offered_stands_in_the_answer_to_ehlo() -> None:
    offered = Talk(made('offers = ["PIPELINING", "SIZE 9"]')).say("EHLO probe.example")
    none = Talk(made("offers = []")).say("EHLO probe.example")

    assert ["250-mx.example\r\n250-PIPELINING\r\n250 SIZE 9"] == offered
    assert ["250 mx.example"] == none


@pytest.mark.parametrize(
    "lines",
    [
        ("MAIL FROM:<>",),
        ("EHLO x.example", "RCPT TO:<ann@mx.example>"),
        ("EHLO x.example", "MAIL FROM:<>", "MAIL FROM:<>"),
        ("EHLO x.example", "MAIL FROM:<>", "DATA"),
        ("EHLO x.example", "MAIL FROM:<>", "RSET", "RCPT TO:<ann@mx.example>"),
        ("EHLO x.example", "MAIL FROM:<>", "EHLO x.example", "RCPT TO:<ann@mx.example>"),
    ],
)
def test_commands_before_their_time_are_refused(lines: tuple[str, ...]) -> None:
    assert 503 == Talk().codes(*lines)[-1]


def test_a_lax_host_minds_no_order() -> None:
    assert [250] == Talk(made("strict = false")).codes("RCPT TO:<ann@mx.example>")


@pytest.mark.parametrize(
    "line",
    [
        "MAIL FROM:ann@shop.example",
        "MAIL FROM:<ann@shop.example> XYZZY=1",
        "MAIL TO <x>",
        "MAIL FROM:<jürgen@shop.example>",
        "EHLO",
    ],
)
def test_arguments_that_make_no_sense_are_refused(line: str) -> None:
    assert 501 == Talk().codes("EHLO probe.example", line)[-1]


def test_parameters_need_an_offer() -> None:
    line = "MAIL FROM:<> SMTPUTF8"

    assert 250 == Talk().codes("EHLO x.example", line)[-1]
    assert 501 == Talk().codes("HELO x.example", line)[-1]
    assert 501 == Talk("ascii_only").codes("EHLO x.example", line)[-1]


def test_addresses_beyond_ascii_need_smtputf8_at_mail() -> None:
    rcpt = "RCPT TO:<jürgen@any.example>"

    assert 250 == Talk().codes("EHLO x.example", "MAIL FROM:<> SMTPUTF8", rcpt)[-1]
    assert 501 == Talk().codes("EHLO x.example", "MAIL FROM:<>", rcpt)[-1]


def test_quoted_local_parts_are_read_whole() -> None:
    reply = Talk().say(*START, 'RCPT TO:<"a> b"@mx.example>')[-1]

    assert '<"a> b"@mx.example>' in reply


def test_unknown_commands_are_answered_as_such() -> None:
    assert [500, 500, 250, 252, 550, 502] == Talk().codes(
        "XYZZY", "", "NOOP", "VRFY <ann@mx.example>", "VRFY x@mx.example", "STARTTLS"
    )


def test_control_characters_are_not_echoed() -> None:
    reply = Talk().say(*START, "RCPT TO:<\x1b[31mred@mx.example>")[-1]

    assert "\x1b" not in reply


def test_a_message_is_taken_and_its_lines_are_no_commands() -> None:
    talk = Talk()

    replies = talk.codes(*START, "RCPT TO:<ann@mx.example>", "DATA", "QUIT", "..", ".", "NOOP")

    assert [250, 250, 250, 354, 0, 0, 250, 250] == replies


def test_a_refusal_at_data_takes_no_message() -> None:
    lines = ("RCPT TO:<nobody@mx.example>", "DATA", "QUIT")

    assert [250, 250, 250, 550, 221] == Talk("refuses_at_data").codes(*START, *lines)


def test_only_the_null_sender_is_refused() -> None:
    codes = Talk("refuses_bounces").codes("EHLO x", "MAIL FROM:<>", "MAIL FROM:<a@b.example>")

    assert [250, 550, 250] == codes


def test_first_contact_waits_until_its_time_is_over() -> None:
    memory, rcpt = Memory(), (*START, "RCPT TO:<ann@mx.example>")
    first = Talk("greylisting", memory)
    too_soon, other, later = (
        Talk("greylisting", memory),
        Talk("greylisting", memory),
        Talk("greylisting", memory),
    )
    stranger = Talk("greylisting", memory, client="127.0.0.2")
    too_soon.now += 299
    other.now = later.now = stranger.now = NOW + 300

    assert 450 == first.codes(*rcpt)[-1]
    assert 450 == too_soon.codes(*rcpt)[-1]
    assert 450 == other.codes(*START, "RCPT TO:<bob@mx.example>")[-1]
    assert 250 == later.codes(*rcpt)[-1]
    assert 450 == stranger.codes(*rcpt)[-1]


def test_first_contacts_remembered_are_bounded() -> None:
    memory = Memory()
    for number in range(MAX_CONTACTS + 5):
        memory.waited_s(("ip", "", str(number)), NOW)

    assert MAX_CONTACTS == len(memory.first_seen_at)
    assert ("ip", "", "0") not in memory.first_seen_at


def test_a_second_recipient_is_one_too_many_in_its_scope() -> None:
    again = ("RSET", "MAIL FROM:<>", "RCPT TO:<bob@mx.example>")
    first = (*START, "RCPT TO:<ann@mx.example>", "RCPT TO:<bob@mx.example>")

    a_session = Talk("one_recipient").codes(*first, *again)
    a_transaction = Talk("one_recipient_a_transaction").codes(*first, *again)

    assert [452, 452] == [a_session[3], a_session[-1]]
    assert [452, 250] == [a_transaction[3], a_transaction[-1]]


def test_harvesters_are_remembered_across_sessions() -> None:
    memory = Memory()
    guess = "RCPT TO:<nobody@mx.example>"

    first = Talk("harvest_guard", memory).codes(*START, guess, guess, guess)
    second = Talk("harvest_guard", memory).say(*START, "RCPT TO:<ann@mx.example>")
    stranger = Talk("harvest_guard", memory, client="127.0.0.9").codes(
        *START, "RCPT TO:<ann@mx.example>"
    )

    assert [550] * 3 == first[2:]
    assert "Too many invalid recipients" in second[-1]
    assert 250 == stranger[-1]


def test_a_host_that_was_busy_once_is_well_the_next_time() -> None:
    memory = Memory()

    assert ["421", "220"] == [Talk("busy_once", memory).greeting[:3] for _ in range(2)]


def test_pipelined_input_may_be_refused() -> None:
    talk = Talk("punishes_pipelining")
    talk.say("EHLO probe.example")

    assert "503" == talk.say("MAIL FROM:<>", pipelined=True)[0][:3]
    assert "250" == talk.say("MAIL FROM:<>")[0][:3]


def test_tls_forgets_what_came_before_it() -> None:
    talk = Talk("tls_required")
    before = talk.say("EHLO probe.example", "MAIL FROM:<>")
    talk.brain.enter_tls()
    after = talk.say("MAIL FROM:<>", "EHLO probe.example", "MAIL FROM:<>")

    assert "STARTTLS" in before[0]
    assert "530" == before[1][:3]
    assert "503" == after[0][:3]
    assert "STARTTLS" not in after[1]
    assert "250" == after[2][:3]


def test_case_matters_where_a_pattern_says_so() -> None:
    codes = Talk("case_minds").codes(*START, "RCPT TO:<Ok@mx.example>", "RCPT TO:<ok@mx.example>")

    assert [250, 550] == codes[2:]


def test_lmtp_has_its_own_greeting() -> None:
    assert [500, 250, 250] == Talk("lmtp").codes("EHLO x", "LHLO x", "MAIL FROM:<>")


def test_raw_bytes_go_out_as_they_are_written() -> None:
    persona = made('rcpt = { raw = "250-one\\r\\n550 \\u00e9" }')
    talk = Talk(persona)
    talk.say(*START)
    act = talk.brain.hear("RCPT TO:<ann@mx.example>", pipelined=False, now=NOW)

    assert act is not None
    assert b"250-one\r\n550 \xe9" == act.octets


@pytest.mark.parametrize(
    ("say", "octets"),
    [
        ("550", b"550\r\n"),
        ("250 one\ntwo", b"250-one\r\n250 two\r\n"),
        ("850 whatever", b"850 whatever\r\n"),
        ("250 grüß", "250 grüß\r\n".encode()),
    ],
)
def test_replies_are_spelled_out(say: str, octets: bytes) -> None:
    assert octets == encode_reply(say)
