"""What to ask a host, in which order: the address, then what contrast needs. Pure.

The real recipient goes first; the control only if it was accepted; postmaster only if it was refused
in weak words. Not here: when to call at all (rules/exemptions.py), and what the answers amount to
(rules/conclude.py).
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

from ..values.evidence import About, Exchange, Meaning, Reading, Stage
from ..values.record import Record
from ..wire.question import Question
from ..wire.reply import Reply
from .classify import Book, classify
from .outcomes import is_permanent

POSTMASTER = "postmaster"  # RFC 5321 section 4.5.1: every host that takes mail has it

QUARTER_S = 365.25 / 4 * 86_400

# The control looks like a name that a person could have, and yet that nobody has: a common first name
# and a family name put together of parts, 51 × 32 × 32 × 16 of them.
_FIRST_NAMES = (
    "anna bernd carla david elena frank greta henry irene jonas karin lucas maria nico olga paul "
    "rosa simon tina ulrich vera walter xenia yvonne adam birgit cesar doris erik fiona georg "
    "helen igor julia klaus laura martin nadia oscar petra robert sofia thomas ursula victor "
    "wendy yannick zoe"
).split()
_HEADS = (
    "al bar bel bre cor dal den dor el fal far gal gar hal hol kar kel lan lin mar mor nel nor pal "
    "per ros sal stan tor val wal wen"
).split()
_MIDDLES = (
    "a am an ar be bi da de di e el en er fe ga i in is ka la li me mi na ni o ol ra ri sa ti vi"
).split()
_TAILS = ("berg burg dell ders feld gren holt kamp land lund mann nert sen ston veld wick").split()


class Plan(Record, frozen=True):
    """What one conversation is to find out: the Guide of a Probe.

    `control` and `postmaster` are addresses, or "" where contrast is not wanted.
    `vrfy`: ask with VRFY; `vrfy_fallback`: ask with RCPT where the host does not want VRFY.
    `ours`: the host is that of a route, and its word on its own mailboxes needs no contrast (ADR 8).
    """

    book: Book
    address: str
    control: str = ""
    postmaster: str = ""
    sender: str = ""
    vrfy: bool = False
    vrfy_fallback: bool = False
    ours: bool = False

    def read(self, stage: Stage, reply: Reply) -> Reading:
        if stage is Stage.AUTH:
            return _read_login(reply)
        reading = classify(stage, reply, self.book, null_sender=not self.sender)
        if self.ours and reading.weak and reading.meaning in MAILBOX:
            reading = reading.but(weak=False, rule=f"{reading.rule}, in the host's own words")
        if reading.meaning is Meaning.UNKNOWN_USER and stage in _ANSWERS:
            return self._doubted(reply, reading)
        return reading

    def _doubted(self, reply: Reply, reading: Reading) -> Reading:
        """A refusal that names another mailbox than ours is not about ours: it may be the sender's."""
        named = _NAMED.search(reply.text[:_NAMED_WITHIN_CHARS])
        if named is None:
            return reading
        local = (named["local"] or named["bare_local"] or "").lower()
        domain = (named["domain"] or named["bare_domain"] or "").lower()
        if not domain:
            return Reading(Meaning.NULL_SENDER_REFUSED, "names the null sender")
        asked = [one.lower().rpartition("@") for one in (self.address, self.control)]
        # Aliases show the name behind them: the local part or the domain is still the one asked for.
        if any(local == own or domain == at for own, _, at in asked):
            return reading
        return Reading(Meaning.UNCLEAR, "names another mailbox")

    def next_question(self, said: Sequence[Exchange]) -> Question | None:
        answers = {answer.about: answer for answer in said if answer.stage in _ANSWERS}
        if not self.address:  # only the control is open (evidence.md section 3, scenario 48)
            return None if answers else self._question(About.CONTROL, self.control, said)
        address = answers.get(About.ADDRESS)
        if address is None:
            return self._question(About.ADDRESS, self.address, said)
        if declines_vrfy(address):
            fallback = self._question(About.ADDRESS, self.address, said)
            return fallback if self.vrfy_fallback else None
        if address.meaning is Meaning.ACCEPTED and self.control and About.CONTROL not in answers:
            return self._question(About.CONTROL, self.control, said)
        if needs_postmaster(address) and self.postmaster and About.POSTMASTER not in answers:
            return self._question(About.POSTMASTER, self.postmaster, said)
        return None

    def _question(self, about: About, recipient: str, said: Sequence[Exchange]) -> Question:
        vrfy = self.vrfy and not any(declines_vrfy(exchange) for exchange in said)
        return Question(about, recipient, self.sender, vrfy)


_ANSWERS = frozenset({Stage.RCPT, Stage.VRFY})
# "<ann@shop.example>: User unknown", "ann@shop.example: no such user"; and "<>: user unknown" of the sender.
_NAMED = re.compile(
    r"<(?:(?P<local>[^<>@\s]{1,64})@(?P<domain>[^<>@\s]{1,255}))?>"
    r"|\A(?P<bare_local>[^<>@\s]{1,64})@(?P<bare_domain>[A-Za-z0-9.-]{1,255}):"
)
_NAMED_WITHIN_CHARS = 1_000


def _read_login(reply: Reply) -> Reading:
    """What is said to AUTH is about our password, whatever the words."""
    if reply.code < 400:
        return Reading(Meaning.ACCEPTED, "login")
    for_now = reply.code < 500
    return Reading(Meaning.SERVER_TROUBLE if for_now else Meaning.AUTH_REQUIRED, "login")


MAILBOX = frozenset({Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED})
# What a weak refusal may mean. Words about us, a policy or the form are never made into a mailbox's.
_WEAK = MAILBOX | {Meaning.UNCLEAR}


def declines_vrfy(exchange: Exchange) -> bool:
    """True for a 252 or 5xx to VRFY about the address: the owner's wish (etiquette.md row 4).

    About the control, a 5xx is the contrast that was asked for.
    """
    if exchange.stage is not Stage.VRFY or exchange.about is not About.ADDRESS:
        return False
    code = exchange.code or 0
    return code == 252 or code >= 500


def needs_postmaster(exchange: Exchange) -> bool:
    """True for a permanent refusal that hardly says why: it takes contrast to count."""
    weak = exchange.weak and exchange.meaning in _WEAK
    return exchange.stage is Stage.RCPT and weak and is_permanent(exchange)


def control_local_part(key: bytes, domain: str, now: float) -> str:
    """Derive the local part that nobody has: one for each domain and quarter of a year.

    Keyed, so that nobody without the key can treat it specially; the same all quarter, so that a site
    sees one bogus address and not one a message.
    """
    quarter = int(now // QUARTER_S)
    digest = hmac.digest(key, f"{domain} {quarter}".encode(), hashlib.sha256)
    first = _FIRST_NAMES[digest[0] % len(_FIRST_NAMES)]
    parts = zip((_HEADS, _MIDDLES, _TAILS), digest[1:4], strict=True)
    family = "".join(words[octet % len(words)] for words, octet in parts)
    return f"{first}.{family}"


# What `control_local_part` makes of its words.
_CONTROL = re.compile(
    rf"(?:{'|'.join(_FIRST_NAMES)})\.(?:{'|'.join(_HEADS)})(?:{'|'.join(_MIDDLES)})(?:{'|'.join(_TAILS)})"
)


def resembles_control(local: str) -> bool:
    """True for what could be a control of anybody's who uses this: made of the same words."""
    return _CONTROL.fullmatch(local) is not None
