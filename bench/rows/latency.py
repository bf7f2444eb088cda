"""A first message at a host 100 ms away: how many round trips the answer takes.

One asker, each question about a host that was never called; names are resolved next door. The reference is
a callout by the load generator itself: connection, EHLO, MAIL and RCPT in one flight, four round trips.
Marks: 4.5 round trips in clear, 7.5 with STARTTLS.
"""

from collections import defaultdict
from statistics import median

from .. import entrants
from ..entrants import Field, gather
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..orders import Outcome
from ..places import ANSWERS_AT_ONCE, SECURE
from ..systems.system import MOST_DOMAINS
from ..world import world

ONE_WAY_S = 0.05
QUESTIONS = 10
WITHIN_S = 60.0
IN_CLEAR = (
    entrants.CEILING,
    entrants.RINGBACK,
    entrants.CONTROL,
    entrants.EXIM,
    entrants.RANDOM,
    entrants.EAGER,
)
BEHIND_TLS = (entrants.SECURE, entrants.EXIM_SECURE)
_HEAD = ("", "p50 ms", "worst ms", "round trips", "wrong")


def run(asked: Options) -> None:
    with world(delay_s=ONE_WAY_S) as here:
        say(
            f"first messages; {describe()}; medians of {asked.rounds} × {QUESTIONS} questions; "
            f"{ONE_WAY_S * 1_000:g} ms each way"
        )
        field = gather(here, (*IN_CLEAR, *BEHIND_TLS), asked)
        field.say_who()
        outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
        for _ in range(asked.rounds):
            for name in field.systems:
                outcomes[name].append(_ask(field, name))
        rows = [_row(name, each, field.systems[name].good) for name, each in outcomes.items()]
        say_table([_HEAD, *rows])
        field.say_missing()


def _ask(field: Field, name: str) -> Outcome:
    kind = SECURE if name in BEHIND_TLS else ANSWERS_AT_ONCE
    system = field.systems[name]
    with system.asked(1, WITHIN_S, questions=QUESTIONS, kind=kind, domains=MOST_DOMAINS) as outcome:
        return outcome


def _row(name: str, outcomes: list[Outcome], good: frozenset[str]) -> list[str]:
    took_ms = [each for outcome in outcomes for each in outcome.took_ms]
    wrong = sum(count for each in outcomes for said, count in each.said.items() if said not in good)
    middle_ms = median(took_ms)
    return [
        name,
        f"{middle_ms:.0f}",
        f"{max(took_ms):.0f}",
        f"{middle_ms / (2_000 * ONE_WAY_S):.2f}",
        str(wrong) if wrong else "",
    ]
