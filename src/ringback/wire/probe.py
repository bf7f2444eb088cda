"""The callout's state machine: a conversation that stops before DATA. No I/O, no clock.

It asks an MX what a bounce would ask: does this recipient exist? What to ask, and what a reply means,
is the Guide's to say (rules/plan.py); what it all amounts to is judged later (rules/outcomes.py).

A conversation runs  GREETING → EHLO (or HELO) [→ STARTTLS → TLS → EHLO] [→ AUTH] → transactions → QUIT.
With LMTP (RFC 2033), LHLO is said in place of EHLO, and HELO is not.
A transaction is MAIL, RCPT, with RSET before every one but the first. Its commands leave together
where the host offers PIPELINING (RFC 2920), else one by one; the first of them to fail ends it.
VRFY is a transaction of one command. Not here: what comes after the last reply of a flight (wire/moves.py),
what is settled before the first question (wire/terms.py), the commands (wire/steps.py), and what is
kept as evidence (wire/transcript.py).
"""

from collections.abc import Callable, Mapping
from typing import ClassVar

from ..errors import LocalProtocolError, RemoteProtocolError
from ..values.endpoint import PLAINLY, Endpoint, Manner
from ..values.evidence import About, Exchange, Fault, Meaning, Stage
from ..values.settings import TlsPolicy
from . import steps
from .moves import Move, may_answer, move_after
from .question import Guide, Question
from .reply import Reply, ReplyReader
from .steps import Step
from .terms import Terms
from .transcript import Transcript

SHUTTING_DOWN = 421  # RFC 5321 section 3.8: the host closes, whatever was asked, or unasked


