"""Where the DNS tells nothing: what was fatal stays so, and a DNS that tells nothing at all is fatal itself.

Not here: what its answers say of us (rules/fitness.py), and that a silent one forbids no callouts
(values/fitness.py).
"""

from collections.abc import Iterable, Sequence

from ..values.fitness import Aspect, Finding, Severity

MAX_NAMESERVERS = 3  # that are named; a line of the log is to be read

# What is found by an answer that can be believed, and no other way. A HELO name may be fatal as an address,
# which asks nobody; to be on no list is what a resolver says that denies everything.
_LEARNED = frozenset(
    {
        (Aspect.DNS, Severity.OK),
        (Aspect.REVERSE_NAME, Severity.OK),
        (Aspect.REVERSE_NAME, Severity.FATAL),
        (Aspect.HELO_NAME, Severity.OK),
        (Aspect.SPF, Severity.OK),
        (Aspect.BLOCK_LIST, Severity.FATAL),
    }
)
_NO_ANSWERS = "name resolvers that answer in dns.nameservers; without it the system's are asked"
_NONSENSE = (
    "use a resolver that passes on what the DNS says (dns.nameservers), or another dns.canary"
)


def judge_silence(found: Iterable[Finding], nameservers: Sequence[str]) -> tuple[Finding, ...]:
    """Has the DNS answered anything that can be believed? Empty `nameservers`: the system's."""
    seen = {(it.what, it.severity) for it in found}
    if seen & _LEARNED:
        return ()
    text, remedy = "no name server gives an answer of use", _NO_ANSWERS
    if (Aspect.DNS, Severity.WARNING) in seen:  # it does answer
        text, remedy = "no answer of the name servers can be believed", _NONSENSE
    named = ", ".join(nameservers[:MAX_NAMESERVERS]) or "the system's were asked"
    return (Finding(Aspect.DNS, Severity.FATAL, f"{text} ({named})", remedy),)


def stay_fatal(
    before: Iterable[Finding], found: Sequence[Finding], *, whole: bool
) -> tuple[Finding, ...]:
    """`found`, with what was fatal `before` wherever nothing was learned now: silence mends nothing.

    `whole` is False where some examinations were broken off, which have found nothing at all.
    """
    # That the DNS is silent is found anew each time.
    fatal = {
        _mark(it): it
        for it in before
        if it.severity is Severity.FATAL and it.what is not Aspect.DNS
    }
    silent = set() if whole else fatal.keys() - set(map(_mark, found))
    kept = [fatal.get(_mark(it), it) if it.severity is Severity.UNKNOWN else it for it in found]
    return (*kept, *(it for mark, it in fatal.items() if mark in silent))


def _mark(finding: Finding) -> tuple[Aspect, str]:
    return finding.what, finding.subject
