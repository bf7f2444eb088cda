"""The milter under fire: a packet and a move or RemoteProtocolError, nothing else."""

import struct
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RemoteProtocolError
from ringback.wire.milter import Command, PacketReader
from ringback.wire.milter_answers import encode_packet
from ringback.wire.milter_session import MessageEnded, MilterSession, RecipientAsked

OPTIONS = encode_packet(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF))
CONNECT = encode_packet(b"C", b"mx\x004\0\x19192.0.2.1\0")
SOUND = st.sampled_from(
    [
        OPTIONS,
        CONNECT,
        encode_packet(b"H", b"helo\0"),
        encode_packet(b"D", b"M{auth_type}\0PLAIN\0"),
        encode_packet(b"M", b"<ann@shop.example>\0SIZE=1\0"),
        encode_packet(b"R", b"<bob@ours.example>\0"),
        encode_packet(b"L", b"Ringback-Result\0 forged\0"),
        encode_packet(b"E"),
        encode_packet(b"A"),
        encode_packet(b"K"),
    ]
)
ODD = st.builds(
    encode_packet,
    st.sampled_from([command.value for command in Command]),
    st.binary(max_size=20) | st.binary(max_size=20).map(lambda octets: octets + b"\0"),
)
STREAMS = st.lists(SOUND | ODD | st.binary(max_size=8), max_size=12).map(b"".join)


def converse(stream: bytes, cuts: list[int]) -> tuple[list[object], str]:
    """Return the moves that a stream calls for, and the error that ended it, or ""."""
    reader, session, moves = PacketReader(), MilterSession(), list[object]()
    bounds = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    try:
        for start, end in pairwise(bounds):
            for packet in reader.feed(stream[start:end]):
                moves.append(session.take(packet))
    except RemoteProtocolError as error:
        return moves, str(error)
    return moves, str(reader.broken or "")


@given(STREAMS, st.lists(st.integers(0, 10_000), max_size=6), st.booleans())
def test_octets_are_moves_or_an_error_however_they_are_cut(
    stream: bytes, cuts: list[int], opened: bool
) -> None:
    stream = OPTIONS + CONNECT + stream if opened else stream
    whole = converse(stream, [])

    assert whole == converse(stream, cuts)
    for move in whole[0]:
        match move:
            case RecipientAsked(envelope, recipient):
                (
                    envelope.sender + recipient + envelope.client.helo
                ).encode()  # stores and logs can hold it
            case MessageEnded():
                assert move.encode(("x",)).endswith(b"\0\0\0\1c")
            case _:
                assert move is None or isinstance(move, bytes)