class Probe:
    """One conversation with one host. A pump feeds it, and writes what it returns."""

    __slots__ = (
        "_failed",
        "_flight",
        "_guide",
        "_helo_name",
        "_question",
        "_reader",
        "_terms",
        "_transcript",
        "closed",
        "stage",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        connection: int,
        helo_name: str,
        tls: TlsPolicy,
        guide: Guide,
        manner: Manner = PLAINLY,
    ) -> None:
        self.stage = Stage.CONNECT  # which step the next answer answers
        self.closed = False
        self._helo_name, self._guide = helo_name, guide
        self._terms = Terms(tls, manner)
        self._reader = ReplyReader()
        self._transcript = Transcript(endpoint, connection)
        # Not answered yet; said as far as the host takes commands together.
        self._flight: tuple[Step, ...] = ()
        self._failed: Exchange | None = None  # the first failure of the flight
        self._question: Question | None = None

    @property
    def transcript(self) -> tuple[Exchange, ...]:
        return tuple(self._transcript.said)

    @property
    def answers(self) -> int:
        """How many answers have come: a deadline for each stage starts anew when this moves."""
        return len(self._transcript.said)

    # What the pump tells.

    def connected(self, at: float) -> None:
        """The connection stands; the greeting is awaited."""
        self._transcript.note(at, steps.CONNECTING)
        self._send(steps.GREETING)

    def receive(self, octets: bytes, at: float) -> bytes:
        """Take in what the host sent; return what to send, b"" for nothing yet."""
        if self.closed:
            return b""
        try:
            replies = self._reader.feed(octets)
        except RemoteProtocolError as error:
            self.lose(Fault.NOT_SMTP, str(error), at)
            return b""
        if self._are_too_many(replies):
            # Pairing it with the next command could give one mailbox the answer about another.
            self.lose(Fault.OUT_OF_STEP, "more replies than commands", at)
            return b""
        out = b""
        for reply in replies:
            out += self._take(reply, at)
        if not self._reader.idle:
            self._suspect(out, at)
        return b"" if self.closed else out

    def secured(self, detail: str, at: float) -> bytes:
        """The TLS handshake is done, and all begins anew."""
        self._transcript.note(at, Step(Stage.TLS, about=self._about), detail)
        self._terms.begin_anew()
        return self._say_ehlo(at)

    def lose(self, fault: Fault, detail: str, at: float) -> None:
        """No answer came, or none that can be read. The connection is over."""
        if self.closed:
            return
        # All has been said by QUIT; how the host goes then is nothing to us (scenario 53).
        if self.stage is not Stage.QUIT:
            step = self._flight[0] if self._flight else Step(self.stage, about=self._about)
            self._transcript.note(at, step, detail, fault)
        self.closed = True

    # What the host says.

    def _are_too_many(self, replies: list[Reply]) -> bool:
        most = len(self._flight)
        if not self._terms.offered.pipelining:
            most = min(most, 1)
        return len(replies) > most and any(it.code != SHUTTING_DOWN for it in replies[most:])

    def _suspect(self, out: bytes, at: float) -> None:
        """Judge the octets that came behind the last reply; `out` would be said next."""
        if self.stage is Stage.TLS:
            # RFC 3207 section 4.2: what was sent in clear before the handshake may be anybody's.
            self.lose(Fault.OUT_OF_STEP, "octets in clear after the reply to STARTTLS", at)
        elif out and self.stage is not Stage.QUIT:
            self.lose(Fault.OUT_OF_STEP, "octets before the command that they answer", at)
        elif self._reader.broken:  # behind a good reply; nothing more may come (scenario 57)
            self.lose(Fault.NOT_SMTP, str(self._reader.broken), at)

    def _take(self, reply: Reply, at: float) -> bytes:
        """Take in one reply; return what follows from it."""
        if self.closed:  # a 421 came earlier in the same flight
            return b""
        if not (self._flight and may_answer(reply.code, self.stage)):
            self.lose(Fault.OUT_OF_STEP, f"{reply.code} is no answer to {self.stage}", at)
            return b""
        step, self._flight = self._flight[0], self._flight[1:]
        reading = None if self._failed else self._guide.read(step.stage, reply)
        exchange = self._transcript.hear(at, step, reply, reading)
        if reply.code == SHUTTING_DOWN:
            self.closed = True
            return b""
        self._terms.hear(step.stage, reply)
        if not 200 <= reply.code < 300:
            self._failed = self._failed or exchange
            if not self._terms.offered.pipelining:
                self._flight = ()
        return self._fly_on() if self._flight else self._go_on(self._failed or exchange, at)

    def _fly_on(self) -> bytes:
        """Wait for the next reply of the flight, or send the command that it answers."""
        step = self._flight[0]
        self.stage = step.stage
        return b"" if self._terms.offered.pipelining else step.octets

    def _go_on(self, last: Exchange, at: float) -> bytes:
        """Answer the last reply of a flight, or the first of it that failed."""
        self._failed = None
        move = move_after(last.stage, last.code or 0, self._terms.protocol)
        wants_tls = last.meaning is Meaning.TLS_REQUIRED and last.stage is not Stage.QUIT
        if wants_tls and self._terms.can_secure:
            move = Move.SAY_STARTTLS
        elif move is Move.ASK_FITLY:
            move = self._terms.before_asking()
        return self._DOES[move](self, at)

    # What we say.

    def _say_ehlo(self, _: float) -> bytes:
        return self._send(steps.greet(self._helo_name, self._about, self._terms.protocol))

    def _say_helo(self, _: float) -> bytes:
        return self._send(steps.greet_simply(self._helo_name, self._about))

    def _say_starttls(self, _: float) -> bytes:
        return self._send(steps.start_tls(self._about))

    def _shake_hands(self, _: float) -> bytes:
        self.stage = Stage.TLS
        return b""

    def _refrain(self, at: float) -> bytes:
        why = "STARTTLS is not to be had, and the route wants it"
        return self._give_up(Stage.STARTTLS, Fault.TLS_FAILED, why, at)

    def _log_in(self, at: float) -> bytes:
        if step := self._terms.log_in(self._about):
            return self._send(step)
        return self._give_up(Stage.AUTH, Fault.NO_LOGIN, "AUTH PLAIN or LOGIN is not offered", at)

    def _go_on_logging_in(self, at: float) -> bytes:
        if step := self._terms.answer_challenge(self._about):
            return self._send(step)
        return self._give_up(Stage.AUTH, Fault.NO_LOGIN, "AUTH asks for more than we have", at)

    def _ask(self, at: float) -> bytes:
        """Ask the first question, or put again what the host would not hear."""
        return self._put(self._question, at) if self._question else self._go_on_asking(at)

    def _go_on_asking(self, at: float) -> bytes:
        self._question = self._guide.next_question(self._transcript.said)
        return self._put(self._question, at) if self._question else self._send(steps.leave())

    def _put(self, question: Question, at: float) -> bytes:
        offered = self._terms.offered
        if question.needs_smtputf8 and not offered.smtputf8:
            return self._give_up(Stage.RCPT, Fault.NO_SMTPUTF8, "SMTPUTF8 is not offered", at)
        flight = steps.transaction(question, after_another=self._terms.is_busy)
        if not question.vrfy:
            self._terms.is_busy = False  # RSET leads the flight, if it was
        return self._send(*flight)

    def _give_up(self, stage: Stage, fault: Fault, why: str, at: float) -> bytes:
        """Note why nothing is asked, or no more, and leave."""
        self._transcript.note(at, Step(stage, about=self._about), why, fault)
        return self._send(steps.leave())

    def _say_quit(self, _: float) -> bytes:
        return self._send(steps.leave(self._about))

    def _close(self, _: float) -> bytes:
        self.closed = True
        return b""

    @property
    def _about(self) -> About:
        """Whose sake the next step is for: after the first question, it is no longer the address's."""
        return self._question.about if self._question else About.ADDRESS

    def _send(self, *flight: Step) -> bytes:
        if self._flight:
            raise LocalProtocolError("a command was sent while replies were awaited")
        self._flight, self.stage = flight, flight[0].stage
        if self._terms.offered.pipelining:
            return b"".join([step.octets for step in flight])
        return flight[0].octets

    _DOES: ClassVar[Mapping[Move, Callable[["Probe", float], bytes]]] = {
        Move.SAY_EHLO: _say_ehlo,
        Move.SAY_HELO: _say_helo,
        Move.SAY_STARTTLS: _say_starttls,
        Move.SHAKE_HANDS: _shake_hands,
        Move.REFRAIN: _refrain,
        Move.LOG_IN: _log_in,
        Move.GO_ON_LOGGING_IN: _go_on_logging_in,
        Move.ASK: _ask,
        Move.GO_ON_ASKING: _go_on_asking,
        Move.SAY_QUIT: _say_quit,
        Move.CLOSE: _close,
    }
