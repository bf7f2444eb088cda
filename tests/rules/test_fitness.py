"""What the DNS says of us, as findings: each machine, asked of a DNS that is a dictionary."""

import pytest

from ringback.rules.asking import Asking
from ringback.rules.fitness import Findings, examinations, examine_contact
from ringback.rules.silence import judge_silence
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, Question, RecordType
from ringback.values.fitness import Aspect, Finding, Severity
from ringback.values.settings import Dns, Etiquette, Identity, Settings, Smtp

IP, IP6 = "192.0.2.7", "2001:db8::7"
NAME, ABOVE, CONTACT = "verify.example.net", "example.net", "abuse@shop.example"
POINTER = "7.2.0.192.in-addr.arpa"
NOW = 1_800_000_000.0
NOBODY = "ringback-1800000000.example.com"

Zone = dict[tuple[str, RecordType], DnsAnswer]


def say(name: str, kind: RecordType, *texts: str) -> Zone:
    return {(name, kind): DnsAnswer(name, kind, DnsStatus.OK, texts=texts)}


def say_mx(name: str, *hosts: str) -> Zone:
    mx = tuple(Mx(10, host) for host in hosts)
    return {(name, RecordType.MX): DnsAnswer(name, RecordType.MX, DnsStatus.OK, mx=mx)}


def say_no(name: str, kind: RecordType, status: DnsStatus, detail: str = "") -> Zone:
    return {(name, kind): DnsAnswer(name, kind, status, detail=detail)}


def fail(name: str, kind: RecordType, detail: str = "SERVFAIL") -> Zone:
    return say_no(name, kind, DnsStatus.FAILURE, detail)


FIT = {
    **say("example.com", RecordType.A, "192.0.2.80"),
    **say(POINTER, RecordType.PTR, NAME),
    **say(NAME, RecordType.A, IP),
    **say(NAME, RecordType.TXT, "v=spf1 a -all"),
}
SETTINGS = Settings(identity=Identity(helo_name=NAME, contact=CONTACT))


def with_identity(**changes: object) -> Settings:
    identity = SETTINGS.identity.but(**changes)
    return SETTINGS.but(identity=identity)


def run(
    machine: Asking[Findings], zone: Zone, otherwise: DnsStatus = DnsStatus.NXDOMAIN
) -> Findings:
    """What a machine finds in a DNS that knows no more than `zone`."""
    answer: DnsAnswer | None = None
    try:
        question: Question = next(machine)
        while True:
            absent = DnsAnswer(question.name, question.kind, otherwise)
            answer = zone.get((question.name, question.kind), absent)
            question = machine.send(answer)
    except StopIteration as done:
        found: Findings = done.value
        return found


def examine(
    zone: Zone, settings: Settings = SETTINGS, sources: tuple[str, ...] = (IP,)
) -> list[Finding]:
    """All findings, with `zone` over the DNS of a fit identity."""
    machines = examinations(settings, sources, NOW)
    return [found for machine in machines for found in run(machine, {**FIT, **zone})]


def found(what: Aspect, *arguments: object, **more: object) -> Finding:
    """The one finding about `what`."""
    [finding] = [it for it in examine(*arguments, **more) if it.what is what]  # type: ignore[arg-type]
    return finding


def test_a_fit_identity_has_nothing_to_mend() -> None:
    findings = examine({})

    assert {Severity.OK} == {finding.severity for finding in findings}
    assert [""] * len(findings) == [finding.remedy for finding in findings]
    assert [
        Aspect.DNS,
        Aspect.SOURCE,
        Aspect.REVERSE_NAME,
        Aspect.HELO_NAME,
        Aspect.SPF,
        Aspect.OWN_MAIL,
    ] == [finding.what for finding in findings]


def test_each_source_is_examined() -> None:
    findings = examine({}, with_identity(source_addresses=(IP, IP6)), (IP, IP6))

    fatal = [it for it in findings if it.severity is Severity.FATAL]
    assert [(Aspect.REVERSE_NAME, IP6), (Aspect.HELO_NAME, IP6)] == [
        (it.what, it.subject) for it in fatal
    ]


def test_behind_nat_the_addresses_that_others_see_are_examined() -> None:
    findings = examine({}, with_identity(public_addresses=(IP,)), ("10.1.2.3",))

    assert {Severity.OK} == {finding.severity for finding in findings}


def test_without_a_contact_nobody_may_be_called() -> None:
    assert Severity.OK is examine_contact(CONTACT).severity
    assert Severity.FATAL is examine_contact("").severity


