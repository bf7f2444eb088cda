"""Evidence → Conclusion: a test for each row of evidence.md section 3, and each scenario without I/O.

Evidence is written as lines: "host stage [about] code meaning [weak]" or "host stage [about] !fault".
Host a is the most preferred, b the backup, c an equal of a; "A" is a again, on a second connection,
and "-" no connection at all: DNS, or what is remembered.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.rules.conclude import REFUSAL_OF_US_COUNTS_S, conclude
from ringback.rules.outcomes import is_permanent
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.verdict import VERDICT_OF, Conclusion, Reason, Verdict

NOON = 1_800_000_000.0
# host → connection, name, preference
HOSTS = {
    "-": (0, "", 0),
    "a": (1, "a.example", 10),
    "b": (2, "b.example", 20),
    "c": (3, "c.example", 10),
    "A": (4, "a.example", 10),
}


def exchange(line: str, at: float = NOON) -> Exchange:
    host, stage, *rest = line.split()
    connection, name, preference = HOSTS[host]
    about = About(rest.pop(0)) if rest[0] in set(About) else About.ADDRESS
    answer = rest.pop(0)
    fault = Fault(answer[1:]) if answer.startswith("!") else None
    enhanced = rest.pop(0) if rest and rest[0][0].isdigit() else None
    return Exchange(
        at=at,
        stage=Stage(stage),
        connection=connection,
        host=name,
        ip=f"ip of {name}" if name else "",
        preference=preference,
        about=about,
        code=None if fault else int(answer),
        enhanced=enhanced,
        meaning=Meaning(rest[0]) if rest and rest[0] != "void" else None,
        weak="weak" in rest,
        fault=fault,
    )


def evidence(text: str, at: float = NOON) -> list[Exchange]:
    return [exchange(line, at) for line in text.split("\n") if line.strip()]


def concluded(text: str) -> Conclusion:
    return conclude(evidence(text))


OPENING = """
    a greeting 220 accepted
    a ehlo 250 accepted
    a mail 250 accepted
"""
YES = "a rcpt 250 accepted"
CONTROL_NO = """
    a rset control 250 accepted
    a mail control 250 accepted
    a rcpt control 550 5.1.1 unknown_user
