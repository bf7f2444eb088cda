"""A TLS session in memory, against the server's side of one."""

import ssl

import pytest

from ringback.net.tls import TlsSession, opportunistic_context


class Server:
    """The other end, in memory as well."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    def exchange(self, client: TlsSession) -> None:
        self._incoming.write(client.outgoing())
        client.feed(self._outgoing.read())


def established(context: ssl.SSLContext) -> tuple[TlsSession, Server]:
    client, server = TlsSession(opportunistic_context(), "mx.example"), Server(context)
    for _ in range(4):
        client.shake_hands()
        server.exchange(client)
        try:
            server.session.do_handshake()
        except ssl.SSLWantReadError:
            continue
    server.exchange(client)

    assert client.established
    return client, server


def test_octets_go_both_ways(server_tls: ssl.SSLContext) -> None:
    client, server = established(server_tls)
    client.encrypt(b"EHLO me\r\n")
    server.exchange(client)
    server.session.write(b"250 mx\r\n")
    server.exchange(client)

    assert server.session.read() == b"EHLO me\r\n"
    assert client.decrypt() == b"250 mx\r\n"
    assert client.decrypt() == b""
    assert not client.over


def test_session_says_what_it_is(server_tls: ssl.SSLContext) -> None:
    client, _ = established(server_tls)

    assert client.detail == "TLSv1.3 TLS_AES_256_GCM_SHA384"


def test_end_is_said_and_heard(server_tls: ssl.SSLContext) -> None:
    client, server = established(server_tls)
    server.session.write(b"221 bye\r\n")
    with pytest.raises(ssl.SSLWantReadError):
        server.session.unwrap()
    server.exchange(client)

    assert client.decrypt() == b"221 bye\r\n"
    assert client.over

    client.end()
    server.exchange(client)
    server.session.unwrap()


def test_end_is_not_waited_for(server_tls: ssl.SSLContext) -> None:
    client, _ = established(server_tls)
    client.end()

    assert client.outgoing() != b""


def test_end_before_the_handshake_is_quiet() -> None:
    client = TlsSession(opportunistic_context(), "mx.example")
    client.end()

    assert client.outgoing() == b""


def test_garbage_is_an_error() -> None:
    client = TlsSession(opportunistic_context(), "mx.example")
    client.shake_hands()
    client.feed(b"502 what is that?\r\n")
    with pytest.raises(ssl.SSLError):
        client.shake_hands()


def test_context_takes_any_certificate_and_no_version_before_1_2() -> None:
    context = opportunistic_context()

    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert opportunistic_context() is context