# The resolver.


@pytest.mark.parametrize(
    ("zone", "severity"),
    [
        (fail("example.com", RecordType.A), Severity.UNKNOWN),
        (say_no("example.com", RecordType.A, DnsStatus.NXDOMAIN), Severity.WARNING),
        (fail(NOBODY, RecordType.A, ""), Severity.UNKNOWN),
        (say(NOBODY, RecordType.A, "198.51.100.80"), Severity.WARNING),
        (say_no(NOBODY, RecordType.A, DnsStatus.NODATA), Severity.WARNING),
        (say_no("example.com", RecordType.A, DnsStatus.NODATA), Severity.OK),
    ],
)
def test_a_resolver_that_does_not_tell_the_truth_is_told_of(zone: Zone, severity: Severity) -> None:
    assert severity is found(Aspect.DNS, zone).severity


def test_without_a_canary_a_name_that_is_reserved_is_asked_for() -> None:
    settings = SETTINGS.but(dns=Dns(canary=""))
    lie = say("ringback-1800000000.invalid", RecordType.A, "198.51.100.80")

    assert Severity.OK is found(Aspect.DNS, {}, settings).severity
    assert Severity.WARNING is found(Aspect.DNS, lie, settings).severity


# Sources.


def test_an_address_that_others_cannot_see_is_a_warning() -> None:
    warned = found(Aspect.SOURCE, {}, sources=("10.1.2.3",))
    allowed = SETTINGS.but(smtp=Smtp(allowed_networks=("10.0.0.0/8",)))

    assert Severity.WARNING is warned.severity
    assert "identity.public_addresses" in warned.remedy
    assert Severity.OK is found(Aspect.SOURCE, {}, allowed, ("10.1.2.3",)).severity


@pytest.mark.parametrize(
    ("zone", "helo_name", "severities"),
    [
        ({}, NAME, [Severity.UNKNOWN, Severity.OK]),
        (
            say_no(NAME, RecordType.A, DnsStatus.NODATA) | say(NAME, RecordType.AAAA, IP6),
            NAME,
            [Severity.UNKNOWN, Severity.OK],
        ),
        (fail(NAME, RecordType.A), NAME, [Severity.UNKNOWN, Severity.UNKNOWN]),
        ({}, "nobody.example.net", [Severity.UNKNOWN, Severity.FATAL]),
        ({}, "[192.0.2.7]", [Severity.UNKNOWN, Severity.WARNING]),
        ({}, "", [Severity.FATAL, Severity.UNKNOWN]),
    ],
)
def test_where_no_source_is_known_the_name_must_lead_somewhere(
    zone: Zone, helo_name: str, severities: list[Severity]
) -> None:
    findings = examine(zone, with_identity(helo_name=helo_name), ())

    assert severities == [it.severity for it in findings if it.what is not Aspect.DNS]


# Reverse names.


@pytest.mark.parametrize(
    ("zone", "severity", "text"),
    [
        ({}, Severity.OK, f"{IP} is {NAME}"),
        (say_no(POINTER, RecordType.PTR, DnsStatus.NXDOMAIN), Severity.FATAL, "no reverse name"),
        (say_no(POINTER, RecordType.PTR, DnsStatus.NODATA), Severity.FATAL, "no reverse name"),
        (say(POINTER, RecordType.PTR, "liar.example"), Severity.FATAL, "liar.example, does not"),
        (say(POINTER, RecordType.PTR, "liar.example", NAME), Severity.OK, f"{IP} is {NAME}"),
        (fail(POINTER, RecordType.PTR), Severity.UNKNOWN, "SERVFAIL"),
        (fail(NAME, RecordType.A, ""), Severity.UNKNOWN, "the DNS gave no answer"),
    ],
)
def test_the_reverse_name_must_lead_back(zone: Zone, severity: Severity, text: str) -> None:
    finding = found(Aspect.REVERSE_NAME, zone)

    assert severity is finding.severity
    assert text in finding.text


@pytest.mark.parametrize("status", [DnsStatus.NXDOMAIN, DnsStatus.FAILURE])
def test_a_resolver_that_denies_its_canary_condemns_nobody(status: DnsStatus) -> None:
    deaf = say_no("example.com", RecordType.A, status)
    gone = say_no(POINTER, RecordType.PTR, DnsStatus.NXDOMAIN)

    assert Severity.UNKNOWN is found(Aspect.REVERSE_NAME, deaf | gone).severity
    assert Severity.FATAL is (
        found(Aspect.REVERSE_NAME, deaf | gone, SETTINGS.but(dns=Dns(canary=""))).severity
    )


