"""The callout's state machine: a conversation that stops before DATA. No I/O, no clock.

It asks an MX what a bounce would ask: does this recipient exist? What to ask, and what a reply means,
is the Guide's to say (rules/plan.py); what it all amounts to is judged later (rules/outcomes.py).

A conversation runs  GREETING → EHLO (or HELO) [→ STARTTLS → TLS → EHLO] [→ AUTH] → transactions → QUIT.
With LMTP (RFC 2033), LHLO is said in place of EHLO, and HELO is not.
A transaction is MAIL, RCPT, with RSET before every one but the first. Its commands leave together
where the host offers PIPELINING (RFC 2920), else one by one; the first of them to fail ends it.
VRFY is a transaction of one command. What comes after the last reply of a flight is in _MOVES.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

from ..errors import LocalProtocolError, RemoteProtocolError
from ..values.endpoint import PLAINLY, Endpoint, Login, Manner
from ..values.evidence import About, Exchange, Fault, Meaning, Reading, Stage
from ..values.settings import RouteProtocol, TlsPolicy
from . import command
from .extensions import Extensions, parse_extensions
from .reply import Reply, ReplyReader


@dataclass(frozen=True, slots=True)
class Question:
    """One mailbox to ask for. `sender` "" is the null sender."""

    about: About
    recipient: str
    sender: str = ""
    vrfy: bool = False

    @property
    def needs_smtputf8(self) -> bool:
        return not (self.recipient.isascii() and self.sender.isascii())


class Guide(Protocol):
    """What the rules decide in the middle of a conversation."""

    def read(self, stage: Stage, reply: Reply) -> Reading:
        """Say what `reply` means."""
        ...

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        """Say what to ask after all that was `said`; None ends the conversation with QUIT."""
        ...


class _Step(NamedTuple):
    """A command, and the stage that its reply belongs to."""

    stage: Stage
    octets: bytes
    about: About = About.ADDRESS
    shown: str = ""  # in place of octets that nobody is to see

    @property
    def command(self) -> str:
        return self.shown or self.octets.decode("utf-8").rstrip("\r\n")


class _Move(StrEnum):
    """What to do when every reply that was awaited has come."""

    SAY_EHLO = "say_ehlo"
    SAY_HELO = "say_helo"
    SAY_STARTTLS = "say_starttls"
    ASK_FITLY = "ask_fitly"  # say STARTTLS first, and AUTH, where they are wanted
    REFRAIN = "refrain"  # it would be in clear
    LOG_IN = "log_in"
    GO_ON_LOGGING_IN = "go_on_logging_in"
    SHAKE_HANDS = "shake_hands"
    ASK = "ask"
    GO_ON_ASKING = "go_on_asking"
    SAY_QUIT = "say_quit"
    CLOSE = "close"


# (stage, first digit of the reply) → move. What is not here is SAY_QUIT.
_MOVES = {
    (Stage.GREETING, 2): _Move.SAY_EHLO,
    (Stage.EHLO, 2): _Move.ASK_FITLY,
    # RFC 5321 section 3.2 says after 500 or 502; some hosts say 550.
    (Stage.EHLO, 5): _Move.SAY_HELO,
    (Stage.HELO, 2): _Move.ASK_FITLY,
    (Stage.STARTTLS, 2): _Move.SHAKE_HANDS,
    (Stage.STARTTLS, 4): _Move.ASK_FITLY,
    (Stage.STARTTLS, 5): _Move.ASK_FITLY,
    (Stage.AUTH, 2): _Move.ASK_FITLY,
    (Stage.AUTH, 3): _Move.GO_ON_LOGGING_IN,
    **{(Stage.RCPT, digit): _Move.GO_ON_ASKING for digit in (2, 3, 4, 5)},
    **{(Stage.VRFY, digit): _Move.GO_ON_ASKING for digit in (2, 3, 4, 5)},
    **{(Stage.QUIT, digit): _Move.CLOSE for digit in (2, 3, 4, 5)},
}

# The moves that are one command: the stage of its reply, and its octets for a given HELO name.
_SAYS: dict[_Move, tuple[Stage, Callable[[str], bytes]]] = {
    _Move.SAY_EHLO: (Stage.EHLO, command.ehlo),
    _Move.SAY_HELO: (Stage.HELO, command.helo),
    _Move.SAY_STARTTLS: (Stage.STARTTLS, lambda _: command.starttls()),
    _Move.SAY_QUIT: (Stage.QUIT, lambda _: command.quit_()),
}


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The moves of a protocol, and what they say."""

    moves: Mapping[tuple[Stage, int], _Move]
    says: Mapping[_Move, tuple[Stage, Callable[[str], bytes]]]


