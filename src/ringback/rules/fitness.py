"""What the DNS says of our own identity: one machine for each thing to look at (etiquette.md, row 9).

Fatal are what makes others refuse or distrust whoever calls: no contact, a HELO name that does not lead to
the source, no confirmed reverse name, a source on a block list. All else warns. Where the DNS fails at one
question, or denies its own canary, nothing was learned.
Not here: what follows where nothing was (rules/silence.py); who runs the machines, and when
(engine/doctor.py); what hosts say of us (rules/reach.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType

from ..values.dns import DnsAnswer, DnsStatus, Question, RecordType
from ..values.fitness import Aspect, Finding, Severity
from ..values.settings import Settings
from . import spf
from .asking import Asking
from .dnsbl import NEVER_LISTED, ask_list
from .networks import forbidden, parse_networks

Findings = tuple[Finding, ...]

# An address of honest size has one or two reverse names, a domain a few hosts.
MAX_NAMES = 3
MAX_HOSTS = 5
# RFC 6761 section 6.4: below it nothing exists. A canary is better: some resolvers know this one by heart.
NOWHERE = "invalid"

_REMEDY: Mapping[Aspect, str] = MappingProxyType(
    {
        Aspect.CONTACT: 'write contact = "postmaster@your.domain" under [identity]',
        Aspect.SOURCE: "name what others see of this host in identity.public_addresses",
        Aspect.REVERSE_NAME: "have whoever runs the network publish a PTR record that names "
        "identity.helo_name, or call from another address (identity.source_addresses)",
        Aspect.HELO_NAME: "publish an address record that leads from identity.helo_name to the "
        "source, or name the sources in identity.source_addresses (behind NAT: public_addresses)",
        Aspect.SPF: 'publish TXT "v=spf1 a -all" for identity.helo_name',
        Aspect.BLOCK_LIST: "ask the list why, mend that and have the entry removed; until then "
        "nobody is called",
        Aspect.OWN_MAIL: "call from an address that sends no mail (identity.source_addresses): "
        "some lists list whoever makes callouts",
        Aspect.DNS: "use a resolver that passes on what the DNS says (dns.nameservers), or "
        "another dns.canary",
    }
)
_BROKEN_LIST = "take it out of etiquette.dnsbl, or ask it through a resolver that it answers"
_NAME_YOURSELF = (
    "write identity.helo_name: the name of this host, which leads to the source of callouts"
)
_LOOK_AGAIN = "see dns.nameservers if it stays so; it is looked at again within a minute"


def examine_contact(contact: str) -> Finding:
    """Whoever is called must find somebody to complain to."""
    if contact:
        return Finding(Aspect.CONTACT, Severity.OK, f"complaints go to {contact}", "", contact)
    return _bad(Aspect.CONTACT, Severity.FATAL, "there is nobody to complain to", "")


def examinations(
    settings: Settings, sources: Sequence[str], now: float
) -> Iterator[Asking[Findings]]:
    """Yield a machine for each thing to ask the DNS; they may run at the same time.

    `sources` are the addresses that we call from, as far as they are known. `now` is Unix seconds.
    """
    canary, identity = settings.dns.canary, settings.identity
    seen = identity.public_addresses or tuple(sources)
    yield examine_dns(canary, now)
    if not identity.helo_name:
        yield find_no_name()
    if not seen:
        yield examine_name(identity.helo_name, canary)
    for ip in seen:
        yield examine_source(ip, settings)
        yield examine_reverse_name(ip, canary)
        yield examine_helo_name(ip, identity.helo_name, canary)
        yield examine_spf(ip, identity.helo_name)
        yield examine_own_mail(ip, identity.contact, identity.helo_name)
        for zone in settings.etiquette.dnsbl:
            yield examine_list(ip, zone)


def examine_dns(canary: str, now: float) -> Asking[Findings]:
    """Does the resolver find what exists, and does it deny what does not?"""
    if canary:
        answer = yield Question(canary, RecordType.A)
        if answer.status is DnsStatus.FAILURE:
            return (_unknown(Aspect.DNS, f"{canary}: {_why(answer)}", canary),)
        if answer.status is DnsStatus.NXDOMAIN:
            text = f"the resolver denies the canary {canary}, so no such answer is believed"
            return (_bad(Aspect.DNS, Severity.WARNING, text, canary),)
    nobody = f"ringback-{int(now)}.{canary or NOWHERE}"
    answer = yield Question(nobody, RecordType.A)
    if answer.status is DnsStatus.FAILURE:
        return (_unknown(Aspect.DNS, f"{nobody}: {_why(answer)}", canary),)
    if answer.status is not DnsStatus.NXDOMAIN:
        text = f"the resolver says that {nobody} exists, a name that nobody has"
        return (_bad(Aspect.DNS, Severity.WARNING, text, canary),)
    return (_well(Aspect.DNS, "the resolver denies a name that nobody has", canary),)


def find_no_name() -> Asking[Findings]:
    """Hosts are owed a name, and we have none. Asks nobody."""
    yield from ()
    text = "there is no HELO name"
    return (Finding(Aspect.HELO_NAME, Severity.FATAL, text, _NAME_YOURSELF, ""),)


def examine_name(helo_name: str, canary: str) -> Asking[Findings]:
    """Where no source is known: does the HELO name lead anywhere?"""
    text = "the system knows no way out, so that it is not known where callouts come from"
    found = (_unknown(Aspect.SOURCE, text, ""),)
    if not helo_name or helo_name.startswith("["):
        return (*found, *_judge_literal("", helo_name))
    for kind in (RecordType.A, RecordType.AAAA):
        answer = yield Question(helo_name, kind)
        if answer.status is DnsStatus.OK:
            text = f"{helo_name} leads to {', '.join(answer.texts[:MAX_HOSTS])}"
            return (*found, _well(Aspect.HELO_NAME, text, helo_name))
        if answer.status is DnsStatus.FAILURE:
            failed = _unknown(Aspect.HELO_NAME, f"{helo_name}: {_why(answer)}", helo_name)
            return (*found, failed)
    nowhere = _bad(Aspect.HELO_NAME, Severity.FATAL, f"{helo_name} leads to no address", helo_name)
    return (*found, (yield from _if_honest(canary, nowhere)))


def examine_source(ip: str, settings: Settings) -> Asking[Findings]:
    """Is it an address that others can see? Asks nobody."""
    yield from ()
    inside = forbidden(ip, parse_networks(settings.smtp.allowed_networks))
    if inside is None:
        return (_well(Aspect.SOURCE, f"callouts come from {ip}", ip),)
    text = f"others see another address than {ip}, which is of no use outside its own network"
    return (_bad(Aspect.SOURCE, Severity.WARNING, text, ip),)


def examine_reverse_name(ip: str, canary: str) -> Asking[Findings]:
    """Has the source a PTR record whose name leads back to it?"""
    pointer = yield Question(ip_address(ip).reverse_pointer, RecordType.PTR)
    if pointer.status is DnsStatus.FAILURE:
        return (_unknown(Aspect.REVERSE_NAME, f"PTR of {ip}: {_why(pointer)}", ip),)
    failed = ""
    for name in pointer.texts[:MAX_NAMES]:
        forward = yield Question(name, _kind_for(ip))
        if _holds(forward, ip):
            text = f"{ip} is {name}, and {name} leads back to it"
            return (_well(Aspect.REVERSE_NAME, text, ip),)
        if forward.status is DnsStatus.FAILURE:
            failed = f"{name}: {_why(forward)}"
    if failed:
        return (_unknown(Aspect.REVERSE_NAME, failed, ip),)
    named = ", ".join(pointer.texts[:MAX_NAMES])
    text = f"the reverse name of {ip}, {named}, does not lead back to it"
    text = text if named else f"{ip} has no reverse name (PTR record)"
    found = _bad(Aspect.REVERSE_NAME, Severity.FATAL, text, ip)
    return ((yield from _if_honest(canary, found)),)


def examine_helo_name(ip: str, helo_name: str, canary: str) -> Asking[Findings]:
    """Does the name that we give lead to the source?"""
    if not helo_name or helo_name.startswith("["):
        return _judge_literal(ip, helo_name)
    answer = yield Question(helo_name, _kind_for(ip))
    if _holds(answer, ip):
        return (_well(Aspect.HELO_NAME, f"{helo_name} leads to {ip}", ip),)
    if answer.status is DnsStatus.FAILURE:
        return (_unknown(Aspect.HELO_NAME, f"{helo_name}: {_why(answer)}", ip),)
    elsewhere = ", ".join(answer.texts[:MAX_HOSTS]) or "no such address"
    text = f"{helo_name} leads to {elsewhere}, not to {ip}"
    found = _bad(Aspect.HELO_NAME, Severity.FATAL, text, ip)
    return ((yield from _if_honest(canary, found)),)


def _judge_literal(ip: str, helo_name: str) -> Findings:
    """RFC 5321 section 4.1.4 lets a host without a name give its address."""
    if not helo_name:
        return ()
    literal = helo_name.strip("[]").lower().removeprefix("ipv6:")
    if not ip or _same(literal, ip):
        text = f"the HELO name {helo_name} is an address, which many hosts refuse"
        return (_bad(Aspect.HELO_NAME, Severity.WARNING, text, ip),)
    text = f"the HELO name {helo_name} is another address than {ip}"
    return (_bad(Aspect.HELO_NAME, Severity.FATAL, text, ip),)


def examine_spf(ip: str, helo_name: str) -> Asking[Findings]:
    """Does the HELO name authorise the source, as bounces are judged (RFC 7208 section 2.4)?"""
    if not helo_name or helo_name.startswith("["):
        return ()
    said = yield from spf.evaluate(ip, f"postmaster@{helo_name}", helo_name)
    text = f"SPF of {helo_name} for {ip}: {said.result}"
    if said.result is spf.SpfResult.TEMPERROR:
        return (_unknown(Aspect.SPF, text, ip),)
    if said.result is spf.SpfResult.PASS:
        return (_well(Aspect.SPF, text, ip),)
    return (_bad(Aspect.SPF, Severity.WARNING, text, ip),)


def examine_own_mail(ip: str, contact: str, helo_name: str) -> Asking[Findings]:
    """Is the source a mail server of ours, by what our domains publish?"""
    unknown = ""
    for domain in _own_domains(contact, helo_name):
        said = yield from spf.evaluate(ip, f"postmaster@{domain}", helo_name or domain)
        if said.result is spf.SpfResult.PASS and said.narrow:
            text = f"{ip} may send mail of {domain}, by its SPF record"
            return (_bad(Aspect.OWN_MAIL, Severity.WARNING, text, ip),)
        if said.result is spf.SpfResult.TEMPERROR:
            unknown = f"SPF of {domain}: no answer"
        takes_mail = yield from _is_mx(domain, ip)
        if takes_mail:
            text = f"{ip} is a mail exchanger of {domain}"
            return (_bad(Aspect.OWN_MAIL, Severity.WARNING, text, ip),)
    if unknown:
        return (_unknown(Aspect.OWN_MAIL, unknown, ip),)
    return (_well(Aspect.OWN_MAIL, f"nothing says that {ip} sends mail, too", ip),)


def _own_domains(contact: str, helo_name: str) -> tuple[str, ...]:
    """The contact's domain and the one above the HELO name, whose own record is for callouts."""
    above = helo_name.partition(".")[2]
    named = (contact.rpartition("@")[2], above if "." in above else "")
    return tuple(dict.fromkeys(name for name in named if name and not name.startswith("[")))


