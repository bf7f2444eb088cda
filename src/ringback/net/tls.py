"""TLS over memory: ciphertext in and out, no socket. Not here: moving the octets (net/converse.py).

A session over ssl.MemoryBIO holds about 40 KiB; asyncio's own start_tls holds 301 KiB.
"""

import ssl
from functools import cache

# The most plaintext that one TLS record holds (RFC 8446 section 5.1).
_RECORD_BYTES = 16_384


@cache
def opportunistic_context() -> ssl.SSLContext:
    """Return the context for hosts whose certificate nobody vouches for (RFC 7435).

    An MX name comes from unsigned DNS, so a valid certificate for it would prove nothing, and a host
    with an expired one is still to be heard: only what everybody may know travels here.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Level 1 still takes RSA keys of 1,024 bits, as old appliances have; the other choice is no TLS.
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    context.options |= ssl.OP_NO_RENEGOTIATION  # work for us that the peer gets for nothing
    return context


@cache
def verifying_context() -> ssl.SSLContext:
    """Return the context for hosts of our own whose certificate must be valid for their name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    return context


class TlsSession:
    """The client's side of one TLS connection. Every method may leave octets to send in `outgoing`."""

    __slots__ = ("_incoming", "_object", "_outgoing", "established", "over")

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = self._begin(context, host)
        self.established = False
        self.over = False  # the peer ended the session in due form

    def _begin(self, context: ssl.SSLContext, host: str) -> ssl.SSLObject:
        try:
            return context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        except ValueError:  # DNS names hosts that SNI cannot: an empty label, a wild octet
            return context.wrap_bio(self._incoming, self._outgoing)

    @property
    def detail(self) -> str:
        """Version and cipher, as "TLSv1.3 TLS_AES_256_GCM_SHA384"."""
        cipher = self._object.cipher()
        return f"{self._object.version()} {cipher[0] if cipher else ''}"

    def feed(self, octets: bytes) -> None:
        """Take in what the peer sent."""
        self._incoming.write(octets)

    def outgoing(self) -> bytes:
        """Take out what is to be sent to the peer."""
        return self._outgoing.read()

    def shake_hands(self) -> None:
        """Go as far in the handshake as what was fed allows. Raises ssl.SSLError."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.established = True

    def decrypt(self) -> bytes:
        """Return all that can be read of what was fed. Raises ssl.SSLError."""
        chunks: list[bytes] = []
        while not self.over:
            try:
                chunk = self._object.read(_RECORD_BYTES)
            except ssl.SSLWantReadError:
                break
            self.over = not chunk
            chunks.append(chunk)
        return b"".join(chunks)

    def encrypt(self, octets: bytes) -> None:
        """Make `octets` ready to send, if there are any. Raises ssl.SSLError."""
        if octets:
            self._object.write(octets)

    def end(self) -> None:
        """Say goodbye, if it comes to that: a server may log a session cut off as an attack."""
        try:
            self._object.unwrap()
        except ssl.SSLError:  # the peer has not said its own, which nobody waits for
            return