_DIALECTS = {
    RouteProtocol.SMTP: _Dialect(_MOVES, _SAYS),
    # RFC 2033 section 4.1: LHLO is its only greeting.
    RouteProtocol.LMTP: _Dialect(
        {**_MOVES, (Stage.EHLO, 5): _Move.SAY_QUIT},
        {**_SAYS, _Move.SAY_EHLO: (Stage.EHLO, command.lhlo)},
    ),
}

# Of each reply, as evidence: five lines of a talkative host, and not what a flood says. All of it was read.
MAX_KEPT_CHARS = 4_000

SHUTTING_DOWN = 421  # RFC 5321 section 3.8: the host closes, whatever was asked, or unasked
# Codes that answer one thing only. Elsewhere a reply was lost or is one too many (a second greeting,
# say), and the next would be taken for the answer about the mailbox.
_BELONGS_TO = {220: (Stage.GREETING, Stage.STARTTLS), 221: (Stage.QUIT,)}

# Why a reply was not read: with PIPELINING, what follows a refused command says nothing of its own.
VOID_RULE = "void: an earlier command of the same flight was refused"


_NO_EXTENSIONS = Extensions()


class Probe:
    """One conversation with one host. A pump feeds it, and writes what it returns."""

    __slots__ = (
        "_awaited",
        "_connection",
        "_credentials",
        "_dialect",
        "_endpoint",
        "_extensions",
        "_failed",
        "_guide",
        "_helo_name",
        "_in_transaction",
        "_logged_in",
        "_manner",
        "_question",
        "_reader",
        "_said",
        "_secured",
        "_tls",
        "_unsent",
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
        self._endpoint, self._connection = endpoint, connection
        self._helo_name, self._tls, self._guide = helo_name, tls, guide
        self._manner, self._dialect = manner, _DIALECTS[manner.protocol]
        self._reader = ReplyReader()
        self._said: list[Exchange] = []
        # Lists, of a few each: an empty deque takes 760 bytes, and ten thousand calls may wait.
        self._awaited: list[_Step] = []  # sent, and not answered
        # The rest of a transaction, where there is no PIPELINING.
        self._unsent: tuple[_Step, ...] = ()
        # The first failure of the flight that is being answered.
        self._failed: Exchange | None = None
        self._extensions = _NO_EXTENSIONS
        self._secured = self._logged_in = False
        self._credentials: tuple[str, ...] = ()  # that the host has yet to ask for
        self._in_transaction = False
        self._question: Question | None = None

    @property
    def transcript(self) -> tuple[Exchange, ...]:
        return tuple(self._said)

    @property
    def answers(self) -> int:
        """How many answers have come: a deadline for each stage starts anew when this moves."""
        return len(self._said)

    def connected(self, at: float) -> None:
        """The connection stands; the greeting is awaited."""
        self._record(at, _Step(Stage.CONNECT, b""))
        self._awaited.append(_Step(Stage.GREETING, b""))
        self.stage = Stage.GREETING

    def receive(self, octets: bytes, at: float) -> bytes:
        """Take in what the host sent; return what to send, b"" for nothing yet."""
        if self.closed:
            return b""
        try:
            replies = self._reader.feed(octets)
        except RemoteProtocolError as error:
            self.lose(Fault.NOT_SMTP, str(error), at)
            return b""
        most = len(self._awaited)
        if len(replies) > most and any(it.code != SHUTTING_DOWN for it in replies[most:]):
            # Pairing it with the next command could give one mailbox the answer about another.
            self.lose(Fault.OUT_OF_STEP, "more replies than commands", at)
            return b""
        out = b"".join([self._take(reply, at) for reply in replies])
        if not self._reader.idle:
            self._suspect(out, at)
        return b"" if self.closed else out

    def secured(self, detail: str, at: float) -> bytes:
        """The TLS handshake is done: all that was learned before is forgotten (RFC 3207 section 4.2)."""
        self._record(at, _Step(Stage.TLS, b"", self._about), text=detail)
        self._secured, self._extensions, self._in_transaction = True, Extensions(), False
        self._logged_in = False
        return self._say(_Move.SAY_EHLO, at)

    def lose(self, fault: Fault, detail: str, at: float) -> None:
        """No answer came, or none that can be read. The connection is over."""
        if self.closed:
            return
        # All has been said by QUIT; how the host goes then is nothing to us (scenario 53).
        if self.stage is not Stage.QUIT:
            step = self._awaited[0] if self._awaited else _Step(self.stage, b"", self._about)
            self._record(at, step, text=detail, fault=fault)
        self.closed = True

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
        if self.closed:  # a 421 came earlier in the same flight
            return b""
        if not self._awaits(reply):
            self.lose(Fault.OUT_OF_STEP, f"{reply.code} is no answer to {self.stage}", at)
            return b""
        step = self._awaited.pop(0)
        exchange = self._hear(at, step, reply)
        if reply.code == SHUTTING_DOWN:
            self.closed = True
            return b""
        self._note(step.stage, reply)
        if not 200 <= reply.code < 300:
            self._failed = self._failed or exchange
            self._unsent = ()
        if self._unsent:
            step, *left = self._unsent
            self._unsent = tuple(left)
            return self._send(step)
        if self._awaited:
            self.stage = self._awaited[0].stage
            return b""
        decided_by, self._failed = self._failed or exchange, None
        return self._go_on(decided_by, at)

    def _awaits(self, reply: Reply) -> bool:
        if not self._awaited:
            return False
        stages = _BELONGS_TO.get(reply.code)
        return stages is None or self._awaited[0].stage in stages

    def _note(self, stage: Stage, reply: Reply) -> None:
        """Keep what `reply` says of the connection."""
        taken = reply.code < 300
        if stage is Stage.EHLO and taken:
            self._extensions = parse_extensions(reply)
        elif stage is Stage.MAIL and taken:
            self._in_transaction = True
        elif stage is Stage.STARTTLS and not taken:
            self._extensions = replace(self._extensions, starttls=False)  # offered, and not there
        elif stage is Stage.AUTH and taken:
            self._logged_in = True

    def _go_on(self, last: Exchange, at: float) -> bytes:
        """Answer the last reply of a flight, or the first of it that failed."""
        match self._move_after(last):
            case _Move.ASK:
                return self._ask(self._question or self._guide.next_question(self._said), at)
            case _Move.GO_ON_ASKING:
                return self._ask(self._guide.next_question(self._said), at)
            case _Move.SHAKE_HANDS:
                self.stage = Stage.TLS
            case _Move.CLOSE:
                self.closed = True
            case move:
                return self._say(move, at)
        return b""

    def _say(self, move: _Move, at: float) -> bytes:
        """Send the command that is a move, or leave where it cannot be sent."""
        match move:
            case _Move.LOG_IN if self._manner.login:
                return self._log_in(self._manner.login, at)
            case _Move.GO_ON_LOGGING_IN:
                return self._answer_challenge(at)
            case _Move.REFRAIN:
                why = "STARTTLS is not to be had, and the route wants it"
                return self._give_up(Stage.STARTTLS, Fault.TLS_FAILED, why, at)
        stage, octets = self._dialect.says[move]
        return self._send(_Step(stage, octets(self._helo_name), self._about))

    def _move_after(self, last: Exchange) -> _Move:
        move = self._dialect.moves.get((last.stage, (last.code or 0) // 100), _Move.SAY_QUIT)
        wanted = last.meaning is Meaning.TLS_REQUIRED and last.stage is not Stage.QUIT
        if wanted and self._can_secure:
            return _Move.SAY_STARTTLS
        return self._before_asking() if move is _Move.ASK_FITLY else move

    def _before_asking(self) -> _Move:
        if self._tls is TlsPolicy.OPPORTUNISTIC and self._can_secure:
            return _Move.SAY_STARTTLS
        if self._manner.secret and not self._secured:
            return _Move.REFRAIN
        return _Move.LOG_IN if self._manner.login and not self._logged_in else _Move.ASK

    def _log_in(self, login: Login, at: float) -> bytes:
        offered = self._extensions.auth
        if "PLAIN" in offered:
            octets, shown = (
                command.auth_plain(login.username, login.password),
                "AUTH PLAIN (secret)",
            )
            return self._send(_Step(Stage.AUTH, octets, self._about, shown))
        if "LOGIN" in offered:
            self._credentials = (login.username, login.password)
            return self._send(_Step(Stage.AUTH, command.auth_login(), self._about))
        return self._give_up(Stage.AUTH, Fault.NO_LOGIN, "AUTH PLAIN or LOGIN is not offered", at)

    def _answer_challenge(self, at: float) -> bytes:
        if not self._credentials:
            why = "AUTH asks for more than we have"
            return self._give_up(Stage.AUTH, Fault.NO_LOGIN, why, at)
        credential, *left = self._credentials
        self._credentials = tuple(left)
        octets = command.auth_answer(credential)
        return self._send(_Step(Stage.AUTH, octets, self._about, "(secret)"))

    def _give_up(self, stage: Stage, fault: Fault, why: str, at: float) -> bytes:
        """Note why nothing is asked, or no more, and leave."""
        self._record(at, _Step(stage, b"", self._about), text=why, fault=fault)
        return self._send(_Step(Stage.QUIT, command.quit_()))

    @property
    def _about(self) -> About:
        """Whose sake the next step is for: after the first question, it is no longer the address's."""
        return self._question.about if self._question else About.ADDRESS

    @property
    def _can_secure(self) -> bool:
        return self._extensions.starttls and not self._secured and self._tls is not TlsPolicy.NEVER

    def _ask(self, question: Question | None, at: float) -> bytes:
        self._question = question
        if question is None:
            return self._send(_Step(Stage.QUIT, command.quit_()))
        if question.needs_smtputf8 and not self._extensions.smtputf8:
            return self._give_up(Stage.RCPT, Fault.NO_SMTPUTF8, "SMTPUTF8 is not offered", at)
        steps = self._transaction(question)
        if not self._extensions.pipelining:
            self._unsent = tuple(steps[1:])
            return self._send(steps[0])
        return self._send(*steps)

    def _transaction(self, question: Question) -> list[_Step]:
        utf8 = question.needs_smtputf8
        if question.vrfy:
            octets = command.vrfy(question.recipient, smtputf8=utf8)
            return [_Step(Stage.VRFY, octets, question.about)]
        steps = [
            _Step(Stage.MAIL, command.mail(question.sender, smtputf8=utf8), question.about),
            _Step(Stage.RCPT, command.rcpt(question.recipient), question.about),
        ]
        if self._in_transaction:
            steps.insert(0, _Step(Stage.RSET, command.rset(), question.about))
            self._in_transaction = False
        return steps

    def _send(self, *steps: _Step) -> bytes:
        if self._awaited:
            raise LocalProtocolError("a command was sent while replies were awaited")
        self._awaited.extend(steps)
        self.stage = steps[0].stage
        return b"".join(step.octets for step in steps)

    def _hear(self, at: float, step: _Step, reply: Reply) -> Exchange:
        text, code = reply.text, reply.code
        enhanced = None if reply.contradicts_itself else reply.enhanced
        if self._failed:
            return self._record(at, step, text, code, enhanced, rule=VOID_RULE)
        read = self._guide.read(step.stage, reply)
        return self._record(at, step, text, code, enhanced, read.meaning, read.rule, read.weak)

    def _record(
        self,
        at: float,
        step: _Step,
        text: str = "",
        code: int | None = None,
        enhanced: str | None = None,
        meaning: Meaning | None = None,
        rule: str = "",
        weak: bool = False,
        fault: Fault | None = None,
    ) -> Exchange:
        exchange = Exchange(
            at,
            step.stage,
            self._connection,
            self._endpoint.host,
            self._endpoint.ip,
            self._endpoint.preference,
            step.about,
            step.command,
            code,
            enhanced,
            text[:MAX_KEPT_CHARS],
            meaning,
            rule,
            weak,
            fault,
        )
        self._said.append(exchange)
        return exchange
