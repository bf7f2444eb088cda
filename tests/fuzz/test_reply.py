"""The reply reader under fire: a value or RemoteProtocolError, nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RemoteProtocolError
from ringback.wire.extensions import parse_extensions
from ringback.wire.reply import ReplyReader, parse_reply

NEARLY = st.lists(
    st.sampled_from(
        [b"220", b"250", b"550", b"850", b"-", b" ", b"\r", b"\n", b"5.1.1", b"\xff", b"x"]
    ),
    max_size=30,
).map(b"".join)


@given(st.lists(st.binary(max_size=40) | NEARLY, max_size=10))
def test_octets_are_replies_or_an_error(pieces: list[bytes]) -> None:
    reader = ReplyReader()
    for piece in pieces:
        try:
            replies = reader.feed(piece)
        except RemoteProtocolError:
            assert not reader.idle
            return
        for reply in replies:
            assert 200 <= reply.code <= 599
            assert reply.lines
            assert not any("\n" in line for line in reply.lines)
            parse_extensions(reply)


@given(st.text(st.characters(codec=None)) | NEARLY.map(lambda octets: octets.decode("latin-1")))
def test_text_is_one_reply_or_an_error(text: str) -> None:
    try:
        reply = parse_reply(text)
    except RemoteProtocolError:
        return

    *before, last = reply.lines
    again = "\n".join([*(f"{reply.code}-{line}" for line in before), f"{reply.code} {last}"])

    assert 200 <= reply.code <= 599
    assert reply == parse_reply(again)
