"""The Guide of a session that serves several callouts: their plans, one after the other.

Each has transactions of its own, and evidence of its own: the start that all share, and what was asked for
it. What the host says of one decides whether the next is asked at all.
Not here: who takes part (engine/sessions.py), what one asks for (rules/plan.py).
"""

from collections.abc import Callable, Sequence

from ..rules.outcomes import Remember, cell_of, judge
from ..values.evidence import About, Exchange, Fault, Reading, Stage
from ..wire.probe import SHUTTING_DOWN
from ..wire.question import Question
from ..wire.reply import Reply
from .session import Guest

# What is said for the connection's sake, not for a mailbox.
_SHARED = frozenset(
    {
        Stage.CONNECT,
        Stage.GREETING,
        Stage.EHLO,
        Stage.HELO,
        Stage.STARTTLS,
        Stage.TLS,
        Stage.AUTH,
    }
)
_NAMING = frozenset({Stage.RCPT, Stage.VRFY})
TOO_MANY_RECIPIENTS = 452  # RFC 5321 section 4.5.3.1.10: of this session


class Chain:
    """`allowed`: how many recipients the host may refuse before nothing more is asked; None: any number.

    `note_refused` is called for each, with the host's IP address.
    """

    __slots__ = ("_allowed", "_begins", "_left", "_note_refused", "_turn", "served")

    def __init__(
        self, guests: Sequence[Guest], allowed: int | None, note_refused: Callable[[str], None]
    ) -> None:
        self._turn, *left = guests
        self._left = left
        self._begins = 0  # where in the transcript the part of the present turn begins
        self._allowed, self._note_refused = allowed, note_refused
        self.served: list[Guest] = []  # who got what the host said as an answer

    def read(self, stage: Stage, reply: Reply) -> Reading:
        if reply.code >= 500 and stage is Stage.RCPT and self._allowed is not None:
            self._allowed -= 1
            self._note_refused(self._turn.visit.endpoint.ip)
        return self._turn.visit.plan.read(stage, reply)

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        question = self._ask(said)
        while question is None and self._left and self._pass_on(said):
            question = self._ask(said)
        return question

    @property
    def not_served(self) -> list[Guest]:
        return [guest for guest in self._left if not guest.is_gone]

    def end(self, said: Sequence[Exchange]) -> None:
        """The connection is closed."""
        own = self._own(said)
        if self._left and not self._begins and _ends_for_all(said):
            self._serve(self._turn, own)
            for guest in self._left:
                self._serve(guest, _shared(guest, said))
            self._left.clear()
        elif self._begins and _cuts_off(own, self._turn.visit.about):
            self._left.insert(0, self._turn)  # it may be for those before it
        else:
            self._serve(self._turn, own)

    def _ask(self, said: Sequence[Exchange]) -> Question | None:
        own, visit = self._own(said), self._turn.visit
        question = None if self._allowed == 0 else visit.plan.next_question(own)
        visit.hear(own, question)
        return question

    def _pass_on(self, said: Sequence[Exchange]) -> bool:
        """Turn to the next guest whom this turn has left something to ask."""
        left = self.not_served
        if not left or self._allowed == 0 or _troubles(own := self._own(said)):
            return False
        lessons = self._turn.visit.lessons(own)
        spared = [guest for guest in left if any(map(guest.visit.is_spared, lessons))]
        for guest in spared:
            guest.visit.break_off(())
            guest.settle()
        self._left = [guest for guest in left if guest not in spared]
        if not self._left:
            return False
        self._serve(self._turn, own)
        self._turn.settle()
        self._turn, self._begins = self._left.pop(0), len(said)
        return True

    def _serve(self, guest: Guest, own: tuple[Exchange, ...]) -> None:
        guest.visit.conclude(own)
        self.served.append(guest)

    def _own(self, said: Sequence[Exchange]) -> tuple[Exchange, ...]:
        """The evidence of the present turn, which the first has as it is."""
        if not self._begins:
            return tuple(said)
        start = [shared for shared in said[: self._begins] if shared.stage in _SHARED]
        own = [shared.but(about=About.ADDRESS) for shared in start] + [*said[self._begins :]]
        return tuple(_as_said_to(self._turn, exchange) for exchange in own)


def _as_said_to(guest: Guest, exchange: Exchange) -> Exchange:
    """The exchange as one of this guest's callout, who may know the host by another name."""
    endpoint = guest.visit.endpoint
    return exchange.but(
        connection=guest.visit.connection,
        host=endpoint.host,
        preference=endpoint.preference,
    )


def _shared(guest: Guest, said: Sequence[Exchange]) -> tuple[Exchange, ...]:
    unnamed = [exchange for exchange in said if exchange.stage not in _NAMING]
    return tuple(_as_said_to(guest, exchange) for exchange in unnamed)


def _ends_for_all(said: Sequence[Exchange]) -> bool:
    """True where the host ended it before any mailbox was named: it would have said so to each."""
    # What followed a refused command in the same flight has no meaning.
    told = [one for one in said if one.stage is not Stage.QUIT and (one.meaning or one.fault)]
    if not told or any(one.stage in _NAMING for one in told):
        return False
    cell, last = cell_of(told[-1]), told[-1]
    # Silence at MAIL may be for the RCPT that came with it.
    return cell is not None and cell.outcome is not None and not _is_silence_at_mail(last)


def _is_silence_at_mail(last: Exchange) -> bool:
    return last.stage is Stage.MAIL and last.fault is not None


def _cuts_off(own: Sequence[Exchange], about: About) -> bool:
    """True where the host would not go on with this session, whomever it was asked for.

    It had taken our MAIL before; that it takes no second one is no refusal of us.
    """
    finding = judge(own, about)
    if finding is None or finding.because.stage not in _NAMING:
        return True
    answer = finding.because
    lost = answer.fault not in (None, Fault.NO_SMTPUTF8)
    return lost or answer.code in (SHUTTING_DOWN, TOO_MANY_RECIPIENTS)


def _troubles(own: Sequence[Exchange]) -> bool:
    """True where the host has shown that it had enough of us, or that newcomers wait."""
    findings = [judge(own, about) for about in About]
    return any(it is not None and it.remember in _ENOUGH for it in findings)


_ENOUGH = frozenset({Remember.REFUSAL, Remember.WINDOW})
