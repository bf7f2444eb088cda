"""What one host did: the table of evidence.md section 2, cell by cell, and conversations read by it."""

import pytest

from ringback.rules.outcomes import (
    FAULTS,
    TABLE,
    Cell,
    Phase,
    Remember,
    Then,
    broken_tls,
    by_connection,
    cell_of,
    is_permanent,
    is_refusal_of_us,
    judge,
    judge_each,
    names_us,
)
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.verdict import Outcome

# evidence.md section 2, written out once more. "on": the conversation goes on. Before MAIL nobody can
# mean the null sender; a host that says so there refuses us. Refused before RCPT, whatever the words,
# opens the host's breaker (etiquette.md, Budgets).
SECTION_2 = """
    meaning              hello     mail        rcpt        then           at_rcpt     before
    accepted             on        on          accepted    stop           nothing     nothing
    ambiguous_accept     on        on          unsure      stop           nothing     nothing
    unknown_user         refused   refused     rejected    stop           nothing     refusal
    disabled_user        refused   refused     rejected    stop           nothing     refusal
    moved                refused   refused     rejected    stop           nothing     refusal
    full                 refused   refused     full        stop           nothing     refusal
    unknown_domain       refused   refused     unsure      next_host      nothing     refusal
    null_sender_refused  refused   no_bounces  no_bounces  next_host      no_bounces  no_bounces
    sender_rejected      refused   refused     refused     one_more_host  refusal     refusal
    client_blocked       refused   refused     refused     one_more_host  refusal     refusal
    rate_limited         refused   refused     refused     stop           refusal     refusal
    greylisted           deferred  deferred    deferred    stop           window      window
    verifying            deferred  deferred    deferred    stop           window      window
    server_trouble       deferred  deferred    deferred    next_host      nothing     nothing
    tls_required         unsure    unsure      unsure      next_host      nothing     refusal
    auth_required        refused   refused     unsure      next_host      nothing     refusal
    content_or_policy    refused   refused     unsure      next_host      nothing     refusal
    syntax               refused   refused     unsure      next_host      nothing     refusal
    unclear              refused   refused     unsure      next_host      nothing     refusal
"""
NO_REPLY = """
    no_such_domain no_mail_host null_mx unusable_mx dns_failure forbidden_network opted_out over_budget
    refused timeout closed
"""
ROWS = [line.split() for line in SECTION_2.strip().splitlines()[1:]]
CELLS = {
    (Phase(phase), Meaning(row[0])): Cell(
        None if word == "on" else Outcome(word), Then(row[4]), Remember(remember)
    )
    for row in ROWS
    for phase, word, remember in zip(
        ("hello", "mail", "rcpt"), row[1:4], (row[6], row[6], row[5]), strict=True
    )
}


def said(
    stage: Stage,
    meaning: Meaning | None = None,
    code: int | None = 550,
    *,
    fault: Fault | None = None,
    about: About = About.ADDRESS,
    connection: int = 1,
) -> Exchange:
    code = None if fault else code
    return Exchange(0.0, stage, connection, about=about, code=code, meaning=meaning, fault=fault)


def test_the_table_is_total() -> None:
    assert set(TABLE) == {(phase, meaning) for phase in Phase for meaning in Meaning}
    assert set(CELLS) == set(TABLE)


@pytest.mark.parametrize(("phase", "meaning"), CELLS, ids=str)
def test_each_cell_is_what_the_design_says(phase: Phase, meaning: Meaning) -> None:
    assert TABLE[phase, meaning] == CELLS[phase, meaning]


def test_faults_are_total() -> None:
    assert set(FAULTS) == set(Fault)


@pytest.mark.parametrize("fault", NO_REPLY.split())
def test_no_reply_is_unreachable_and_the_next_host_is_asked(fault: str) -> None:
    assert FAULTS[Fault(fault)] == Cell(Outcome.UNREACHABLE, Then.NEXT_HOST)


@pytest.mark.parametrize("fault", [Fault.NOT_SMTP, Fault.OUT_OF_STEP])
def test_noise_is_garbled_and_the_next_host_is_asked(fault: Fault) -> None:
    assert FAULTS[fault] == Cell(Outcome.GARBLED, Then.NEXT_HOST)


@pytest.mark.parametrize("fault", [Fault.TLS_FAILED, Fault.NO_SMTPUTF8])
def test_what_the_host_cannot_do_says_nothing_of_the_mailbox(fault: Fault) -> None:
    assert FAULTS[fault] == Cell(Outcome.UNSURE, Then.NEXT_HOST)


def test_a_broken_source_of_ours_ends_the_callout() -> None:
    assert FAULTS[Fault.SOURCE_UNUSABLE] == Cell(Outcome.REFUSED, Then.STOP)


COLUMNS = {
    Stage.GREETING: Phase.HELLO,
    Stage.EHLO: Phase.HELLO,
    Stage.HELO: Phase.HELLO,
    Stage.STARTTLS: Phase.HELLO,
    Stage.RSET: Phase.MAIL,
    Stage.MAIL: Phase.MAIL,
    Stage.RCPT: Phase.RCPT,
}