def _is_mx(domain: str, ip: str) -> Asking[bool]:
    records = yield Question(domain, RecordType.MX)
    for record in records.mx[:MAX_HOSTS]:
        if record.host:
            answer = yield Question(record.host, _kind_for(ip))
            if _holds(answer, ip):
                return True
    return False


def examine_list(ip: str, zone: str) -> Asking[Findings]:
    """Is the source listed, by a list that does not list the whole world?"""
    listing = yield from ask_list(zone, ip)
    subject = f"{ip} {zone}"
    if listing.failure:
        return (_unknown(Aspect.BLOCK_LIST, f"{zone}: {listing.failure}", subject),)
    if not listing.is_listed and not listing.error:
        return (_well(Aspect.BLOCK_LIST, f"{ip} is not listed by {zone}", subject),)
    everybody = False
    if listing.is_listed and ip != NEVER_LISTED:
        world = yield from ask_list(zone, NEVER_LISTED)
        everybody = world.is_listed
    if everybody or listing.error:
        text = f"{zone}: {listing.error or 'it lists every address'}"
        return (Finding(Aspect.BLOCK_LIST, Severity.WARNING, text, _BROKEN_LIST, subject),)
    text = f"{ip} is listed by {zone} ({', '.join(listing.codes)})"
    return (_bad(Aspect.BLOCK_LIST, Severity.FATAL, text, subject),)


