"""What a replay has counted, as figures, and the advice that follows from them.

Not here: counting (lab/tally.py), showing it to people (replay_shown.py).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from ...lab.assumed import Standing
from ...lab.kept_dns import KeptDns
from ...lab.lane import ALWAYS, COURSE_OF, COURSES, RETRIED, RETRIED_BY_ALL, Lane
from ...lab.replay import Replay
from ...lab.tally import Busy, Could
from ...rules.envelopes import Unread
from ...values.record import Record
from ...values.settings import CallWhen, Settings
from ..instants import utc

# Those called most, of whom each is named.
MOST_BUSY = 10
# Where it could change the mail of less than one sender in a hundred, it is not worth what it costs others;
# where it is known to, of more, that is evidence.
WORTH_SHARE = 0.01
# A DNS that leaves so many questions open has shown nothing.
DNS_SILENT_SHARE = 0.5
# Where most of those who would be called have not authorised the client, most of them never wrote.
INNOCENT_SHARE = 0.5


class Switch(StrEnum):
    """What is advised."""

    ON = "switch_on"
    ALIGNED = "switch_on_aligned"
    OFF = "leave_off"
    UNSURE = "unsure"


class Advice(Record, frozen=True):
    """What is advised, and why in words."""

    switch: Switch
    why: str


class Spans(Record, frozen=True):
    """Within what time half of them came, nine tenths, and the last. Seconds."""

    half_s: float
    most_s: float
    last_s: float


class Figures(Record, frozen=True):
    """What one course comes to. None is what nobody can know without the DNS."""

    questions: int
    callouts: int
    hosts: int
    domains: int
    busiest_hour: int  # callouts that one host would get in any 60 minutes
    to_unauthorised: int | None
    unauthorised_domains: int | None
    changes_nothing: int  # callouts for mail that the site did not take
    first_contacts_put_off: int
    put_off_though_taken: int
    came_back: int
    came_back_after: Spans | None  # None: none did
    did_not_come_back: int  # of those that the site put off as well
    taken_as_gone: int  # would have come back, but for the bound of those that wait
    refused_uncalled: Mapping[str, int]
    senders: int  # of taken mail, about whom a client may be asked at all
    senders_at_most: int  # of these, whose mail could be refused or put off
    senders_refused: int  # of these, whose mail is refused by what is known
    answered: int  # taken mail, of whose sender a host would say something
    known_to_exist: int
    refused_called: int
    answers_from: Mapping[str, int]
    said: Mapping[str, int]
    busiest_hosts: Sequence[Busy]
    busiest_domains: Sequence[Busy]

    @classmethod
    def of(cls, lane: Lane, *, knows_dns: bool) -> "Figures | None":
        """None without the DNS, unless the course calls whomever it says."""
        if not knows_dns and lane.course is not ALWAYS:
            return None
        tally = lane.tally
        return cls(
            questions=tally.questions,
            callouts=tally.calls,
            hosts=len(tally.hosts),
            domains=len(tally.domains),
            busiest_hour=tally.hosts.busiest_hour,
            to_unauthorised=tally.to_unauthorised if knows_dns else None,
            unauthorised_domains=len(tally.unauthorised_domains) if knows_dns else None,
            changes_nothing=tally.in_vain.count,
            first_contacts_put_off=tally.put_off.count,
            put_off_though_taken=tally.put_off.of_taken,
            came_back=tally.put_off.came_back,
            came_back_after=_spans(tally.put_off.spans_s),
            did_not_come_back=tally.put_off.gone,
            taken_as_gone=tally.taken_as_gone,
            refused_uncalled=dict(tally.refused_uncalled),
            senders=len(tally.senders),
            senders_at_most=tally.senders.count(Could.END_OTHERWISE),
            senders_refused=tally.senders.count(Could.BE_REFUSED),
            answered=tally.answered,
            known_to_exist=tally.known_to_exist,
            refused_called=tally.refused_called,
            answers_from={str(source): count for source, count in lane.hosts.told.items()},
            said=dict(tally.said.most_common()),
            busiest_hosts=tally.hosts.busiest(MOST_BUSY),
            busiest_domains=tally.domains.busiest(MOST_BUSY),
        )


class Account(Record, frozen=True):
    """All that a replay has to tell. `yours` is the course of the configured `call_when`."""

    since: str
    until: str
    envelopes: Mapping[str, int]  # by what the site did with them
    unread: Mapping[str, int]
    out_of_order: int
    yours: str
    budget_per_host: int  # callouts an hour
    courses: Mapping[str, Figures | None]
    assumed: str
    dns_asked: int | None  # None: it was not asked
    dns_failed: int
    advice: Advice

    @classmethod
    def of(
        cls,
        settings: Settings,
        replay: Replay,
        unread: Unread,
        dns: KeptDns | None,
        assumed: Standing,
    ) -> "Account":
        call_when, knows_dns = settings.etiquette.call_when, _is_of_use(dns)
        # A DNS that was asked and is silent has left nobody to be called, which is not what would be.
        lanes = replay.lanes if knows_dns or dns is None else ()
        taken = {it.course.name: Figures.of(it, knows_dns=knows_dns) for it in lanes}
        courses = {course.name: taken.get(course.name) for course in COURSES}
        return cls(
            since=utc(replay.span.first_at or 0.0),
            until=utc(replay.span.last_at),
            envelopes={str(ending): count for ending, count in replay.envelopes.items()},
            unread=unread.counts(),
            out_of_order=replay.time.out_of_order,
            yours=COURSE_OF[call_when].name,
            budget_per_host=settings.budget.per_host,
            courses=courses,
            assumed=assumed,
            dns_asked=dns.asked if dns else None,
            dns_failed=dns.failed if dns else 0,
            advice=advise(call_when, courses),
        )


def encode(account: Account) -> object:
    """The account for programs."""
    return msgspec.to_builtins(account)


def advise(call_when: CallWhen, courses: Mapping[str, Figures | None]) -> Advice:
    """Say whether it is worth switching on: from the most that it could do, and what is known of that."""
    yours = COURSE_OF[call_when]
    most = courses[RETRIED_BY_ALL.name if yours is RETRIED else yours.name]
    if most is None or most.to_unauthorised is None:
        return Advice(Switch.UNSURE, "without answers of the DNS nobody knows who may be called")
    if not most.senders:
        return Advice(Switch.UNSURE, "the log shows no taken mail about whose sender one would ask")
    told = (
        f"of {most.senders:,} senders of taken mail, the mail of {most.senders_at_most:,} could be "
        f"refused or put off at most, and that of {most.senders_refused:,} is refused by what is known"
    )
    if most.senders_at_most < WORTH_SHARE * most.senders:
        return Advice(Switch.OFF, f"{told}: less than it is worth to others")
    if most.callouts:
        told += (
            f"; {most.to_unauthorised:,} of {most.callouts:,} callouts would go to domains "
            "that have not authorised the client"
        )
    if most.senders_refused < WORTH_SHARE * most.senders:
        return Advice(Switch.UNSURE, f"{told}. That is no evidence either way: observe first")
    if most.to_unauthorised > INNOCENT_SHARE * most.callouts:
        return Advice(Switch.ALIGNED, f"{told}: where mail is forged, these are innocents")
    return Advice(Switch.ON, told)


def _is_of_use(dns: KeptDns | None) -> bool:
    return dns is not None and dns.failed <= DNS_SILENT_SHARE * dns.asked


def _spans(spans_s: Sequence[float]) -> Spans | None:
    if not spans_s:
        return None
    ordered, last = sorted(spans_s), len(spans_s) - 1
    return Spans(
        *(round(ordered[min(last, int(part * len(ordered)))], 1) for part in (0.5, 0.9, 1.0))
    )
