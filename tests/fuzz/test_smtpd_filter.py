"""The OpenSMTPD filter under fire: a move or RemoteProtocolError, nothing else, and answers of one line."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RemoteProtocolError
from ringback.wire.policy_asking import AnswerReader, encode_request, parse_refusal
from ringback.wire.smtpd_filter import (
    Conversation,
    LineReader,
    RecipientAsked,
    encode_proceed,
    encode_reject,
)

WORDS = st.sampled_from(
    [
        *("config", "report", "filter", "ready", "0.6", "1800000000.000001", "smtp-in", "ab", "cd"),
        *("link-connect", "link-identify", "link-auth", "link-disconnect", "tx-reset"),
        *("mail-from", "rcpt-to", "data-line", "pass", "fail", "192.0.2.1:25", "ann@shop.example"),
    ]
)
TEXTS = st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace"))
WORDY = st.lists(WORDS.map(str.encode) | TEXTS | st.binary(max_size=8), max_size=10).map(b"|".join)
SOUND = st.sampled_from(
    [
        b"report|0.6|1.0|smtp-in|link-connect|ab|a.example|pass|192.0.2.1:9|192.0.2.2:25",
        b"report|0.6|1.0|smtp-in|link-auth|ab|pass|ann",
        b"filter|0.6|1.0|smtp-in|mail-from|ab|cd|ann@shop.example",
        b"filter|0.6|1.0|smtp-in|rcpt-to|ab|cd|you@ours.example",
    ]
)
ODD = st.builds(
    lambda phase, parameter: b"filter|0.6|1.0|smtp-in|" + phase + b"|ab|cd|" + parameter,
    st.sampled_from([b"mail-from", b"rcpt-to"]),
    st.binary(max_size=20),
)
STREAMS = st.lists(SOUND | ODD | WORDY, max_size=12).map(lambda lines: b"\n".join([*lines, b""]))


def converse(stream: bytes, cuts: list[int]) -> list[object]:
    """Return the moves that a stream calls for, and the errors between them."""
    reader, conversation, moves = LineReader(), Conversation(), list[object]()
    bounds = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(bounds):
        for line in reader.feed(stream[start:end]):
            try:
                moves.append(conversation.take(line))
            except RemoteProtocolError as error:
                moves.append(str(error))
    return moves


@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=6))
def test_lines_are_moves_or_errors_however_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    whole = converse(stream, [])

    assert whole == converse(stream, cuts)
    for move in whole:
        if isinstance(move, RecipientAsked):
            assert 1 == encode_proceed(move.session, move.token).count(b"\n")
            assert encode_request({"sender": move.sender, "helo_name": move.helo_name})


@given(st.text(max_size=600) | st.text(max_size=600).map("550 5.1.7 ".__add__))
def test_any_action_is_one_line_or_an_error(action: str) -> None:
    try:
        reply = parse_refusal(action)
    except RemoteProtocolError:
        return
    if reply is not None:
        line = encode_reject("ab", "cd", reply)

        assert (line.index(b"\n"), b"filter-result|ab|cd|reject|") == (len(line) - 1, line[:27])


@given(st.lists(st.sampled_from([b"action=DUNNO", b"\n", b"\n\n", b"=", b"x"]) | st.binary()))
def test_any_answer_is_actions_or_an_error(pieces: list[bytes]) -> None:
    try:
        actions = AnswerReader().feed(b"".join(pieces))
    except RemoteProtocolError:
        return

    assert all(actions)
