"""A stream of mail with known truth, from a seed: forged, spammers' own, and honest; two weeks by default.

The same seed makes the same mail, whatever the share of bots that try again. Not here: who writes
(population.py, correspondents.py), what a receiver does with it (harm.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ..values.query import Client
from .correspondents import Correspondent, Kind
from .dice import Dice
from .population import Population
from .schedules import DAY_S, HOUR_S, MINUTE_S, Schedule


class Truth(StrEnum):
    """What a message is."""

    FORGED = "forged"  # by a bot, in an innocent's name
    OWN_SPAM = "own spam"  # by a spammer, in his own
    HONEST = "honest"


@dataclass(frozen=True, slots=True)
class Volume:
    """How much there is. `retried_share`: of the forged mail that is deferred."""

    forged: int = 10_000
    honest: int = 10_000
    own_spam: int = 1_000
    days: float = 14.0
    retried_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Message:
    """One mail, mostly to one recipient. Instants are in seconds since the run began."""

    serial: int
    at: float
    truth: Truth
    why: str  # how honest mail comes
    sender: str
    recipient: str
    clients: tuple[Client, ...]  # attempt by attempt, over and over
    retries: tuple[float, ...]  # seconds after the first attempt
    stretch: float = 1.0  # no two queues run in step
    others: tuple[str, ...] = ()  # its other recipients

    @property
    def recipients(self) -> tuple[str, ...]:
        return self.recipient, *self.others

    def to(self, recipients: Sequence[str]) -> "Message":
        """The same mail, to these of its recipients."""
        return replace(self, recipient=recipients[0], others=tuple(recipients[1:]))

    def attempts(self) -> Iterator[tuple[float, Client]]:
        """When it is tried, and from where, for as long as it is deferred."""
        yield self.at, self.clients[0]
        for number, after_s in enumerate(self.retries, start=1):
            yield self.at + after_s * self.stretch, self.clients[number % len(self.clients)]


# A bot sends in bursts: so many messages on average, so long apart on average.
_BURST_MESSAGES, _BURST_GAP_S = 20, 30.0
# How often the next message of a burst has the sender of the one before. With it a verifier that calls for
# each sender that it does not remember makes some 7,800 callouts for 10,000 messages.
_SAME_SENDER_SHARE = 0.26
# Bots that try again do so soon, and not for long.
_BOT_RETRIES = 3
_BOT_RETRY_S = (5 * MINUTE_S, HOUR_S)
_MOST_STRETCH = 1.15
# Some mail goes to several: to so many more on average, and no more than MOST_RECIPIENTS in all.
_SEVERAL_SHARE, _MORE_RECIPIENTS = 0.04, 4.0
MOST_RECIPIENTS = 20
# Mail between two people comes in threads.
_QUIET_NIGHTS = 0.35  # how much of honest mail is moved to office hours


def stream(seed: str, people: Population, volume: Volume) -> tuple[Message, ...]:
    """All mail, by the instants of its first attempts."""
    dice = Dice(f"{seed}/traffic")
    mail = [
        *_forged(dice.of("forged"), people, volume),
        *_own_spam(dice.of("own spam"), people, volume),
        *_honest(dice.of("honest"), people, volume),
    ]
    several = dice.of("several")
    mail = [_to_several(several, people.users, message) for message in mail]
    return tuple(sorted(mail, key=lambda message: (message.at, message.serial)))


def _to_several(dice: Dice, users: Sequence[str], message: Message) -> Message:
    """Some of the mail to several recipients; the sender of a list has one alone."""
    if message.why == Kind.LIST or not dice.happens(_SEVERAL_SHARE):
        return message
    count = min(MOST_RECIPIENTS - 1, 1 + int(dice.wait(_MORE_RECIPIENTS - 1)))
    others = {dice.pick(users): None for _ in range(count)}
    others.pop(message.recipient, None)
    return replace(message, others=tuple(others))


def _forged(dice: Dice, people: Population, volume: Volume) -> Iterator[Message]:
    serial = 0
    while serial < volume.forged:
        bot, at = dice.pick(people.bots), dice.draw() * volume.days * DAY_S
        sender = ""
        for _ in range(1 + int(dice.wait(_BURST_MESSAGES - 1))):
            if serial == volume.forged:
                return
            if not sender or not dice.happens(_SAME_SENDER_SHARE):
                sender = dice.pick(people.forged.draw(dice))
            at += dice.wait(_BURST_GAP_S)
            serial += 1
            yield _from_bot(dice, bot, at, sender, people, volume, serial)


def _from_bot(
    dice: Dice,
    bot: Client,
    at: float,
    sender: str,
    people: Population,
    volume: Volume,
    serial: int,
) -> Message:
    # All is drawn, whether it is needed or not: the rest of the stream must not depend on it.
    persistent = dice.draw() < volume.retried_share
    retries, after_s = [], 0.0
    for _ in range(_BOT_RETRIES):
        after_s += dice.between(*_BOT_RETRY_S)
        retries.append(after_s)
    recipient = dice.pick(people.users)
    return Message(
        serial,
        at,
        Truth.FORGED,
        "retried" if persistent else "",
        sender,
        recipient,
        (bot,),
        tuple(retries) if persistent else (),
    )


def _own_spam(dice: Dice, people: Population, volume: Volume) -> Iterator[Message]:
    for number in range(volume.own_spam):
        spammer = dice.pick(people.spammers)
        yield Message(
            volume.forged + number + 1,
            dice.draw() * volume.days * DAY_S,
            Truth.OWN_SPAM,
            "",
            dice.pick(spammer.senders),
            dice.pick(people.users),
            (spammer.client,),
            Schedule.POSTFIX.value,
            dice.between(1.0, _MOST_STRETCH),
        )


def _honest(dice: Dice, people: Population, volume: Volume) -> Iterator[Message]:
    for number in range(volume.honest):
        writer: Correspondent = people.correspondents.draw(dice)
        serial = volume.forged + volume.own_spam + number + 1
        recipient = dice.pick(writer.recipients)
        user = recipient.replace("@", "=")
        yield Message(
            serial,
            _office_hours(dice, volume.days),
            Truth.HONEST,
            writer.kind.value,
            writer.sender.format(serial=serial, user=user),
            recipient,
            _turned(writer.clients, number) if writer.kind is Kind.POOL else writer.clients,
            writer.schedule.value,
            dice.between(1.0, _MOST_STRETCH),
        )


def _turned(clients: tuple[Client, ...], number: int) -> tuple[Client, ...]:
    """The pool, beginning with another of its hosts each time."""
    start = number % len(clients)
    return clients[start:] + clients[:start]


def _office_hours(dice: Dice, days: float) -> float:
    day, hour = dice.below(int(days)) if days >= 1 else 0, dice.draw()
    if dice.happens(_QUIET_NIGHTS):
        hour = (8.0 + 10.0 * hour) / 24.0
    return (day + hour) * DAY_S if days >= 1 else hour * days * DAY_S