"""
# scenario: (evidence, reason, final). The numbers are those of scenarios.md.
SCENARIOS: dict[str, tuple[str, Reason, bool]] = {
    "1 accepted, control refused": (OPENING + YES + CONTROL_NO, Reason.ACCEPTED, True),
    "2 no such user": (
        OPENING + "a rcpt 550 5.1.1 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "3 weak wording, with contrast": (
        OPENING + "a rcpt 550 unclear weak\n a rcpt postmaster 250 accepted",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "3 weak wording, and postmaster refused too": (
        OPENING + "a rcpt 550 unclear weak\n a rcpt postmaster 550 unclear weak",
        Reason.REFUSES_ANY,
        True,
    ),
    "3 weak wording, and postmaster refused for our sake": (
        OPENING + "a rcpt 550 unclear weak\n a rcpt postmaster 550 client_blocked",
        Reason.REFUSES_US,
        True,
    ),
    "3 weak wording, and postmaster deferred": (
        OPENING + "a rcpt 550 unclear weak\n a rcpt postmaster 451 server_trouble",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
    "3 weak wording, and postmaster not to be had": (
        OPENING + "a rcpt 550 unclear weak\n a rset postmaster !closed",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
    "3 weak wording alone": (
        OPENING + "a rcpt 550 unknown_user weak",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
    "4 accepts any": (
        OPENING + YES + "\n a rcpt control 250 accepted",
        Reason.ACCEPTS_ANY,
        True,
    ),
    "4 accepts any, remembered": ("- rcpt control 250 accepted", Reason.ACCEPTS_ANY, True),
    "5 no control asked": (OPENING + YES, Reason.AMBIGUOUS_REPLY, True),
    "6 greeting 554": ("a greeting 554 client_blocked", Reason.REFUSES_US, True),
    "7 greeting 521": ("a greeting 521 client_blocked", Reason.REFUSES_US, True),
    "7 greeting 521, then the next MX": (
        "a greeting 521 client_blocked\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "8 greeting 421": ("a greeting 421 server_trouble", Reason.PEER_TROUBLE, False),
    "9 not SMTP": ("a greeting !not_smtp", Reason.PROTOCOL_ERROR, True),
    "10 silence": ("a greeting !timeout", Reason.UNREACHABLE, False),
    "11 closes before greeting": ("a greeting !closed", Reason.UNREACHABLE, False),
    "13 EHLO 500, HELO 250": (
        "a ehlo 500 syntax\n a helo 250 accepted\n a mail 250 accepted\n" + YES + CONTROL_NO,
        Reason.ACCEPTED,
        True,
    ),
    "14 EHLO and HELO 550": ("a ehlo 550 unclear\n a helo 550 unclear", Reason.REFUSES_US, True),
    "15 EHLO 421": ("a ehlo 421 server_trouble", Reason.PEER_TROUBLE, False),
    "15 EHLO 4xx that nothing reads": ("a ehlo 450 unclear", Reason.PEER_TROUBLE, False),
    "16 closes at EHLO": ("a ehlo !closed", Reason.UNREACHABLE, False),
    "17 null sender refused": (
        "a mail 550 5.7.1 null_sender_refused",
        Reason.REFUSES_NULL_SENDER,
        True,
    ),
    "17 null sender refused at RCPT": (
        OPENING + "a rcpt 550 null_sender_refused",
        Reason.REFUSES_NULL_SENDER,
        True,
    ),
    "17 null sender refused, remembered": (
        "- mail 550 null_sender_refused",
        Reason.REFUSES_NULL_SENDER,
        True,
    ),
    "19 MAIL: your IP is listed": ("a mail 550 5.7.1 client_blocked", Reason.REFUSES_US, True),
    "20 MAIL 451": ("a mail 451 server_trouble", Reason.PEER_TROUBLE, False),
    "22 MAIL 530, no STARTTLS": ("a mail 530 tls_required", Reason.TLS_REQUIRED, True),
    "22 MAIL 530, STARTTLS": (
        "a mail 530 tls_required\n a starttls 220 accepted\n a ehlo 250 accepted\n"
        + OPENING
        + YES
        + CONTROL_NO,
        Reason.ACCEPTED,
        True,
    ),
    "23 greylisted": (OPENING + "a rcpt 450 4.2.0 greylisted", Reason.GREYLISTED, False),
    "25 full, 4xx": (OPENING + "a rcpt 452 4.2.2 full", Reason.MAILBOX_FULL, True),
    "26 full, 5xx": (OPENING + "a rcpt 552 5.2.2 full", Reason.MAILBOX_FULL, True),
    "27 RCPT: block list": (OPENING + "a rcpt 550 5.7.1 client_blocked", Reason.REFUSES_US, True),
    "29 RCPT: SPF": (OPENING + "a rcpt 550 5.7.23 sender_rejected", Reason.REFUSES_US, True),
    "31 Exchange Online, by contrast": (
        OPENING + "a rcpt 550 5.4.1 unknown_user weak\n a rcpt postmaster 250 accepted",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "32 moved": (OPENING + "a rcpt 551 5.1.6 moved", Reason.MAILBOX_MOVED, True),
    "34 RCPT 252": (OPENING + "a rcpt 252 ambiguous_accept", Reason.AMBIGUOUS_REPLY, True),
    "35 RCPT 553, words of syntax": (
        OPENING + "a rcpt 553 5.1.3 syntax",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
    "36 RCPT 503": (OPENING + "a rcpt 503 5.5.1 syntax", Reason.PROTOCOL_ERROR, True),
    "37 RCPT 421, too many": (OPENING + "a rcpt 421 rate_limited", Reason.RATE_LIMITED, True),
    "38 closes at RCPT": (OPENING + "a rcpt !closed", Reason.UNREACHABLE, False),
    "40 RCPT 850": (OPENING + "a rcpt !not_smtp", Reason.PROTOCOL_ERROR, True),
    "41 RCPT 450 5.1.1": (OPENING + "a rcpt 450 unclear", Reason.AMBIGUOUS_REPLY, False),
    "41 RCPT 450, no such user": (
        OPENING + "a rcpt 450 unknown_user",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "42 RCPT 550 4.2.1": (OPENING + "a rcpt 550 unclear", Reason.AMBIGUOUS_REPLY, True),
    "43 RCPT 556": (OPENING + "a rcpt 556 unknown_domain", Reason.DOMAIN_NOT_SERVED, True),
    "44 RCPT 525, the account": (
        OPENING + "a rcpt 525 5.7.13 disabled_user",
        Reason.MAILBOX_DISABLED,
        True,
    ),
    "44 RCPT 525, ours": (OPENING + "a rcpt 525 auth_required", Reason.POLICY_REFUSAL, True),
    "45 the peer verifies": (OPENING + "a rcpt 450 verifying", Reason.PEER_IS_VERIFYING, False),
    "46 control deferred": (
        OPENING + YES + "\n a rcpt control 451 server_trouble",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "47 control refused, then closes": (
        OPENING + YES + CONTROL_NO + "a quit !closed",
        Reason.ACCEPTED,
        True,
    ),
    "48 RSET refused before the control": (
        OPENING + YES + "\n a rset control 500 syntax",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "48 … and the control on its own connection": (
        OPENING + YES + "\n a rset control 500 syntax\n A greeting 220 accepted\n"
        "A rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "48 … which is refused at the greeting": (
        OPENING + YES + "\n a rset control 500 syntax\n A greeting 554 client_blocked",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "57 codes mixed": (OPENING + "a rcpt !not_smtp", Reason.PROTOCOL_ERROR, True),
    "58 connection refused": ("a connect !refused", Reason.UNREACHABLE, False),
    "59 MX1 554, MX2 well": (
        "a greeting 554 client_blocked\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "60 MX1 421, MX2 well": (
        "a greeting 421 server_trouble\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "61 MX1 refused, MX2 no such user": (
        "a connect !refused\n b rcpt 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "62 MX1 RCPT 450, MX2 well": (
        "a rcpt 450 server_trouble\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "63 MX1 RCPT 450, MX2 no such user": (
        "a rcpt 450 server_trouble\n b rcpt 550 unknown_user",
        Reason.PEER_TROUBLE,
        False,
    ),
    "63 the other way round in time": (
        "b rcpt 550 unknown_user\n a rcpt 450 server_trouble",
        Reason.PEER_TROUBLE,
        False,
    ),
    "63 equals do not outweigh each other": (
        "a rcpt 450 server_trouble\n c rcpt 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "64 MX1 no such user, MX2 250": (
        "a rcpt 550 unknown_user\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "64 equals: the one that accepts": (
        "a rcpt 550 unknown_user\n c rcpt 250 accepted\n c rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "66 MX1 refuses bounces, MX2 takes them": (
        "a mail 550 null_sender_refused\n b rcpt 250 accepted\n b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "68 MX1 EHLO and HELO 550, MX2 well": (
        "a ehlo 550 unclear\n a helo 550 unclear\n b rcpt 250 accepted\n"
        "b rcpt control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "70 MAIL 5xx with a real sender": ("a mail 550 sender_rejected", Reason.REFUSES_US, True),
    "70 MAIL 5xx that nothing reads": ("a mail 550 unclear", Reason.REFUSES_US, True),
    "70 MAIL in words of a mailbox": ("a mail 550 unknown_user", Reason.REFUSES_US, True),
    "70 MAIL cannot be read": ("a mail 501 syntax", Reason.PROTOCOL_ERROR, True),
    "71 MAIL 550 and a void RCPT 550": (
        "a mail 550 null_sender_refused\n a rcpt 550 void",
        Reason.REFUSES_NULL_SENDER,
        True,
    ),
    "72 MAIL 250 and RCPT 550 in a flight": (
        "a mail 250 accepted\n a rcpt 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "75 the breaker is open": ("- greeting 554 client_blocked", Reason.REFUSES_US, True),
    "79 TLS fails": ("a tls !tls_failed", Reason.TLS_REQUIRED, True),
    "79 TLS fails, then in clear": (
        "a tls !tls_failed\n A rcpt 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "82 LMTP": (OPENING + "a rcpt 550 5.1.1 unknown_user", Reason.NO_SUCH_MAILBOX, True),
    "83 no SMTPUTF8": ("a rcpt !no_smtputf8", Reason.NEEDS_SMTPUTF8, True),
    "84 null MX": ("- route !null_mx", Reason.NULL_MX, True),
    "85 MX targets without an address": ("- route !unusable_mx", Reason.UNREACHABLE, False),
    "87 SERVFAIL": ("- route !dns_failure", Reason.DNS_FAILURE, False),
    "88 forbidden network": ("a connect !forbidden_network", Reason.UNREACHABLE, True),
    "89 our source": ("a connect !source_unusable", Reason.IDENTITY_UNFIT, True),
    "98 the second RCPT gets 452": (
        OPENING + YES + "\n a rcpt control 452 4.5.3 rate_limited",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "100 too many invalid recipients": (
        OPENING + "a rcpt 550 rate_limited",
        Reason.RATE_LIMITED,
        True,
    ),
    # Rows of evidence.md section 3 beyond the scenarios.
    "no such domain": ("- route !no_such_domain", Reason.NO_SUCH_DOMAIN, True),
    "no mail host": ("- route !no_mail_host", Reason.NO_MAIL_HOST, True),
    "content": (OPENING + "a rcpt 550 content_or_policy", Reason.POLICY_REFUSAL, True),
    "out of step": (OPENING + "a rcpt !out_of_step", Reason.PROTOCOL_ERROR, True),
    "opted out": ("- connect !opted_out", Reason.OPTED_OUT, True),
    "opt-out unknown": ("- connect !opt_out_unknown", Reason.NOT_ASKED, True),
    "over budget": ("- connect !over_budget", Reason.OVER_BUDGET, True),
    "nothing at all": ("", Reason.UNREACHABLE, False),
    "a route and no more": ("- route 0 void", Reason.UNREACHABLE, False),
    "only the opening": (OPENING, Reason.UNREACHABLE, False),
    "a remembered refusal of the control decides nothing": (
        "- rcpt control 550 unknown_user\n - route !dns_failure",
        Reason.DNS_FAILURE,
        False,
    ),
    "the control's MAIL is no answer about the control": (
        "- mail control 250 accepted",
        Reason.UNREACHABLE,
        False,
    ),
    "accepted, with a remembered control": (
        "- rcpt control 550 unknown_user\n" + OPENING + YES,
        Reason.ACCEPTED,
        True,
    ),
    "accepted, and the control refused somewhere else": (
        "b rcpt control 550 unknown_user\n" + OPENING + YES,
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "VRFY accepted, control refused": (
        "a vrfy 250 accepted\n a vrfy control 550 unknown_user",
        Reason.ACCEPTED,
        True,
    ),
    "VRFY 252": ("a vrfy 252 ambiguous_accept", Reason.AMBIGUOUS_REPLY, True),
    "VRFY 5xx is the owner's wish": ("a vrfy 550 unknown_user", Reason.POLICY_REFUSAL, True),
    "VRFY 502": ("a vrfy 502 syntax", Reason.POLICY_REFUSAL, True),
    "VRFY 5xx, remembered": ("- vrfy 502 syntax", Reason.POLICY_REFUSAL, True),
    "VRFY 4xx": ("a vrfy 450 unclear", Reason.PEER_TROUBLE, False),
    "VRFY 5xx, then RCPT": (
        "a vrfy 502 syntax\n a mail 250 accepted\n a rcpt 550 unknown_user",
        Reason.NO_SUCH_MAILBOX,
        True,
    ),
    "RCPT 3xx": (OPENING + "a rcpt 354 unclear", Reason.AMBIGUOUS_REPLY, False),
    "deferred tells more than refused": (
        "a mail 550 client_blocked\n b rcpt 450 greylisted",
        Reason.GREYLISTED,
        False,
    ),
    "unsure tells more than unreachable": (
        "a connect !refused\n b rcpt 550 unknown_domain",
        Reason.DOMAIN_NOT_SERVED,
        True,
    ),
    "full at the first outweighs a refusal by the backup": (
        "a rcpt 452 full\n b rcpt 550 unknown_user",
        Reason.MAILBOX_FULL,
        True,
    ),
    "weak at the first outweighs a refusal by the backup": (
        "a rcpt 550 unclear weak\n b rcpt 550 unknown_user",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
    "weak and 4xx is a deferral": (
        OPENING + "a rcpt 450 unknown_user weak\n a rcpt postmaster 250 accepted",
        Reason.AMBIGUOUS_REPLY,
        False,
    ),
    "weak about a policy is a policy": (
        OPENING + "a rcpt 550 content_or_policy weak\n a rcpt postmaster 250 accepted",
        Reason.POLICY_REFUSAL,
        True,
    ),
    "postmaster accepted by another host is no contrast": (
        OPENING + "a rcpt 550 unclear weak\n b rcpt postmaster 250 accepted",
        Reason.AMBIGUOUS_REPLY,
        True,
    ),
}


@pytest.mark.parametrize(("text", "reason", "final"), SCENARIOS.values(), ids=SCENARIOS)
def test_scenarios(text: str, reason: Reason, final: bool) -> None:
    conclusion = concluded(text)

    assert (conclusion.reason, conclusion.final) == (reason, final)
    assert conclusion.rule


@pytest.mark.parametrize(
    "answer",
    ["550 unknown_user", "550 disabled_user", "551 moved", "550 unknown_domain", "554 unclear"],
)
def test_a_control_refused_for_its_own_sake_is_contrast(answer: str) -> None:
    assert concluded(OPENING + YES + f"\n a rcpt control {answer}").reason is Reason.ACCEPTED


@pytest.mark.parametrize(
    ("answer", "final"),
    [
        ("450 unknown_user", False),
        ("550 client_blocked", True),
        ("550 sender_rejected", True),
        ("550 rate_limited", True),
        ("550 content_or_policy", True),
        ("552 full", True),
        ("503 syntax", True),
        ("550 5.7.1 unclear", True),
        ("252 ambiguous_accept", True),
        ("354 unclear", False),
        ("421 server_trouble", False),
    ],
)
def test_a_control_refused_for_another_reason_is_none(answer: str, final: bool) -> None:
    conclusion = concluded(OPENING + YES + f"\n a rcpt control {answer}")

    assert (conclusion.reason, conclusion.final) == (Reason.AMBIGUOUS_REPLY, final)
    assert conclusion.settled


def test_only_an_accepted_address_is_settled() -> None:
    accepted = [
        OPENING + YES,
        OPENING + YES + CONTROL_NO,
        OPENING + YES + "\n a rset control !closed",
    ]
    open_ones = [OPENING, OPENING + "a rcpt 252 ambiguous_accept", "a rcpt 450 greylisted"]

    assert all(concluded(text).settled for text in accepted)
    assert not any(concluded(text).settled for text in open_ones)


REFUSED_US = [
    "a greeting 554 client_blocked",
    "a mail 550 sender_rejected",
    "- rcpt 550 rate_limited",
]


@pytest.mark.parametrize("line", REFUSED_US)
@pytest.mark.parametrize(
    ("earlier_s", "reason"),
    [
        (0.0, Reason.AMBIGUOUS_REPLY),
        (REFUSAL_OF_US_COUNTS_S - 1, Reason.AMBIGUOUS_REPLY),
        (REFUSAL_OF_US_COUNTS_S, Reason.NO_SUCH_MAILBOX),
    ],
)
def test_weak_words_of_a_host_that_refused_us_within_a_day_do_not_count(
    line: str, earlier_s: float, reason: Reason
) -> None:
    """Hosts exempt postmaster from their block lists."""
    weak = evidence("a rcpt 550 unclear weak\n a rcpt postmaster 250 accepted")
    refusal = exchange(line, NOON - earlier_s)
    before = Exchange(
        refusal.at, refusal.stage, ip=weak[0].ip, code=refusal.code, meaning=refusal.meaning
    )

    assert conclude([before, *weak]).reason is reason


def test_a_remembered_refusal_before_rcpt_counts_whatever_its_words() -> None:
    weak = evidence("a rcpt 550 unclear weak\n a rcpt postmaster 250 accepted")
    refused = exchange("a mail 550 unclear", NOON - 60)
    remembered = refused.but(ip=weak[0].ip, connection=0)
    before_helo = refused.but(ip=weak[0].ip, stage=Stage.EHLO, connection=1)

    assert conclude([remembered, *weak]).reason is Reason.AMBIGUOUS_REPLY
    assert conclude([before_helo, *weak]).reason is Reason.NO_SUCH_MAILBOX


def test_a_refusal_of_us_somewhere_else_does_not_matter() -> None:
    text = (
        "- greeting 554 client_blocked\n a rcpt 550 unclear weak\n a rcpt postmaster 250 accepted"
    )

    assert concluded(text).reason is Reason.NO_SUCH_MAILBOX


def test_because_is_the_exchange_that_decided() -> None:
    text = "a rcpt 450 server_trouble\n b rcpt 550 unknown_user"

    assert concluded(text).because == exchange("a rcpt 450 server_trouble")


@pytest.mark.parametrize("meaning", Meaning)
@pytest.mark.parametrize(
    "stage", [Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.STARTTLS, Stage.MAIL]
)
@pytest.mark.parametrize("code", [450, 550])
def test_no_word_before_rcpt_condemns_a_mailbox(meaning: Meaning, stage: Stage, code: int) -> None:
    said = f"a {stage} {code} {meaning} weak\n a rcpt postmaster 250 accepted"

    assert concluded(said).verdict is Verdict.UNKNOWN


# The mission: no evidence, no sentence.

MAILBOX = {Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED}
ABOUT_US = {Meaning.CLIENT_BLOCKED, Meaning.SENDER_REJECTED, Meaning.RATE_LIMITED}
OF_DNS = {
    Reason.NO_SUCH_DOMAIN: Fault.NO_SUCH_DOMAIN,
    Reason.NO_MAIL_HOST: Fault.NO_MAIL_HOST,
    Reason.NULL_MX: Fault.NULL_MX,
}
DNS_FAULTS = set(OF_DNS.values()) | {Fault.UNUSABLE_MX, Fault.DNS_FAILURE}
CODES = st.sampled_from(
    [220, 250, 250, 251, 252, 354, 421, 450, 451, 452, 500, 503, 550, 550, 553, 554]
)


@st.composite
def any_exchange(draw: st.DrawFn) -> Exchange:
    connection, name, preference = draw(st.sampled_from(list(HOSTS.values())))
    faulty = draw(st.integers(0, 5)) == 0
    fault = draw(st.sampled_from(Fault)) if faulty else None
    if fault in DNS_FAULTS:  # the DNS speaks of no connection
        connection = 0
    stages = [Stage.RCPT, Stage.RCPT, *Stage]
    return Exchange(
        at=NOON + draw(st.sampled_from([-2.0 * REFUSAL_OF_US_COUNTS_S, -60.0, 0.0])),
        stage=draw(st.sampled_from(stages)),
        connection=connection,
        host=name,
        ip=f"ip of {name}",
        preference=preference,
        about=draw(st.sampled_from([About.ADDRESS, About.ADDRESS, *About])),
        code=None if fault else draw(CODES),
        enhanced=None if fault else draw(st.sampled_from([None, "5.1.1", "5.7.1"])),
        meaning=None if fault else draw(st.none() | st.sampled_from(Meaning)),
        weak=not fault and draw(st.booleans()),
        fault=fault,
    )


def condemns(said: Exchange, whole: list[Exchange]) -> bool:
    """A permanent, mailbox-class refusal of the address at RCPT; a weak one only with contrast."""
    if (said.stage, said.about) != (Stage.RCPT, About.ADDRESS) or not is_permanent(said):
        return False
    if not said.weak:
        return said.meaning in MAILBOX
    contrast = any(
        other.about is About.POSTMASTER
        and other.connection == said.connection
        and other.meaning is Meaning.ACCEPTED
        for other in whole
    )
    refused_us = any(
        other.ip == said.ip
        and other.meaning in ABOUT_US
        and other.at > said.at - REFUSAL_OF_US_COUNTS_S
        for other in whole
    )
    return contrast and not refused_us and said.meaning in MAILBOX | {Meaning.UNCLEAR}


def accepts(said: Exchange) -> bool:
    return said.stage in {Stage.RCPT, Stage.VRFY} and said.meaning is Meaning.ACCEPTED


def contrasts(said: Exchange, accepted: Exchange) -> bool:
    here = not said.connection or said.host == accepted.host
    asked = said.about is About.CONTROL and said.stage in {Stage.RCPT, Stage.VRFY}
    return here and asked and is_permanent(said) and said.meaning not in ABOUT_US


@pytest.mark.slow
@given(st.lists(any_exchange(), max_size=12))
@example(evidence(OPENING + YES + CONTROL_NO))
@example(evidence("a rcpt 550 unclear weak\n a rcpt postmaster 250 accepted"))
def test_no_evidence_no_sentence(said: list[Exchange]) -> None:
    conclusion = conclude(said)
    because = conclusion.because

    assert conclusion == conclude(list(said))
    assert conclusion.reason in VERDICT_OF
    assert because is None or because in said
    if conclusion.reason in OF_DNS:
        assert because is not None
        assert because.fault is OF_DNS[conclusion.reason]
    elif conclusion.verdict is Verdict.UNDELIVERABLE:
        assert because is not None
        assert condemns(because, said)
    elif conclusion.verdict is Verdict.DELIVERABLE:
        assert because is not None
        assert because.about is About.ADDRESS
        assert accepts(because)
        assert any(contrasts(other, because) for other in said)


@pytest.mark.slow
@given(st.lists(any_exchange(), max_size=12))
def test_a_refusal_of_us_alone_is_never_held_against_the_address(said: list[Exchange]) -> None:
    refusals = [one for one in said if one.meaning in ABOUT_US]

    assert conclude(refusals).verdict is Verdict.UNKNOWN


@pytest.mark.slow
@given(st.lists(any_exchange(), max_size=10))
def test_what_is_remembered_never_condemns(said: list[Exchange]) -> None:
    remembered = [one for one in said if not one.connection and one.fault is None]

    assert conclude(remembered).verdict is Verdict.UNKNOWN