# The HELO name.


@pytest.mark.parametrize(
    ("zone", "severity", "text"),
    [
        (say(NAME, RecordType.A, "192.0.2.8", IP), Severity.OK, f"{NAME} leads to {IP}"),
        (say(NAME, RecordType.A, "192.0.2.8"), Severity.FATAL, "leads to 192.0.2.8, not to"),
        (say(NAME, RecordType.A, "nonsense"), Severity.FATAL, "not to"),
        (say_no(NAME, RecordType.A, DnsStatus.NXDOMAIN), Severity.FATAL, "no such address"),
        (fail(NAME, RecordType.A), Severity.UNKNOWN, "SERVFAIL"),
    ],
)
def test_the_helo_name_must_lead_to_the_source(zone: Zone, severity: Severity, text: str) -> None:
    finding = found(Aspect.HELO_NAME, zone)

    assert severity is finding.severity
    assert text in finding.text


@pytest.mark.parametrize(
    ("helo_name", "source", "severity"),
    [
        ("[192.0.2.7]", IP, Severity.WARNING),
        ("[192.0.2.8]", IP, Severity.FATAL),
        ("[IPv6:2001:db8::7]", IP6, Severity.WARNING),
    ],
)
def test_an_address_in_place_of_a_name_must_be_the_source(
    helo_name: str, source: str, severity: Severity
) -> None:
    settings = with_identity(helo_name=helo_name)
    findings = examine({}, settings, (source,))

    assert severity is found(Aspect.HELO_NAME, {}, settings, (source,)).severity
    assert Aspect.SPF not in {finding.what for finding in findings}


def test_without_a_name_that_is_told_once_and_what_to_write() -> None:
    finding = found(Aspect.HELO_NAME, {}, with_identity(helo_name=""), (IP, IP6))

    assert (Severity.FATAL, "there is no HELO name") == (finding.severity, finding.text)
    assert "write identity.helo_name" in finding.remedy


# SPF, and mail of ours.


@pytest.mark.parametrize(
    ("zone", "severity", "result"),
    [
        ({}, Severity.OK, "pass"),
        (say_no(NAME, RecordType.TXT, DnsStatus.NODATA), Severity.WARNING, "none"),
        (say(NAME, RecordType.TXT, "v=spf1 -all"), Severity.WARNING, "fail"),
        (fail(NAME, RecordType.TXT), Severity.UNKNOWN, "temperror"),
    ],
)
def test_the_helo_name_had_better_authorise_the_source(
    zone: Zone, severity: Severity, result: str
) -> None:
    finding = found(Aspect.SPF, zone)

    assert severity is finding.severity
    assert f"SPF of {NAME} for {IP}: {result}" == finding.text


@pytest.mark.parametrize(
    ("zone", "severity", "text"),
    [
        (say("shop.example", RecordType.TXT, f"v=spf1 ip4:{IP} -all"), Severity.WARNING, "shop"),
        (say(ABOVE, RecordType.TXT, f"v=spf1 ip4:{IP} -all"), Severity.WARNING, ABOVE),
        (say("shop.example", RecordType.TXT, "v=spf1 +all"), Severity.OK, "nothing says"),
        (say_mx("shop.example", NAME), Severity.WARNING, "mail exchanger of shop.example"),
        (say_mx("shop.example", "", "mx.shop.example"), Severity.OK, "nothing says"),
        (fail("shop.example", RecordType.TXT), Severity.UNKNOWN, "SPF of shop.example"),
    ],
)
def test_a_source_that_sends_mail_too_is_a_warning(
    zone: Zone, severity: Severity, text: str
) -> None:
    finding = found(Aspect.OWN_MAIL, zone)

    assert severity is finding.severity
    assert text in finding.text


@pytest.mark.parametrize(
    ("contact", "helo_name"), [("", "host.example"), ("ann@[192.0.2.1]", "host.example"), ("", "")]
)
def test_where_no_domain_is_ours_nothing_is_asked_of_it(contact: str, helo_name: str) -> None:
    settings = with_identity(contact=contact, helo_name=helo_name)

    assert Severity.OK is found(Aspect.OWN_MAIL, {}, settings).severity


# Block lists.

