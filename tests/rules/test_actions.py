"""What the MTA is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.actions import (
    DUNNO,
    MAX_LINE_CHARS,
    TABLE,
    Action,
    Case,
    Kind,
    case_of,
    choose,
    failed,
)
from ringback.rules.gates import Gate
from ringback.values.evidence import About, Exchange, Stage
from ringback.values.query import Purpose, Report
from ringback.values.settings import DeferOrAccept, Etiquette
from ringback.values.verdict import VERDICT_OF, Reason, Verdict
from ringback.wire.policy import encode

NOON = 1_800_000_000.0
UNDELIVERABLE = [reason for reason in Reason if VERDICT_OF[reason] is Verdict.UNDELIVERABLE]
UNKNOWN = [reason for reason in Reason if VERDICT_OF[reason] is Verdict.UNKNOWN]
NEVER_DEFERRED = {
    Reason.OPTED_OUT,
    Reason.OVER_BUDGET,
    Reason.NOT_ASKED,
    Reason.IDENTITY_UNFIT,
}
SAID = Exchange(
    at=NOON,
    stage=Stage.RCPT,
    host="mx1.shop.example",
    ip="192.0.2.25",
    command="RCPT TO:<ann@shop.example>",
    code=550,
    enhanced="5.1.1",
    text="no such user\nsee https://help.shop.example",
)


def report(
    reason: Reason,
    *,
    final: bool = True,
    retry_at: float | None = None,
    settled: bool = False,
    because: Exchange | None = None,
) -> Report:
    return Report(
        "ann@shop.example",
        reason,
        final,
        NOON,
        "a rule of ours",
        retry_at=retry_at,
        settled=settled,
        because=because,
    )


def told(
    reported: Report,
    purpose: Purpose = Purpose.SENDER,
    on_deadline: DeferOrAccept = DeferOrAccept.DEFER,
) -> str:
    return str(choose(reported, purpose, Etiquette(on_deadline=on_deadline)))


def kind_of(
    reported: Report,
    purpose: Purpose = Purpose.SENDER,
    on_deadline: DeferOrAccept = DeferOrAccept.DEFER,
) -> Kind:
    return choose(reported, purpose, Etiquette(on_deadline=on_deadline)).kind


def test_the_table_has_every_cell() -> None:
    assert set(TABLE) == {
        (case, purpose) for case in Case for purpose in (Purpose.SENDER, Purpose.RECIPIENT)
    }


def test_a_deliverable_address_is_no_news_to_the_mta() -> None:
    for purpose in Purpose:
        assert choose(report(Reason.ACCEPTED), purpose, Etiquette()) is DUNNO


def test_a_refusal_names_the_address_the_remedy_and_the_words_of_the_host() -> None:
    line = told(report(Reason.NO_SUCH_MAILBOX, because=SAID))

    assert line == (
        "550 5.1.7 sender <ann@shop.example> does not exist; send from an address that can take "
        "replies. In the words of its mail host mx1.shop.example: "
        "550 5.1.1 no such user see https://help.shop.example"
    )


def test_a_refused_recipient_does_not_learn_the_name_of_a_host_behind_us() -> None:
    line = told(report(Reason.NO_SUCH_MAILBOX, because=SAID), Purpose.RECIPIENT)

    assert line.startswith("550 5.1.1 recipient <ann@shop.example> does not exist; correct ")
    assert "In the words of its mail host: 550 5.1.1 no such user" in line
    assert "mx1" not in line


@pytest.mark.parametrize(
    ("reason", "start"),
    [
        (Reason.BAD_SYNTAX, "550 5.1.7 sender <ann@shop.example> is not a valid e-mail address; "),
        (Reason.NO_SUCH_DOMAIN, "550 5.1.8 sender <ann@shop.example> is in a domain that does not"),
        (Reason.NO_MAIL_HOST, "550 5.1.8 sender <ann@shop.example> is in a domain that has no "),
        (Reason.NULL_MX, "550 5.7.27 sender <ann@shop.example> is in a domain that takes no mail"),
        (Reason.NO_SUCH_MAILBOX, "550 5.1.7 sender <ann@shop.example> does not exist"),
        (Reason.MAILBOX_DISABLED, "550 5.1.7 sender <ann@shop.example> is disabled"),
        (Reason.MAILBOX_MOVED, "550 5.1.7 sender <ann@shop.example> has moved"),
    ],
)
def test_each_refusal_has_its_code_and_words(reason: Reason, start: str) -> None:
    assert told(report(reason)).startswith(start)
    assert told(report(reason), Purpose.RECIPIENT).startswith("550 5.1.1 recipient <ann@")


def test_the_words_are_those_about_the_address_or_none() -> None:
    control = SAID.but(about=About.CONTROL)
    silence = SAID.but(code=None, enhanced=None, text="")
    bare = SAID.but(enhanced=None, text="", host="")

    assert "words" not in told(report(Reason.NO_SUCH_MAILBOX, because=control))
    assert "words" not in told(report(Reason.NO_SUCH_MAILBOX, because=silence))
    assert told(report(Reason.NO_SUCH_MAILBOX, because=bare)).endswith("its mail host: 550")


@pytest.mark.parametrize("reason", UNKNOWN)
def test_an_unknown_that_waiting_does_not_help_is_let_through(reason: Reason) -> None:
    accept = DeferOrAccept.ACCEPT

    assert kind_of(report(reason), Purpose.SENDER, accept) is Kind.DUNNO
    assert kind_of(report(reason, final=False), Purpose.SENDER, accept) is Kind.DUNNO
    assert kind_of(report(reason, settled=True)) is Kind.DUNNO
    assert kind_of(report(reason, settled=True), Purpose.RECIPIENT) is Kind.DUNNO


@pytest.mark.parametrize("reason", sorted(set(UNKNOWN) - NEVER_DEFERRED - {Reason.OUR_TROUBLE}))
def test_an_unknown_that_will_resolve_is_deferred(reason: Reason) -> None:
    waiting = report(reason, final=False, retry_at=NOON + 600)

    assert told(waiting).startswith("DEFER_IF_PERMIT 4.1.7 sender <ann@shop.example> cannot be ")
    assert told(waiting, Purpose.RECIPIENT).startswith("DEFER 4.1.1 recipient <ann@shop.example>")
    assert kind_of(waiting.but(final=True), on_deadline=DeferOrAccept.ACCEPT) is Kind.DUNNO


@pytest.mark.parametrize("reason", sorted(NEVER_DEFERRED))
def test_whom_we_may_not_ask_is_let_through(reason: Reason) -> None:
    waiting = report(reason, final=False, retry_at=NOON + 600)

    assert kind_of(waiting) is Kind.DUNNO
    assert kind_of(waiting, Purpose.RECIPIENT) is Kind.DUNNO


ACCEPT, DEFER = DeferOrAccept.ACCEPT, DeferOrAccept.DEFER


@pytest.mark.parametrize(
    ("reason", "gate", "puts_off", "lets_pass", "why"),
    [
        (
            Reason.NOT_ASKED,
            Gate.RETRIED,
            Etiquette(),
            Etiquette(on_first_contact=ACCEPT),
            "this is the first mail of its kind from your network",
        ),
        (
            Reason.NOT_ASKED,
            Gate.UNALIGNED,
            Etiquette(on_unaligned=DEFER),
            Etiquette(),
            "its domain does not vouch for your host",
        ),
        (
            Reason.NOT_ASKED,
            Gate.SPF_FAIL,
            Etiquette(on_spf_fail=DEFER),
            Etiquette(),
            "its domain says by SPF that your host may not",
        ),
        (
            Reason.NOT_ASKED,
            Gate.DNSBL,
            Etiquette(on_dnsbl=DEFER),
            Etiquette(),
            "your host is on a block list",
        ),
        (
            Reason.NOT_ASKED,
            Gate.OPT_OUT_UNKNOWN,
            Etiquette(on_opted_out=DEFER),
            Etiquette(),
            "the DNS does not say whether",
        ),
        (Reason.OPTED_OUT, "", Etiquette(on_opted_out=DEFER), Etiquette(), "wants no callouts"),
        (
            Reason.OVER_BUDGET,
            "",
            Etiquette(on_over_budget=DEFER),
            Etiquette(),
            "has been asked enough for now",
        ),
        (
            Reason.IDENTITY_UNFIT,
            "identity",
            Etiquette(on_unfit=DEFER),
            Etiquette(),
            "own identity is not in order",
        ),
    ],
)
def test_what_a_gate_says_no_to_meets_what_the_configuration_says(
    reason: Reason, gate: str, puts_off: Etiquette, lets_pass: Etiquette, why: str
) -> None:
    stopped = report(reason).but(gate=gate)
    line = str(choose(stopped, Purpose.SENDER, puts_off))

    assert line.startswith("DEFER_IF_PERMIT 4.1.7 sender <ann@shop.example> cannot be verified now")
    assert why in line
    assert choose(stopped, Purpose.SENDER, lets_pass) is DUNNO
    assert choose(stopped, Purpose.RECIPIENT, puts_off) is DUNNO


def test_an_exemption_is_never_put_off() -> None:
    stopped = report(Reason.NOT_ASKED).but(gate="own_domain")
    all_deferred = Etiquette(
        on_unaligned=DEFER, on_spf_fail=DEFER, on_dnsbl=DEFER, on_opted_out=DEFER, on_unfit=DEFER
    )

    assert choose(stopped, Purpose.SENDER, all_deferred) is DUNNO


def test_our_own_failure_never_holds_a_sender_up() -> None:
    broken = report(Reason.OUR_TROUBLE, final=False, retry_at=NOON + 60)

    assert kind_of(broken) is Kind.DUNNO
    assert told(broken, Purpose.RECIPIENT) == (
        "DEFER 4.1.1 recipient <ann@shop.example> cannot be verified now: "
        "the verifier has a local problem; try again later"
    )


def test_a_deferral_says_why_and_quotes_the_host() -> None:
    said = SAID.but(code=450, enhanced="4.2.0", text="Greylisted, come back in 5 minutes")
    waiting = report(Reason.GREYLISTED, final=False, retry_at=NOON + 300, because=said)

    assert told(waiting) == (
        "DEFER_IF_PERMIT 4.1.7 sender <ann@shop.example> cannot be verified now: its mail host "
        "makes newcomers wait; try again later. In the words of its mail host mx1.shop.example: "
        "450 4.2.0 Greylisted, come back in 5 minutes"
    )


def test_a_deadline_is_what_the_settings_say() -> None:
    late = report(Reason.DEADLINE, final=False)

    assert kind_of(late) is Kind.DEFER_IF_PERMIT
    assert kind_of(late, Purpose.RECIPIENT) is Kind.DEFER
    assert kind_of(late, on_deadline=DeferOrAccept.ACCEPT) is Kind.DUNNO


def test_an_accepted_address_does_not_wait_for_its_control() -> None:
    open_control = report(Reason.AMBIGUOUS_REPLY, final=False, retry_at=NOON + 300, settled=True)
    provisional = report(Reason.DEADLINE, final=False, settled=True)

    assert kind_of(open_control) is Kind.DUNNO
    assert kind_of(provisional) is Kind.DUNNO


def test_a_list_is_nothing_to_tell_an_mta_about() -> None:
    assert choose(report(Reason.NO_SUCH_MAILBOX), Purpose.BULK, Etiquette()) is DUNNO


def test_the_strictest_of_several_holds_and_the_first_of_equals() -> None:
    actions = [DUNNO, Action(Kind.DEFER, "4.1.1", "a"), Action(Kind.REFUSE, "5.1.7", "b"), DUNNO]
    strictest = max(actions, key=lambda action: action.strictness)
    first = max(
        [Action(Kind.DEFER, "4.1.1", "a"), Action(Kind.DEFER, "4.1.1", "b")],
        key=lambda action: action.strictness,
    )

    assert str(strictest) == "550 5.1.7 b"
    assert first.text == "a"


def test_the_address_is_cut_before_it_hides_everything_else() -> None:
    endless = report(Reason.BAD_SYNTAX).but(address="x" * 8_000)
    line = told(endless)

    assert "...> is not a valid e-mail address; send from" in line
    assert len(line) <= MAX_LINE_CHARS


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("late@BÜCHER.example", "<late@xn--bcher-kva.example>"),
        ("jörg@BÜCHER.example", r"<j\xf6rg@xn--bcher-kva.example>"),
        ("Late@Books.EXAMPLE", "<Late@Books.EXAMPLE>"),
        ("Bücher", r"<B\xfccher>"),
    ],
)
def test_an_address_is_named_as_it_was_received_but_its_domain_in_ascii(
    address: str, shown: str
) -> None:
    assert shown in told(report(Reason.NO_SUCH_MAILBOX).but(address=address))


@given(st.text(), st.text(), st.text(), st.sampled_from(list(Reason)), st.booleans())
def test_whatever_was_said_the_answer_is_one_line_that_postfix_takes(
    address: str, host: str, text: str, reason: Reason, final: bool
) -> None:
    because = SAID.but(host=host * 9, text=text * 9)
    odd = report(reason, final=final, retry_at=NOON, because=because).but(address=address)
    for purpose in Purpose:
        line = told(odd, purpose)

        assert len(line) <= MAX_LINE_CHARS
        assert line.split(" ")[0] in ("DUNNO", "DEFER_IF_PERMIT", "DEFER", "550")
        assert encode(line) == b"action=" + line.encode("ascii") + b"\n\n"


def test_every_undeliverable_is_refused_and_nothing_else_is() -> None:
    refused = {reason for reason in Reason if kind_of(report(reason)) is Kind.REFUSE}

    assert refused == set(UNDELIVERABLE)


def test_cases_are_the_rows_of_the_table() -> None:
    assert case_of(report(Reason.GREYLISTED, final=False), Etiquette()) is Case.FINAL
    assert case_of(report(Reason.ACCEPTS_ANY), Etiquette()) is Case.FINAL
    assert case_of(report(Reason.ACCEPTS_ANY, settled=True), Etiquette()) is Case.SETTLED


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.AMBIGUOUS_REPLY, Kind.DEFER),
        (Reason.REFUSES_US, Kind.DEFER),
        (Reason.NOT_ASKED, Kind.DUNNO),
        (Reason.NO_SUCH_MAILBOX, Kind.REFUSE),
    ],
)
def test_a_recipient_of_whom_nothing_is_said_can_be_put_off(reason: Reason, kind: Kind) -> None:
    puts_off = Etiquette(on_unsure_recipient=DeferOrAccept.DEFER)

    assert kind is choose(report(reason), Purpose.RECIPIENT, puts_off).kind
    assert choose(report(Reason.REFUSES_US), Purpose.SENDER, puts_off) is DUNNO


@pytest.mark.parametrize(
    ("stage", "kind"),
    [
        (Stage.CONNECT, Kind.DEFER),
        (Stage.STARTTLS, Kind.DEFER),
        (Stage.TLS, Kind.DEFER),
        (Stage.AUTH, Kind.DEFER),
        (Stage.GREETING, Kind.DUNNO),
        (Stage.RCPT, Kind.DUNNO),
    ],
)
def test_a_recipient_that_could_not_be_asked_about_comes_back(stage: Stage, kind: Kind) -> None:
    said = SAID.but(stage=stage)

    assert kind is kind_of(report(Reason.TLS_REQUIRED, because=said), Purpose.RECIPIENT)
    assert kind_of(report(Reason.TLS_REQUIRED, because=said)) is Kind.DUNNO


def test_patience_that_ended_goes_by_its_own_setting() -> None:
    etiquette = Etiquette(on_unsure_recipient=DeferOrAccept.DEFER, on_deadline=DeferOrAccept.ACCEPT)

    assert choose(report(Reason.DEADLINE), Purpose.RECIPIENT, etiquette) is DUNNO


def test_without_a_report_only_recipients_come_back() -> None:
    assert failed(Purpose.SENDER) is DUNNO
    assert str(failed(Purpose.RECIPIENT)).startswith("DEFER 4.1.1 recipient cannot be verified")
