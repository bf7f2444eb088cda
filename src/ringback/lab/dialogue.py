"""One side of an SMTP session, the server's, led by a persona: command lines in, acts out. No I/O, no clock.

Not here: how an act's bytes leave and what becomes of the connection (mx.py).
"""

import re
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Protocol

from ..values.text import printable
from .personas import Persona, Rule, Scope, Step

# First contacts that a host remembers; the oldest go first. Beyond what any test or demo makes.
MAX_CONTACTS = 10_000

_PATH = re.compile(r"(?:FROM|TO):\s*<(.*)>(?:\s+(.*))?", re.IGNORECASE)
_BLANK = re.compile(r"\{(host|helo|client|from|to|offers)\}")
_VERBS = {
    verb.upper(): verb
    for verb in Step
    if verb not in (Step.GREETING, Step.MESSAGE, Step.UNKNOWN, Step.BAD_SEQUENCE, Step.BAD_SYNTAX)
}
# RFC 6531 section 3.4, RFC 1870, RFC 6152: a parameter may be used only where its keyword was offered.
_KEYWORD_OF = {
    "SMTPUTF8": "SMTPUTF8",
    "SIZE": "SIZE",
    "BODY": "8BITMIME",
    "RET": "DSN",
    "ENVID": "DSN",
}
_NEEDS_GREETING = frozenset({Step.MAIL, Step.RCPT, Step.DATA})


@dataclass(frozen=True, slots=True)
class Act:
    """What a host does next. `octets` are sent as `rule` says."""

    step: Step
    rule: Rule
    octets: bytes

    @property
    def positive(self) -> bool:
        return self.octets[:1] in (b"2", b"3")

    @property
    def permanent_refusal(self) -> bool:
        return self.octets[:1] == b"5"


class Brain(Protocol):
    """What leads a host through one session."""

    def greet(self, now: float) -> Act: ...

    def hear(self, line: str, *, pipelined: bool, now: float) -> Act | None:
        """Return what to do about one line; None while it only listens (a message after DATA)."""
        ...

    def enter_tls(self) -> None:
        """The handshake is done: forget what was said before it (RFC 3207 section 4.2)."""
        ...


@dataclass(slots=True)
class Memory:
    """What a host remembers from one session to the next."""

    first_seen_at: dict[tuple[str, str, str], float] = field(default_factory=dict)
    steps: Counter[tuple[str, Step]] = field(default_factory=Counter)  # by client
    refused: Counter[str] = field(default_factory=Counter)  # recipients, by client

    def waited_s(self, contact: tuple[str, str, str], now: float) -> float:
        """Return how long ago `contact` was first made. Seconds."""
        if len(self.first_seen_at) >= MAX_CONTACTS and contact not in self.first_seen_at:
            del self.first_seen_at[next(iter(self.first_seen_at))]
        return now - self.first_seen_at.setdefault(contact, now)