@pytest.mark.parametrize("stage", COLUMNS)
@pytest.mark.parametrize("meaning", Meaning)
def test_an_exchange_is_looked_up_in_the_column_of_its_stage(
    stage: Stage, meaning: Meaning
) -> None:
    assert cell_of(said(stage, meaning)) == CELLS[COLUMNS[stage], meaning]


OF_US = {Meaning.SENDER_REJECTED, Meaning.CLIENT_BLOCKED, Meaning.RATE_LIMITED}
AT_THE_DOOR = [stage for stage, phase in COLUMNS.items() if phase is not Phase.RCPT]


@pytest.mark.parametrize("stage", AT_THE_DOOR)
@pytest.mark.parametrize("meaning", sorted(set(Meaning) - OF_US))
def test_what_does_not_name_us_is_of_us_only_if_it_is_permanent_and_said_at_once(
    stage: Stage, meaning: Meaning
) -> None:
    """A 4xx is for the moment; a second transaction may be one too many for the session."""
    for_now, of_another = said(stage, meaning, 450), said(stage, meaning, about=About.CONTROL)

    assert not is_refusal_of_us(for_now)
    assert not is_refusal_of_us(of_another)
    assert not names_us(for_now)


@pytest.mark.parametrize("stage", COLUMNS)
@pytest.mark.parametrize("meaning", sorted(OF_US))
@pytest.mark.parametrize("about", About)
def test_what_names_us_is_of_us_wherever_it_is_said(
    stage: Stage, meaning: Meaning, about: About
) -> None:
    for code in (450, 550):
        assert is_refusal_of_us(said(stage, meaning, code, about=about))
    assert names_us(said(stage, meaning))


@pytest.mark.parametrize("stage", [Stage.ROUTE, Stage.CONNECT, Stage.TLS, Stage.QUIT])
@pytest.mark.parametrize("meaning", Meaning)
def test_other_steps_say_nothing(stage: Stage, meaning: Meaning) -> None:
    assert cell_of(said(stage, meaning)) is None


def test_a_void_reply_says_nothing() -> None:
    assert cell_of(said(Stage.RCPT, None, 550)) is None


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_counts_at_any_stage_but_the_last(fault: Fault) -> None:
    for stage in set(Stage) - {Stage.QUIT}:
        assert cell_of(said(stage, fault=fault)) == FAULTS[fault]
    assert cell_of(said(Stage.QUIT, fault=fault)) is None


MAILBOX = [Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED]


@pytest.mark.parametrize("meaning", MAILBOX)
@pytest.mark.parametrize("code", [421, 450, 451, 499])
def test_a_4xx_never_rejects_a_mailbox(meaning: Meaning, code: int) -> None:
    assert cell_of(said(Stage.RCPT, meaning, code)) == Cell(Outcome.DEFERRED, Then.STOP)


@pytest.mark.parametrize("meaning", MAILBOX)
def test_only_rcpt_condemns_a_mailbox(meaning: Meaning) -> None:
    rejecting = {
        stage
        for stage in Stage
        if (cell := cell_of(said(stage, meaning))) and cell.outcome is Outcome.REJECTED
    }

    assert rejecting == {Stage.RCPT}
    assert cell_of(said(Stage.VRFY, meaning)) == Cell(Outcome.UNSURE, Then.STOP)
    assert cell_of(said(Stage.VRFY, meaning, 450)) == Cell(Outcome.DEFERRED, Then.STOP)


@pytest.mark.parametrize("meaning", sorted(set(Meaning) - set(MAILBOX)))
def test_else_vrfy_reads_like_rcpt(meaning: Meaning) -> None:
    assert cell_of(said(Stage.VRFY, meaning)) == CELLS[Phase.RCPT, meaning]


@pytest.mark.parametrize(
    ("code", "permanent"), [(None, False), (250, False), (354, False), (499, False), (500, True)]
)
def test_only_a_5xx_is_permanent(code: int | None, permanent: bool) -> None:
    assert is_permanent(said(Stage.RCPT, Meaning.UNCLEAR, code)) is permanent


GREETED = said(Stage.GREETING, Meaning.ACCEPTED, 220)
EHLO = said(Stage.EHLO, Meaning.ACCEPTED, 250)
MAIL = said(Stage.MAIL, Meaning.ACCEPTED, 250)
REJECTED = said(Stage.RCPT, Meaning.UNKNOWN_USER)


def outcome(*conversation: Exchange, about: About = About.ADDRESS) -> Outcome | None:
    finding = judge(conversation, about)
    return finding.outcome if finding else None


