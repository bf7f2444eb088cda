"""SMTP replies, however they arrive."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RemoteProtocolError
from ringback.wire import reply as reply_module
from ringback.wire.reply import MAX_REPLY_BYTES, Reply, ReplyReader, parse_reply

DIALOGUE = (
    b"220 mx.example ESMTP\r\n"
    b"250-mx.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n"
    b"250 2.1.0 Ok\r\n"
    b"550-5.1.1 The account does not exist.\r\n550 5.1.1 Try another.\r\n"
    b"221\r\n"
)
REPLIES = [
    Reply(220, ("mx.example ESMTP",)),
    Reply(250, ("mx.example", "PIPELINING", "STARTTLS")),
    Reply(250, ("Ok",), "2.1.0"),
    Reply(550, ("The account does not exist.", "Try another."), "5.1.1"),
    Reply(221, ("",)),
]


def read(pieces: list[bytes]) -> tuple[list[Reply], str]:
    """Feed the pieces; return the replies, and the error that ended it, or ""."""
    reader, replies = ReplyReader(), list[Reply]()
    try:
        for piece in [*pieces, b""]:
            replies += reader.feed(piece)
    except RemoteProtocolError as error:
        return replies, str(error)
    return replies, ""


def octets(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def test_replies_do_not_depend_on_how_the_bytes_arrive() -> None:
    assert read([DIALOGUE]) == (REPLIES, "")
    assert read(octets(DIALOGUE)) == (REPLIES, "")
    assert read(DIALOGUE.splitlines(keepends=True)) == (REPLIES, "")


def test_a_line_may_end_in_a_bare_newline() -> None:
    assert read([DIALOGUE.replace(b"\r\n", b"\n")]) == (REPLIES, "")


def test_trailing_octets_wait_for_the_rest_of_their_line() -> None:
    reader = ReplyReader()

    assert reader.feed(b"250 2.1.0 Ok\r\n550 5.1") == [Reply(250, ("Ok",), "2.1.0")]
    assert not reader.idle
    assert reader.feed(b".1 no\r\n") == [Reply(550, ("no",), "5.1.1")]
    assert reader.idle


def test_the_reader_is_not_idle_within_a_reply() -> None:
    reader = ReplyReader()

    assert reader.idle
    assert reader.feed(b"250-mx.example\r\n") == []
    assert not reader.idle


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 400 Bad Request",
        b"850 whatever",
        b"150 about to",
        b"25 short",
        b"2500 long",
        b"250_mx.example",
        b"250\tmx.example",
        b" 250 mx.example",
        b"\xb2\xb50 digits of another kind",
        b"",
        b"\r",
    ],
)
def test_what_is_no_reply_line(line: bytes) -> None:
    assert read([line + b"\r\n"]) == ([], "not an SMTP reply line")
    assert read(octets(line + b"\r\n")) == ([], "not an SMTP reply line")


@pytest.mark.parametrize("second", [b"550 two\r\n", b"251 two\r\n", b"251-two\r\n"])
def test_a_code_may_not_change_within_a_reply(second: bytes) -> None:
    expected: tuple[list[Reply], str] = ([], "reply code changed within one reply")

    assert read([b"250-one\r\n" + second]) == expected
    assert read(octets(b"250-one\r\n" + second)) == expected


def test_a_good_reply_before_garbage_is_handed_out_first() -> None:
    reader = ReplyReader()

    assert reader.feed(b"550 5.1.1 no\r\ngarbage\r\n250 Ok\r\n") == [Reply(550, ("no",), "5.1.1")]
    assert str(reader.broken) == "not an SMTP reply line"
    assert not reader.idle
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="not an SMTP reply line"):
            reader.feed(b"250 Ok\r\n")


def test_whole_and_trickled_garbage_end_alike() -> None:
    stream = b"250 Ok\r\ngarbage\r\n250 Ok\r\n"

    assert (
        read([stream]) == read(octets(stream)) == ([Reply(250, ("Ok",))], "not an SMTP reply line")
    )


@pytest.mark.parametrize(
    "stream",
    [
        b"250 " + b"x" * MAX_REPLY_BYTES + b"\r\n",
        b"250-" + b"x" * 996 + b"\r\n" + b"250-" * 1 + b"y" * MAX_REPLY_BYTES,
        b"250-x\r\n" * (MAX_REPLY_BYTES // 6 + 1) + b"250 x\r\n",
        b"x" * (MAX_REPLY_BYTES + 1),
    ],
    ids=["one line", "second line", "many lines", "no line"],
)
def test_a_reply_too_long_is_refused_whole_and_trickled(stream: bytes) -> None:
    expected: tuple[list[Reply], str] = ([], f"reply exceeds {MAX_REPLY_BYTES} bytes")

    assert read([stream]) == expected
    assert read(octets(stream)) == expected


def test_the_longest_reply_is_read_and_the_limit_is_of_each_reply() -> None:
    longest = b"250 " + b"x" * (MAX_REPLY_BYTES - 5) + b"\r\n"

    assert read([longest * 3])[1] == ""
    assert len(read(octets(longest) * 2)[0]) == 2


@pytest.mark.parametrize("length", [600, 4_000])
def test_long_lines_of_real_servers_are_read(length: int) -> None:
    assert read([b"550 " + b"x" * length + b"\r\n"]) == ([Reply(550, ("x" * length,))], "")


def test_two_hundred_continuation_lines_are_read() -> None:
    (reply,), _ = read([b"250-x\r\n" * 200 + b"250 y\r\n"])

    assert reply.lines == ("x",) * 200 + ("y",)


def test_a_trickled_reply_costs_one_look_at_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: what a hostile host can make us do grows with what it sends."""
    looked_at: list[int] = []

    class Counting:
        def match(self, lines: bytes, at: int) -> object:
            looked_at.append(len(lines) - at)
            return pattern.match(lines, at)

    pattern = reply_module._LINES
    monkeypatch.setattr(reply_module, "_LINES", Counting())
    stream = b"250-x\r\n" * 2_000

    read(octets(stream))

    assert len(looked_at) == 2_000
    assert sum(looked_at) <= len(stream)