class Conversation:
    """A persona in one session with one client.

    `mailboxes` are local parts by domain, "*" standing for any; they are looked up without regard to case.
    """

    def __init__(
        self,
        persona: Persona,
        host: str,
        client: str,
        mailboxes: Mapping[str, Set[str]],
        memory: Memory,
    ) -> None:
        self._persona = persona
        self._mailboxes = mailboxes
        self._memory = memory
        self._blanks = {"host": host, "client": client, "helo": "", "from": "", "to": ""}
        self._client = client
        self._extended = False  # EHLO was taken
        self._greeted = False
        self._tls = False
        self._sender: str | None = None
        self._accepted = 0  # recipients of this transaction
        self._international = False  # RFC 6531: MAIL came with SMTPUTF8
        self._in_message = False
        self._steps: dict[Scope, Counter[Step]] = {scope: Counter() for scope in Scope}
        self._refused: Counter[Scope] = Counter()

    def greet(self, now: float) -> Act:
        return self._act(Step.GREETING, pipelined=False, now=now)

    def enter_tls(self) -> None:
        self._tls = True
        self._greeted = self._extended = False
        self._end_transaction()

    def hear(self, line: str, *, pipelined: bool, now: float) -> Act | None:
        if self._in_message:
            if line != ".":
                return None
            self._in_message = False
            act = self._act(Step.MESSAGE, pipelined=pipelined, now=now)
            self._end_transaction()
            return act
        step, argument = self._read(line)
        act = self._act(step, pipelined=pipelined, now=now)
        self._follow(act, argument)
        return act

    def _read(self, line: str) -> tuple[Step, str]:
        """Return the step that `line` is, and its argument; fill in the blanks."""
        verb, _, argument = line.partition(" ")
        step = _VERBS.get(verb.upper(), Step.UNKNOWN)
        if self._persona.strict and not self._timely(step):
            return Step.BAD_SEQUENCE, ""
        if step in (Step.EHLO, Step.HELO, Step.LHLO):
            self._blanks["helo"] = printable(argument)
            return (step, argument) if argument else (Step.BAD_SYNTAX, "")
        if step in (Step.MAIL, Step.RCPT):
            path = self._path(argument)
            if path is None:
                return Step.BAD_SYNTAX, ""
            self._blanks["from" if step is Step.MAIL else "to"] = path
            return step, path
        if step is Step.VRFY:
            self._blanks["to"] = argument.strip().strip("<>")
        return step, argument

    def _timely(self, step: Step) -> bool:
        if step in _NEEDS_GREETING and not self._greeted:
            return False
        if step is Step.MAIL:
            return self._sender is None
        if step is Step.RCPT:
            return self._sender is not None
        return step is not Step.DATA or self._accepted > 0

    def _path(self, argument: str) -> str | None:
        found = _PATH.fullmatch(argument)
        if found is None:
            return None
        words = [word.partition("=")[0] for word in (found[2] or "").upper().split()]
        if not self._persona.strict:
            return found[1]
        offered = {offer.split()[0].upper() for offer in self._persona.offers if self._extended}
        if any(_KEYWORD_OF.get(word) not in offered for word in words):
            return None
        if self._sender is None:  # this is MAIL, which speaks for the whole transaction
            self._international = "SMTPUTF8" in words
        return found[1] if found[1].isascii() or self._international else None

    def _act(self, step: Step, *, pipelined: bool, now: float) -> Act:
        rules = self._persona.rules[step]
        rule = next(rule for rule in rules if self._holds(rule, step, pipelined, now))
        self._count(step)
        act = Act(step, rule, self._octets(rule))
        if step is Step.RCPT and act.permanent_refusal:
            for scope in Scope:
                self._refused[scope] += 1
            self._memory.refused[self._client] += 1
        return act

    def _holds(self, rule: Rule, step: Step, pipelined: bool, now: float) -> bool:
        return (
            (rule.tls is None or rule.tls is self._tls)
            and (rule.pipelined is None or rule.pipelined is pipelined)
            and (not rule.sender or self._sender_is(rule.sender))
            and (not rule.recipient or self._recipient_is(rule.recipient))
            and self._count_of(step, rule.scope) >= rule.after
            and self._refused_in(rule.scope) >= rule.refused
            and (not rule.greylist_s or self._waits(rule.greylist_s, now))
        )

    def _sender_is(self, wanted: str) -> bool:
        sender = self._blanks["from"]
        if wanted in ("null", "real"):
            return (sender == "") is (wanted == "null")
        return fnmatchcase(sender, wanted)

    def _recipient_is(self, wanted: str) -> bool:
        recipient = self._blanks["to"]
        if wanted not in ("known", "unknown", "foreign"):
            return fnmatchcase(recipient, wanted)
        return wanted == self._standing(recipient)

    def _standing(self, recipient: str) -> str:
        local, _, domain = recipient.rpartition("@") if "@" in recipient else (recipient, "", "")
        # RFC 5321 section 4.5.1: postmaster alone, and at every domain served.
        if local.lower() == "postmaster" and (not domain or domain.lower() in self._mailboxes):
            return "known"
        if domain.lower() not in self._mailboxes:
            return "foreign"
        names = {name.lower() for name in self._mailboxes[domain.lower()]}
        return "known" if "*" in names or local.lower() in names else "unknown"

    def _waits(self, greylist_s: float, now: float) -> bool:
        contact = (self._client, self._blanks["from"], self._blanks["to"])
        return self._memory.waited_s(contact, now) < greylist_s

    def _count(self, step: Step) -> None:
        for scope in Scope:
            self._steps[scope][step] += 1
        self._memory.steps[self._client, step] += 1

    def _count_of(self, step: Step, scope: Scope) -> int:
        if scope is Scope.HOST:
            return self._memory.steps[self._client, step]
        return self._steps[scope][step]

    def _refused_in(self, scope: Scope) -> int:
        return self._memory.refused[self._client] if scope is Scope.HOST else self._refused[scope]

    def _follow(self, act: Act, argument: str) -> None:
        """Move on as the reply allows."""
        if act.step in (Step.EHLO, Step.HELO, Step.LHLO) and act.positive:
            self._greeted, self._extended = True, act.step is not Step.HELO
            self._end_transaction()
        elif act.step is Step.MAIL and act.positive:
            self._end_transaction()
            self._sender = argument
        elif act.step is Step.RCPT and act.positive:
            self._accepted += 1
        elif act.step is Step.RSET and act.positive:
            self._end_transaction()
        elif act.step is Step.DATA:
            self._in_message = act.positive

    def _end_transaction(self) -> None:
        self._sender, self._accepted = None, 0
        self._steps[Scope.TRANSACTION].clear()
        self._refused[Scope.TRANSACTION] = 0

    def _octets(self, rule: Rule) -> bytes:
        if rule.raw:
            return rule.raw.encode("latin-1")
        return encode_reply(self._filled(rule.say)) if rule.say else b""

    def _filled(self, say: str) -> str:
        offers = [offer for offer in self._persona.offers if offer != "STARTTLS" or not self._tls]
        blanks = {key: printable(text) for key, text in self._blanks.items()}
        blanks["offers"] = "\n".join(offers)
        return _BLANK.sub(lambda found: blanks[found[1]], say).rstrip("\n")


def encode_reply(say: str) -> bytes:
    """Return "CODE text" as a reply; each further line of the text gets the code too."""
    code, text = say[:3], say[4:]
    *first, last = text.split("\n")
    lines = [f"{code}-{line}" for line in first] + [f"{code} {last}".rstrip()]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")
