"""What a replay has counted, as figures, and the advice that follows from them.

Not here: counting (lab/tally.py), showing it to people (replay_shown.py).
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from ...lab.assumed import Standing
from ...lab.kept_dns import KeptDns
from ...lab.lane import COURSE_OF, RETRIED, RETRIED_BY_ALL, Lane
from ...lab.replay import Replay
from ...lab.tally import Busy, Tally
from ...rules.envelopes import Ending, Unread
from ...values.record import Record
from ...values.settings import CallWhen, Settings
from ..instants import utc

# Those called most, of whom each is named.
MOST_BUSY = 10
# Where an answer could change less than one mail in a hundred, it is not worth what it costs others.
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


class Figures(Record, frozen=True):
    """What one course comes to. Spans are in seconds: p50, p90 and the longest."""

    course: str
    questions: int
    callouts: int
    hosts: int
    domains: int
    busiest_hour: int  # callouts that one host would get in any 60 minutes
    to_unauthorised: int
    unauthorised_domains: int
    changes_nothing: int  # callouts for mail that the site did not take
    first_contacts_put_off: int
    put_off_though_taken: int
    came_back: int
    came_back_after_s: tuple[float, ...]
    did_not_come_back: int  # of those that the site put off as well
    refused_uncalled: Mapping[str, int]
    answered: int  # taken mail, of whose sender a host would say something
    known_to_exist: int
    refused_called: int
    answers_from: Mapping[str, int]
    said: Mapping[str, int]
    busiest_hosts: Sequence[Busy]
    busiest_domains: Sequence[Busy]

    @classmethod
    def of(cls, lane: Lane) -> "Figures":
        tally = lane.tally
        return cls(
            course=lane.course.name,
            questions=tally.questions,
            callouts=tally.calls,
            hosts=len(tally.hosts),
            domains=len(tally.domains),
            busiest_hour=tally.hosts.busiest_hour,
            to_unauthorised=tally.to_unauthorised,
            unauthorised_domains=len(tally.unauthorised_domains),
            changes_nothing=tally.changes_nothing,
            first_contacts_put_off=tally.put_off.count,
            put_off_though_taken=tally.put_off.of_taken,
            came_back=tally.put_off.came_back,
            came_back_after_s=_spans(tally),
            did_not_come_back=tally.put_off.gone,
            refused_uncalled=dict(tally.refused_uncalled),
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
    yours: str
    per_host: int  # the budget
    courses: Sequence[Figures]
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
        call_when = settings.etiquette.call_when
        courses = [Figures.of(lane) for lane in replay.lanes]
        taken = replay.envelopes[Ending.TAKEN]
        return cls(
            since=utc(replay.span.first_at or 0.0),
            until=utc(replay.span.last_at),
            envelopes={str(ending): count for ending, count in replay.envelopes.items()},
            unread=unread.counts(),
            yours=COURSE_OF[call_when].name,
            per_host=settings.budget.per_host,
            courses=courses,
            assumed=assumed,
            dns_asked=dns.asked if dns else None,
            dns_failed=dns.failed if dns else 0,
            advice=advise(call_when, taken, courses, knows_dns=_is_of_use(dns)),
        )

    def course(self, name: str) -> Figures:
        return next(course for course in self.courses if course.course == name)


def encode(account: Account) -> object:
    """The account for programs."""
    return msgspec.to_builtins(account)


def advise(
    call_when: CallWhen, taken: int, courses: Sequence[Figures], *, knows_dns: bool
) -> Advice:
    """Say whether it is worth switching on, from the most that it could do."""
    if not taken:
        return Advice(Switch.UNSURE, "the log shows no mail that was taken")
    if not knows_dns:
        return Advice(Switch.UNSURE, "without answers of the DNS nobody knows who may be called")
    named = {course.course: course for course in courses}
    yours = COURSE_OF[call_when]
    most = named[RETRIED_BY_ALL.name if yours is RETRIED else yours.name]
    most_changed = sum(most.refused_uncalled.values()) + most.answered - most.known_to_exist
    share = most_changed / taken
    could = f"it could change {most_changed:,} of {taken:,} mails ({share:.1%}) at most"
    if share < WORTH_SHARE:
        return Advice(Switch.OFF, f"{could}: less than it is worth to others")
    if not most.callouts:
        return Advice(Switch.ON, f"{could}, and nobody would be called for it")
    strangers = f"{most.to_unauthorised:,} of {most.callouts:,} callouts would go to domains"
    told = f"{could}, and {strangers} that have not authorised the client"
    if most.to_unauthorised > INNOCENT_SHARE * most.callouts:
        return Advice(Switch.ALIGNED, f"{told}: where mail is forged, these are innocents")
    return Advice(Switch.ON, told)


def _is_of_use(dns: KeptDns | None) -> bool:
    return dns is not None and dns.failed <= DNS_SILENT_SHARE * dns.asked


def _spans(tally: Tally) -> tuple[float, ...]:
    ordered = sorted(tally.put_off.spans_s)
    last = len(ordered) - 1
    return tuple(
        ordered[min(last, int(part * len(ordered)))] for part in (0.5, 0.9, 1.0) if ordered
    )
