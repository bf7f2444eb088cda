"""Dialogues with real servers, taken down as vectors: what a callout would say, and what is answered.

Not here: which servers, and how they are set up (the modules beside this one).
"""

import re
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from ringback.rules.classify import Phrasebook
from ringback.rules.outcomes import judge
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import Plan
from ringback.values.endpoint import Endpoint
from ringback.values.evidence import About, Exchange, Fault, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe

from ..servers.box import Box

VECTORS = Path(__file__).parents[2] / "vectors" / "smtp"

DOMAIN = "mx.example"
KNOWN = f"ann@{DOMAIN}"
UNKNOWN = f"nobody.here@{DOMAIN}"
CONTROL = f"karolin.weidner@{DOMAIN}"
POSTMASTER = f"postmaster@{DOMAIN}"
ELSEWHERE = "ann@elsewhere.example"
HELO = "probe.example"

# Where the servers stand, one after the other, and where they are called from; and what others read.
HOST, CALLER, BACKEND = "127.9.0.60", "127.8.0.1", "127.9.0.61"
_NAMES = {
    HOST: "192.0.2.25",
    CALLER: "192.0.2.1",
    BACKEND: "192.0.2.26",
    "1.0.8.127": "1.2.0.192",
}
_STARTTLS = ("S: 250-STARTTLS", "S: 250 STARTTLS")
_PORT, _SILENCE_S, _CHUNK_BYTES = 25, 20.0, 4_096


@dataclass(frozen=True, slots=True)
class Take:
    """One dialogue. `meant` is its last line, in the words of the vectors: what we say it means.

    `tls` NEVER: as behind a middle box that takes STARTTLS out. `before`: how many dialogues go
    before it, unrecorded. `beside`: how many connections stay open.
    """

    name: str
    about: str
    meant: str
    recipient: str = KNOWN
    before: int = 0
    beside: int = 0
    tls: TlsPolicy = TlsPolicy.WHEN_REQUIRED


Boxes = Callable[[str, Callable[[], Path]], Box]


@dataclass(frozen=True, slots=True)
class Scene:
    """A server set up in one way, and the dialogues to have with it."""

    server: str
    package: str  # whose version stands in the head
    takes: tuple[Take, ...]
    fetch: Callable[[], Path]
    start: Callable[[Box, Boxes], None]  # the second one makes a further box of what is fetched


@dataclass(slots=True)
class _Recorder:
    """Keeps the lines of both sides in the order in which they were said."""

    lines: list[str] = field(default_factory=list)
    _heard: bytes = b""

    def heard(self, octets: bytes) -> None:
        *whole, self._heard = (self._heard + octets).split(b"\n")
        self.lines += [f"S: {_printed(line)}".rstrip() for line in whole]

    def said(self, octets: bytes) -> None:
        self.lines += [f"C: {_printed(line)}" for line in octets.split(b"\n")[:-1]]


def _printed(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "backslashreplace")


def phrasebook() -> Phrasebook:
    return decode_table(resources.files("ringback.rules").joinpath("phrases.json").read_bytes())


def record(take: Take, book: Phrasebook) -> tuple[list[str], Sequence[Exchange]]:
    """Have the dialogue; return its lines, and the evidence of it."""
    plan = Plan(book, take.recipient, control=CONTROL, postmaster=POSTMASTER)
    probe = Probe(Endpoint(DOMAIN, HOST, _PORT, 10), 1, HELO, take.tls, plan)
    recorder = _Recorder()
    with ExitStack() as stack:
        for _ in range(take.beside):
            stack.enter_context(connection()).recv(_CHUNK_BYTES)
        peer = stack.enter_context(connection())
        probe.connected(time.time())
        _pump(peer, probe, recorder)
    lines = [renamed(line) for line in recorder.lines]
    # Whoever plays the vector would otherwise start TLS.
    kept = lines if take.tls is not TlsPolicy.NEVER else [it for it in lines if it not in _STARTTLS]
    return kept, probe.transcript


def connection() -> socket.socket:
    return socket.create_connection((HOST, _PORT), _SILENCE_S, (CALLER, 0))


def _pump(peer: socket.socket, probe: Probe, recorder: _Recorder) -> None:
    while not probe.closed:
        try:
            octets = peer.recv(_CHUNK_BYTES)
        except TimeoutError:
            recorder.lines.append("! silent")
            return probe.lose(Fault.TIMEOUT, "silent", time.time())
        except ConnectionError:
            octets = b""
        if not octets:
            recorder.lines.append("! closed")
            return probe.lose(Fault.CLOSED, "closed", time.time())
        recorder.heard(octets)
        out = probe.receive(octets, time.time())
        if probe.stage is Stage.TLS:
            recorder.lines.append("! tls")
            peer = _secured(peer)
            out = probe.secured("TLS", time.time())
        if out:
            recorder.said(out)
            peer.sendall(out)
    return None


def _secured(peer: socket.socket) -> ssl.SSLSocket:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nobody's certificate
    return context.wrap_socket(peer)


def renamed(line: str) -> str:
    for ours, theirs in _NAMES.items():
        line = re.sub(rf"\b{re.escape(ours)}\b", theirs, line)
    return line


def reading(evidence: Sequence[Exchange]) -> str:
    """What the rules make of it, as the last line of a vector."""
    finding = judge(evidence, About.ADDRESS)
    if finding is None:
        return "nothing"
    because = finding.because
    return f"{finding.outcome.value.upper()} {because.meaning or because.fault}"


def write(scene: Scene, take: Take, lines: Sequence[str], version: str) -> Path:
    """Write the vector."""
    name = f"{scene.server}_{take.name}".replace("-", "_")
    day = time.strftime("%Y-%m-%d", time.gmtime())
    head = f"# {scene.package} {version} of Debian, {day}, captured: {take.about}"
    path = VECTORS / f"real_{name}.txt"
    path.write_text("\n".join([head, *lines, f"= {take.meant}", ""]), "utf-8")
    return path
