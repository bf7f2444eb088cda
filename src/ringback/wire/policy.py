"""Postfix policy delegation: bytes in, PolicyRequest out, answers as bytes. No I/O, no clock.

Not here: the answer that is chosen (rules/actions.py), and how long one may take (`limit_s`,
doors/judging.py).

Protocol: Postfix SMTPD_POLICY_README. A request is lines of name=value, in any order, and an empty line.
Choices where that text is silent: lines may end in CR LF; unknown attributes are ignored; an attribute
that we read may be repeated only with the same value, since two readers would choose differently.
"""

from ..errors import LocalProtocolError, RemoteProtocolError
from ..values.record import Record
from .octets import decode_text

# The longest value is an address or HELO name as received: Postfix cuts its input lines at 2,048 bytes.
MAX_LINE_BYTES = 8_192
# Postfix 3.7 sends 29 attributes in under 1 KiB; this bounds what one client can make us hold.
MAX_REQUEST_BYTES = 65_536
# A request is read line by line: this bounds the work that one answer can cost.
MAX_ATTRIBUTES = 200

REQUEST_TYPE = "smtpd_access_policy"  # the only one there is


class PolicyRequest(Record, frozen=True):
    """One question of Postfix: the attributes that we read, "" where it said nothing.

    Client certificates are left out on purpose: a mail server that presents one from a public CA is
    identified, but no user of ours.
    """

    request: str = ""
    protocol_state: str = ""  # MAIL, RCPT, DATA, …
    client_address: str = ""
    client_name: str = ""  # "unknown" where Postfix could not confirm one
    helo_name: str = ""
    sender: str = ""  # "" is the null sender
    recipient: str = ""
    sasl_method: str = ""
    sasl_username: str = ""
    instance: str = ""  # the same for all requests about one message


_READ = {name.encode("ascii"): name for name in PolicyRequest.__struct_fields__}
_NUL, _CR = b"\0\r"


class PolicyReader:
    """Reassembles requests from a stream, each line parsed once.

    What is read does not depend on how the stream was cut: requests before an error are handed out
    first. The error then stands in `broken`, and the next call raises it.
    """

    __slots__ = ("_attributes", "_held_bytes", "_partial", "_values", "broken")

    def __init__(self) -> None:
        self._partial = bytearray()  # a line whose end has not arrived
        self._values: dict[str, str] = {}
        self._attributes = 0
        self._held_bytes = 0  # of the request that is being read
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        """True between two requests, with nothing of the next one held."""
        return not (self._held_bytes or self.broken)

    def feed(self, octets: bytes) -> list[PolicyRequest]:
        """Return the requests that `octets` complete, oldest first.

        Raises RemoteProtocolError. The connection must then be closed: where the next request begins
        is not known.
        """
        if self.broken:
            raise self.broken
        if not self._held_bytes and (whole := _read_whole(octets)):
            return whole
        requests: list[PolicyRequest] = []
        try:
            self._split(octets, requests)
        except RemoteProtocolError as error:
            self.broken = error
            if not requests:
                raise
        return requests

    def _split(self, octets: bytes, requests: list[PolicyRequest]) -> None:
        *ends, rest = octets.split(b"\n")
        for end in ends:
            self._count(end)
            line = self._whole(end).removesuffix(b"\r")
            self._held_bytes += 1  # the line end
            if line:
                self._take(line)
            else:
                requests.append(self._complete())
        self._count(rest)
        self._partial += rest

    def _count(self, octets: bytes) -> None:
        line_room = MAX_LINE_BYTES - len(self._partial)
        request_room = MAX_REQUEST_BYTES - self._held_bytes
        if len(octets) > min(line_room, request_room):
            # Whichever a trickle would have met first, so that the log says the same of both.
            if line_room <= request_room:
                raise RemoteProtocolError(f"line exceeds {MAX_LINE_BYTES} bytes")
            raise RemoteProtocolError(f"request exceeds {MAX_REQUEST_BYTES} bytes")
        self._held_bytes += len(octets)

    def _whole(self, end: bytes) -> bytes:
        """The line that ends so."""
        if not self._partial:
            return end
        line = bytes(self._partial) + end
        self._partial.clear()
        return line

    def _take(self, line: bytes) -> None:
        self._attributes += 1
        if self._attributes > MAX_ATTRIBUTES:
            raise RemoteProtocolError(f"more than {MAX_ATTRIBUTES} attributes")
        if b"\0" in line:
            raise RemoteProtocolError("NUL byte in a request")
        name, equals, octets = line.partition(b"=")
        if not (name and equals):
            raise RemoteProtocolError("not a line of name=value")
        if (known := _READ.get(name)) is not None:
            value = decode_text(octets)
            if self._values.setdefault(known, value) != value:
                raise RemoteProtocolError(f"two values for {known}")

    def _complete(self) -> PolicyRequest:
        request = PolicyRequest(**self._values)
        if not request.request:
            raise RemoteProtocolError("no request= in a request")
        if request.request != REQUEST_TYPE:
            raise RemoteProtocolError(f"request= is not {REQUEST_TYPE}")
        self._values, self._attributes, self._held_bytes = {}, 0, 0
        return request


def _read_whole(octets: bytes) -> list[PolicyRequest]:
    """Return the requests in `octets`, where these are whole, short and plain, as nearly always; else [].

    No bound is looked at but that on attributes: what is shorter than a line may be exceeds none.
    """
    short = len(octets) <= MAX_LINE_BYTES and octets.endswith(b"\n\n")
    if not short or _NUL in octets or _CR in octets or not octets.isascii():
        return []
    requests = []
    for text in octets[:-2].decode("ascii").split("\n\n"):
        lines = text.split("\n")
        parts = [line.partition("=") for line in lines]
        values = {name: value for name, equals, value in parts if equals}
        plain = len(values) == len(lines) <= MAX_ATTRIBUTES and "" not in values
        if not plain or values.get("request") != REQUEST_TYPE:
            return []
        requests.append(PolicyRequest.among(values))
    return requests


def encode(action: str) -> bytes:
    """Encode one answer, such as "DUNNO". Raises LocalProtocolError for anything but printable ASCII.

    A line end inside would be a second answer; what lies beyond ASCII, Postfix would repeat to
    clients that never asked for SMTPUTF8.
    """
    if not (action and action.isascii() and action.isprintable()):
        raise LocalProtocolError(f"not an action: {action!a}")
    return b"action=" + action.encode("ascii") + b"\n\n"