def _if_honest(canary: str, found: Finding) -> Asking[Finding]:
    """Return `found`, which rests on something that the DNS denies, if its denials can be believed."""
    if not canary:
        return found
    answer = yield Question(canary, RecordType.A)
    if answer.status in (DnsStatus.OK, DnsStatus.NODATA):
        return found
    text = f"{found.text}; but {canary} does not resolve either"
    return _unknown(found.what, text, found.subject)


def _well(what: Aspect, text: str, subject: str) -> Finding:
    return Finding(what, Severity.OK, text, "", subject)


def _bad(what: Aspect, severity: Severity, text: str, subject: str) -> Finding:
    return Finding(what, severity, text, _REMEDY[what], subject)


def _unknown(what: Aspect, text: str, subject: str) -> Finding:
    return Finding(what, Severity.UNKNOWN, text, _LOOK_AGAIN, subject)


def _why(answer: DnsAnswer) -> str:
    return answer.detail or "the DNS gave no answer"


def _kind_for(ip: str) -> RecordType:
    return RecordType.A if ip_address(ip).version == 4 else RecordType.AAAA


def _holds(answer: DnsAnswer, ip: str) -> bool:
    return any(_same(text, ip) for text in answer.texts)


def _same(text: str, ip: str) -> bool:
    try:
        return ip_address(text) == ip_address(ip)
    except ValueError:
        return False