def test_the_last_word_decides() -> None:
    refused_ehlo = said(Stage.EHLO, Meaning.UNCLEAR)
    helo = said(Stage.HELO, Meaning.ACCEPTED, 250)
    wants_tls = said(Stage.MAIL, Meaning.TLS_REQUIRED, 530)
    tls = said(Stage.TLS, None, None)

    assert outcome(GREETED, refused_ehlo, helo, MAIL, REJECTED) is Outcome.REJECTED
    assert outcome(GREETED, EHLO, wants_tls, tls, EHLO, MAIL, REJECTED) is Outcome.REJECTED
    assert outcome(GREETED, EHLO, wants_tls) is Outcome.UNSURE
    assert outcome(GREETED, refused_ehlo) is Outcome.REFUSED


@pytest.mark.parametrize("fault", [Fault.CLOSED, Fault.TIMEOUT])
def test_who_refuses_us_and_then_hangs_up_has_refused_us(fault: Fault) -> None:
    of_us, of_the_word = said(Stage.EHLO, Meaning.CLIENT_BLOCKED), said(Stage.EHLO, Meaning.SYNTAX)
    helo, cut_off = said(Stage.HELO, Meaning.ACCEPTED, 250), said(Stage.HELO, fault=fault)

    assert judge([GREETED, of_us, cut_off], About.ADDRESS) == judge([GREETED, of_us], About.ADDRESS)
    assert outcome(GREETED, of_the_word, cut_off) is Outcome.UNREACHABLE
    assert outcome(GREETED, of_us, helo, said(Stage.MAIL, fault=fault)) is Outcome.UNREACHABLE
    at_mail, lost = said(Stage.MAIL, Meaning.UNCLEAR), said(Stage.RCPT, fault=fault)
    assert outcome(GREETED, EHLO, at_mail, lost) is Outcome.REFUSED
    for_now = said(Stage.MAIL, Meaning.UNCLEAR, 450)
    assert outcome(GREETED, EHLO, for_now, lost) is Outcome.UNREACHABLE


def test_a_quit_is_no_word() -> None:
    bye = said(Stage.QUIT, Meaning.CLIENT_BLOCKED, 554)

    assert outcome(GREETED, EHLO, MAIL, REJECTED, bye) is Outcome.REJECTED


def test_going_on_decides_nothing() -> None:
    assert outcome() is None
    assert outcome(GREETED, EHLO, MAIL) is None


def test_a_loss_after_going_on_decides() -> None:
    assert outcome(GREETED, EHLO, MAIL, said(Stage.RCPT, fault=Fault.CLOSED)) is Outcome.UNREACHABLE


def test_mail_is_judged_where_its_flight_is_void() -> None:
    refused = said(Stage.MAIL, Meaning.NULL_SENDER_REFUSED)

    assert outcome(GREETED, EHLO, refused, said(Stage.RCPT, None, 550)) is Outcome.NO_BOUNCES


def test_each_mailbox_is_judged_by_what_was_said_of_it() -> None:
    accepted = said(Stage.RCPT, Meaning.ACCEPTED, 250)
    control = said(Stage.RCPT, Meaning.UNKNOWN_USER, about=About.CONTROL)
    lost = said(Stage.RSET, fault=Fault.CLOSED, about=About.POSTMASTER)
    conversation = (GREETED, EHLO, MAIL, accepted, control, lost)

    assert outcome(*conversation) is Outcome.ACCEPTED
    assert outcome(*conversation, about=About.CONTROL) is Outcome.REJECTED
    assert outcome(*conversation, about=About.POSTMASTER) is Outcome.UNREACHABLE


def test_all_mailboxes_of_a_connection_are_judged_at_once() -> None:
    accepted = said(Stage.RCPT, Meaning.ACCEPTED, 250)
    control = said(Stage.RCPT, Meaning.UNKNOWN_USER, about=About.CONTROL)
    silent = said(Stage.QUIT, about=About.POSTMASTER)
    conversation = [GREETED, EHLO, MAIL, accepted, control, silent]

    expected = {
        About.ADDRESS: judge(conversation, About.ADDRESS),
        About.CONTROL: judge(conversation, About.CONTROL),
    }
    assert expected == judge_each(conversation)


def test_tls_that_comes_about_is_not_broken() -> None:
    refused, failed = (
        said(Stage.STARTTLS, Meaning.UNCLEAR, 454),
        said(Stage.TLS, fault=Fault.CLOSED),
    )

    assert [failed] == broken_tls([GREETED, EHLO, failed])
    assert [] == broken_tls([GREETED, EHLO, refused, said(Stage.TLS, None, None), EHLO])


def test_a_finding_points_at_what_shows_it() -> None:
    finding = judge([GREETED, EHLO, MAIL, REJECTED], About.ADDRESS)

    assert finding is not None
    assert finding.because is REJECTED
    assert (finding.then, finding.remember) == (Then.STOP, Remember.NOTHING)


def test_conversations_are_told_apart_by_their_connection() -> None:
    before = said(Stage.ROUTE, connection=0)
    first = [said(Stage.CONNECT, connection=1), said(Stage.GREETING, connection=1)]
    second = [said(Stage.CONNECT, connection=2)]

    assert by_connection([before, *first, before, *second]) == [first, second]
    assert by_connection([]) == []
