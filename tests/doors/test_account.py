"""Accounts, as `--explain` prints them below the verdict."""

from ringback.doors.account import dialogue, said_in_short, shown_address, tell
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.query import Report
from ringback.values.verdict import Reason

AT = 1_795_255_200.0  # 2026-11-21T10:00:00Z
HOUR_S = 3_600.0
ROUTE = Exchange(AT, Stage.ROUTE, command="MX shop.example", text="10 mx.shop.example")
HERE = Exchange(AT, Stage.GREETING, 1, "mx.shop.example", "192.0.2.1", 10)
REFUSAL = HERE.but(
    stage=Stage.RCPT,
    command="RCPT TO:<no@shop.example>",
    code=550,
    enhanced="5.1.1",
    text="No such user",
    meaning=Meaning.UNKNOWN_USER,
    rule="phrase no-such-user",
)
CONTROL = REFUSAL.but(about=About.CONTROL, command="RCPT TO:<zoe.dalberg@shop.example>")
ACCEPTANCE = REFUSAL.but(
    code=250, enhanced="2.1.5", text="Ok", meaning=Meaning.ACCEPTED, rule="code 250"
)


def said(stage: Stage, command: str, code: int, text: str) -> Exchange:
    meaning = Meaning.ACCEPTED if code < 400 else Meaning.UNCLEAR
    return HERE.but(
        stage=stage,
        command=command,
        code=code,
        text=text,
        meaning=meaning,
        rule=f"code {code}",
    )


def test_a_refusal_is_told_from_the_dns_to_what_would_change_it() -> None:
    evidence = (
        ROUTE,
        said(Stage.GREETING, "", 220, "mx.shop.example ESMTP"),
        said(Stage.EHLO, "EHLO verify.example.net", 250, "mx.shop.example\nPIPELINING"),
        said(Stage.MAIL, "MAIL FROM:<>", 250, "Ok"),
        REFUSAL,
    )
    report = Report(
        "no@shop.example",
        Reason.NO_SUCH_MAILBOX,
        True,
        AT,
        "the host permanently refuses this mailbox",
        expires_at=AT + HOUR_S,
        callouts=1,
        because=REFUSAL,
        evidence=evidence,
    )

    assert [
        "DNS MX shop.example: 10 mx.shop.example",
        "mx.shop.example [192.0.2.1], preference 10",
        "  S: 220 mx.shop.example ESMTP",
        "  C: EHLO verify.example.net",
        "  S: 250 mx.shop.example, PIPELINING",
        "  C: MAIL FROM:<>",
        "  S: 250 Ok",
        "  C: RCPT TO:<no@shop.example>",
        "  S: 550 5.1.1 No such user",
        "     → the mailbox does not exist (unknown_user, by phrase no-such-user)",
        "decided by    the host permanently refuses this mailbox",
        "resting on    550 5.1.1 to RCPT at mx.shop.example [192.0.2.1], "
        "read as unknown_user by phrase no-such-user",
        "whose doing   the address",
        "would change  the mailbox being made",
        "when          2026-11-21T10:00:00Z, over 1 connection; holds until 2026-11-21T11:00:00Z",
    ] == list(tell(report))


def test_what_is_remembered_is_told_as_such() -> None:
    report = Report(
        "ann@shop.example",
        Reason.ACCEPTS_ANY,
        True,
        AT,
        "the host accepts addresses that nobody has",
        from_cache=True,
        because=ACCEPTANCE.but(connection=0, about=About.CONTROL),
        evidence=(ACCEPTANCE.but(connection=0, about=About.CONTROL),),
    )

    assert [
        "Nobody was asked now; this was said 2026-11-21T10:00:00Z:",
        "mx.shop.example [192.0.2.1], remembered, 2026-11-21T10:00:00Z",
        "  (the control, an address that nobody has: is it refused?)",
        "  C: RCPT TO:<no@shop.example>",
        "  S: 250 2.1.5 Ok",
        "     → it takes mail for this address (accepted, by code 250)",
        "decided by    the host accepts addresses that nobody has",
        "resting on    250 2.1.5 to RCPT for the control at mx.shop.example [192.0.2.1], "
        "read as accepted by code 250",
        "whose doing   the other side",
        "would change  the host refusing addresses that nobody has",
        "when          2026-11-21T10:00:00Z, answered from memory now",
    ] == list(tell(report))


def test_a_remembered_contrast_is_not_mistaken_for_a_new_connection() -> None:
    lines = list(dialogue((ACCEPTANCE, CONTROL.but(connection=0))))

    assert [
        "mx.shop.example [192.0.2.1], preference 10",
        "mx.shop.example [192.0.2.1], remembered, 2026-11-21T10:00:00Z",
    ] == [line for line in lines if line.startswith("mx.")]


def test_two_hosts_are_told_apart_and_contrast_is_announced() -> None:
    other = CONTROL.but(connection=2, host="192.0.2.2", ip="192.0.2.2", preference=20)
    postmaster = other.but(about=About.POSTMASTER, weak=True)

    assert [
        "mx.shop.example [192.0.2.1], preference 10",
        "  S: 421",
        "     → it does not say why (unclear, by code 421)",
        "192.0.2.2, preference 20",
        "  (the control, an address that nobody has: is it refused?)",
        "  C: RCPT TO:<zoe.dalberg@shop.example>",
        "  S: 550 5.1.1 No such user",
        "     → the mailbox does not exist (unknown_user, by phrase no-such-user)",
        "  (contrast, the mailbox that every host has: is it accepted?)",
        "  C: RCPT TO:<zoe.dalberg@shop.example>",
        "  S: 550 5.1.1 No such user",
        "     → the mailbox does not exist, in words that count only with contrast "
        "(unknown_user, by phrase no-such-user)",
    ] == list(dialogue((said(Stage.GREETING, "", 421, ""), other, postmaster)))


