"""The reader of policy requests under fire: a value or RemoteProtocolError, nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RemoteProtocolError
from ringback.wire.policy import REQUEST_TYPE, PolicyReader

NEARLY = st.lists(
    st.sampled_from(
        [
            b"request=smtpd_access_policy\n",
            b"sender=ann@shop.example\n",
            b"sender=",
            b"\xff",
            b"=",
            b"\0",
            b"\r",
            b"\n",
            b"x",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(st.lists(st.binary(max_size=40) | NEARLY, max_size=10))
def test_octets_are_requests_or_an_error(pieces: list[bytes]) -> None:
    reader = PolicyReader()
    for piece in pieces:
        try:
            requests = reader.feed(piece)
        except RemoteProtocolError:
            assert not reader.idle
            return
        for request in requests:
            assert REQUEST_TYPE == request.request
            assert not {"\n", "\0"} & set(request.sender)
            request.sender.encode()  # what a store and a log can hold