LISTING = with_identity()
LISTING = LISTING.but(etiquette=Etiquette(dnsbl=("bl.example",)))
LISTED = say("7.2.0.192.bl.example", RecordType.A, "127.0.0.2")


@pytest.mark.parametrize(
    ("zone", "severity", "text"),
    [
        ({}, Severity.OK, "not listed by bl.example"),
        (LISTED, Severity.FATAL, "listed by bl.example (127.0.0.2)"),
        (
            LISTED | say("1.0.0.127.bl.example", RecordType.A, "127.0.0.2"),
            Severity.WARNING,
            "lists every address",
        ),
        (
            say("7.2.0.192.bl.example", RecordType.A, "127.255.255.254"),
            Severity.WARNING,
            "answers 127.255.255.254",
        ),
        (fail("7.2.0.192.bl.example", RecordType.A), Severity.UNKNOWN, "SERVFAIL"),
    ],
)
def test_a_source_on_a_block_list_is_fatal(zone: Zone, severity: Severity, text: str) -> None:
    finding = found(Aspect.BLOCK_LIST, zone, LISTING)

    assert (severity, f"{IP} bl.example") == (finding.severity, finding.subject)
    assert text in finding.text


def test_in_a_laboratory_loopback_may_be_listed() -> None:
    listed = say("1.0.0.127.bl.example", RecordType.A, "127.0.0.2")

    assert Severity.FATAL is (found(Aspect.BLOCK_LIST, listed, LISTING, ("127.0.0.1",)).severity)


# A DNS of which little or nothing is learned.


def examine_dead(
    zone: Zone, settings: Settings, otherwise: DnsStatus, sources: tuple[str, ...] = (IP,)
) -> list[Finding]:
    """All findings where no name server tells of more than `zone`."""
    machines = examinations(settings, sources, NOW)
    return [it for machine in machines for it in run(machine, zone, otherwise)]


@pytest.mark.parametrize("helo_name", [NAME, f"[{IP}]"])
def test_nobody_is_fit_whose_name_servers_are_dead(helo_name: str) -> None:
    settings = with_identity(helo_name=helo_name)

    [finding] = judge_silence(examine_dead({}, settings, DnsStatus.FAILURE), ())

    assert "no name server gives an answer of use (the system's were asked)" == finding.text


@pytest.mark.parametrize("settings", [SETTINGS, LISTING], ids=["without lists", "with a list"])
@pytest.mark.parametrize("sources", [(IP,), ()], ids=["known", "unknown"])
def test_a_resolver_that_denies_all_is_of_no_use_either(
    settings: Settings, sources: tuple[str, ...]
) -> None:
    denied = examine_dead({}, settings, DnsStatus.NXDOMAIN, sources)

    [finding] = judge_silence(denied, ())

    assert "no answer of the name servers can be believed (the system's were asked)" == finding.text


CANARY = say("example.com", RecordType.A, "192.0.2.80")
OWN_NAME = say(NAME, RecordType.A, IP)


@pytest.mark.parametrize(
    ("zone", "otherwise", "sources"),
    [
        (OWN_NAME | say(POINTER, RecordType.PTR, NAME), DnsStatus.FAILURE, (IP,)),
        (
            CANARY | say_no(NOBODY, RecordType.A, DnsStatus.NXDOMAIN),
            DnsStatus.FAILURE,
            (IP,),
        ),
        (OWN_NAME, DnsStatus.NXDOMAIN, (IP,)),
        (OWN_NAME, DnsStatus.FAILURE, (IP,)),
        (CANARY | OWN_NAME | say(NOBODY, RecordType.A, IP), DnsStatus.FAILURE, ()),
        (say(NAME, RecordType.TXT, f"v=spf1 ip4:{IP} -all"), DnsStatus.FAILURE, (IP,)),
    ],
    ids=[
        "reverse name",
        "canary",
        "a misspelt canary and no reverse name",
        "names of an intranet and no others",
        "no known way out and a resolver that knows every name",
        "SPF",
    ],
)
def test_one_answer_is_a_sign_of_life(
    zone: Zone, otherwise: DnsStatus, sources: tuple[str, ...]
) -> None:
    assert () == judge_silence(examine_dead(zone, SETTINGS, otherwise, sources), ())


def test_a_listing_is_one_as_well() -> None:
    listed = say("7.2.0.192.bl.example", RecordType.A, "127.0.0.2")

    assert () == judge_silence(examine_dead(listed, LISTING, DnsStatus.FAILURE), ())