def test_lines_that_come_together_are_looked_at_together(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    class Counting:
        def match(self, lines: bytes, at: int) -> object:
            looks.append(at)
            return pattern.match(lines, at)

    pattern = reply_module._LINES
    monkeypatch.setattr(reply_module, "_LINES", Counting())

    read([b"250-x\r\n" * 2_000, b"250-x\r\n" * 2_000 + b"250 x\r\n"])

    assert 3 == len(looks)


def test_words_that_are_said_often_are_read_once_and_long_ones_not_kept() -> None:
    short, long = b"250 2.1.0 Ok\r\n", b"250 " + b"x" * reply_module.MAX_REMEMBERED_BYTES + b"\r\n"
    (once,), (again,) = (read([short])[0] for _ in range(2))
    (one,), (another,) = (read([long])[0] for _ in range(2))

    assert once is again
    assert (one, False) == (another, one is another)


def test_what_is_no_whole_reply_is_the_same_each_time() -> None:
    for octets in (b"250 Ok\r\n25", b"250-Ok\r\n", b"250 Ok\r\n850 what\r\n", b"what\r\n"):
        first, second = (read([octets]) for _ in range(2))

        assert first == second


@pytest.mark.parametrize(
    ("line", "enhanced", "text"),
    [
        ("550 5.1.1 no", "5.1.1", "no"),
        ("550 5.1.1", "5.1.1", ""),
        ("550 5.123.456 no", "5.123.456", "no"),
        ("550 5.1.1: no", None, "5.1.1: no"),
        ("550 no 5.1.1", None, "no 5.1.1"),
        ("550 #5.1.1 no", None, "#5.1.1 no"),
        ("550 5.1 no", None, "5.1 no"),
        ("550 5.1.1234 no", None, "5.1.1234 no"),
        ("550 3.1.1 no", None, "3.1.1 no"),
        ("550 192.0.2.1 is listed", None, "192.0.2.1 is listed"),
        ("550  5.1.1 no", None, " 5.1.1 no"),
    ],
)
def test_an_enhanced_code_stands_at_the_start(line: str, enhanced: str | None, text: str) -> None:
    reply = parse_reply(line)

    assert (reply.enhanced, reply.text) == (enhanced, text)


def test_an_enhanced_code_may_be_missing_on_a_line() -> None:
    first = parse_reply("550-5.1.1 no such user\n550 see our page")
    last = parse_reply("550-no such user\n550 5.1.1 see our page")

    assert first == Reply(550, ("no such user", "see our page"), "5.1.1")
    assert last == first


@pytest.mark.parametrize(
    ("line", "contradicts"),
    [
        ("550 5.1.1 no", False),
        ("450 4.1.1 no", False),
        ("250 2.1.5 yes", False),
        ("550 no", False),
        ("550 4.2.1 no", True),
        ("450 5.1.1 no", True),
        ("250 5.1.1 yes", True),
    ],
)
def test_a_contradiction_is_kept_and_known(line: str, contradicts: bool) -> None:
    assert parse_reply(line).contradicts_itself is contradicts


def test_octets_that_are_no_utf8_are_shown_as_such() -> None:
    (reply,), _ = read([b"550 Empf\xe4nger \xfcnbekannt\r\n"])

    assert reply.text == r"Empf\xe4nger \xfcnbekannt"


@given(
    st.lists(st.sampled_from([b"x", b"\xe2", b"\x82", b"\xac", b"\xed\xa0\x80", b"\xf5", b"\xff"]))
)
def test_each_such_octet_is_shown_as_python_shows_it(pieces: list[bytes]) -> None:
    said = b"x" + b"".join(pieces)
    (reply,), _ = read([b"550 " + said + b"\r\n"])

    assert said.decode("utf-8", "backslashreplace") == reply.text


def test_control_characters_stay_within_their_line() -> None:
    (reply,), _ = read([b"550 \x1b[31mred\rCR\x00\r\n"])

    assert reply.lines == ("\x1b[31mred\rCR\x00",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no reply",
        "250-unfinished",
        "250 one\n250 two",
        "250-one\n550 two",
        "850 x",
        "250 \ud800",
    ],
)
def test_text_that_is_not_one_reply(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_reply(text)


def test_text_may_hold_octets_of_another_encoding() -> None:
    assert parse_reply("550 Empf\udce4nger\r\n").text == r"Empf\xe4nger"


LINES = st.one_of(
    st.builds(
        lambda code, mark, text: b"%d%b%b\r\n" % (code, mark, text),
        st.sampled_from([220, 250, 250, 421, 550]),
        st.sampled_from([b" ", b"-"]),
        st.sampled_from([b"", b"5.1.1 no", b"2.1.0 Ok", b"\xff\r"]),
    ),
    st.binary(max_size=6),
)


@given(st.lists(LINES, max_size=12).map(b"".join), st.lists(st.integers(0, 80), max_size=6))
def test_no_cut_changes_what_is_read(stream: bytes, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(stream)) for cut in cuts} | {len(stream)})
    pieces = [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]

    assert read(pieces) == read([stream]) == read(octets(stream))