def test_faults_are_told_in_words() -> None:
    nowhere = ROUTE.but(text="NXDOMAIN", fault=Fault.NO_SUCH_DOMAIN)
    paused = HERE.but(connection=0, stage=Stage.CONNECT, fault=Fault.OVER_BUDGET, text="spent")
    gone = HERE.but(stage=Stage.RCPT, command="RCPT TO:<a@b>", fault=Fault.CLOSED, text="EOF")

    assert [
        "DNS MX shop.example: NXDOMAIN",
        "     → the domain does not exist",
        "mx.shop.example [192.0.2.1], not called",
        "  !  spent",
        "     → not called, our budget is used up",
        "mx.shop.example [192.0.2.1], preference 10",
        "  C: RCPT TO:<a@b>",
        "  !  EOF",
        "     → the host went away",
    ] == list(dialogue((nowhere, paused, gone)))


def test_what_goes_without_saying_is_not_said() -> None:
    tls = HERE.but(stage=Stage.TLS, text="TLSv1.3, unverified")
    void = REFUSAL.but(code=503, enhanced=None, text="Bad sequence", meaning=None, rule="void")
    bye = said(Stage.QUIT, "QUIT", 500, "What?")
    literal = ROUTE.but(command="", text="192.0.2.1 is its own host")

    assert [
        "DNS 192.0.2.1 is its own host",
        "mx.shop.example [192.0.2.1], preference 10",
        "  (TLS: TLSv1.3, unverified)",
        "  C: RCPT TO:<no@shop.example>",
        "  S: 503 Bad sequence",
        "     → void",
        "  C: QUIT",
        "  S: 500 What?",
    ] == list(dialogue((literal, tls, void, bye)))


def test_a_long_reply_is_cut() -> None:
    long = said(Stage.GREETING, "", 220, "\n".join(f"line {number}" for number in range(50)))

    lines = list(dialogue((long,)))

    assert "  S: 220-line 0" == lines[1]
    assert ["     … 37 lines more", "  S: 220 line 49"] == lines[-2:]


def test_remote_text_cannot_reach_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\u202e"
    exchange = REFUSAL.but(text=evil, command=evil, host=evil)
    fault = HERE.but(connection=2, fault=Fault.NOT_SMTP, text=evil)
    route = ROUTE.but(text=evil)
    report = Report(evil, Reason.BAD_SYNTAX, True, AT, evil, evidence=(route, exchange, fault))

    assert all(line.isprintable() for line in tell(report.but(because=exchange)))
    assert shown_address(report).isprintable()


def test_waiting_has_its_hour() -> None:
    deferral = REFUSAL.but(code=450, enhanced=None, meaning=Meaning.GREYLISTED)
    report = Report(
        "ann@shop.example",
        Reason.GREYLISTED,
        False,
        AT,
        "the host makes newcomers wait",
        expires_at=AT + HOUR_S,
        retry_at=AT + 300,
        callouts=2,
        because=deferral,
    )

    assert [
        "would change  time: the host answers those who come back; "
        "worth asking again from 2026-11-21T10:05:00Z",
        "when          2026-11-21T10:00:00Z, over 2 connections",
    ] == list(tell(report))[-2:]


def test_a_gate_and_a_deadline_have_words_of_their_own() -> None:
    gate = Report("", Reason.NOT_ASKED, True, AT, "never asked: null_sender", gate="null_sender")
    late = Report("ann@shop.example", Reason.DEADLINE, False, AT, "no answer in time")

    assert "<>" == shown_address(gate)
    assert [
        "decided by    never asked: null_sender",
        "whose doing   our own policy",
        "would change  nothing: bounces come from it, and nobody answers them",
        "when          2026-11-21T10:00:00Z, without calling anyone",
    ] == list(tell(gate))
    assert "when          2026-11-21T10:00:00Z, before the callout was over" == list(tell(late))[-1]


def test_what_a_verdict_rests_on_need_not_be_a_reply() -> None:
    nowhere = ROUTE.but(text="NXDOMAIN", fault=Fault.NO_SUCH_DOMAIN)
    late = HERE.but(stage=Stage.CONNECT, fault=Fault.TIMEOUT, text="timed out")
    unread = HERE.but(stage=Stage.TLS, text="TLSv1.3")
    report = Report("ann@shop.example", Reason.UNREACHABLE, False, AT, "no answer")

    resting = [list(tell(report.but(because=it)))[1] for it in (nowhere, late, unread)]

    assert [
        "resting on    DNS MX shop.example: NXDOMAIN",
        "resting on    no answer in time (CONNECT) at mx.shop.example [192.0.2.1]",
        "resting on    TLSv1.3 (TLS) at mx.shop.example [192.0.2.1]",
    ] == resting


def test_the_rest_of_a_line_has_the_words_of_the_host_or_our_own() -> None:
    report = Report(
        "ann@shop.example", Reason.UNREACHABLE, True, 0.0, rule="no host was \x1breached"
    )
    silent = HERE.but(fault=Fault.TIMEOUT, text="no answer within 20 s")
    refusal = REFUSAL.but(host="mx.shop.example", code=550, enhanced="5.1.1", text="No such user")

    assert ["no host was \\x1breached"] * 2 + ["mx.shop.example said: 550 5.1.1 No such user"] == [
        said_in_short(report.but(because=because)) for because in (None, silent, refusal)
    ]
