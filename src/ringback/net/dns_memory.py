"""The answers of the DNS that are still good. Not here: asking for others (net/resolver.py)."""

from collections.abc import Callable

from ..values.dns import DnsAnswer, DnsStatus, RecordType

# How long an answer is believed, whatever its TTL says. Seconds.
MIN_TTL_S = 5.0  # a TTL of 0 would make every message of a burst ask again
MAX_TTL_S = 3_600.0  # what a canary proves holds for an hour (evidence.md section 3), cached or not
MAX_NEGATIVE_TTL_S = 900.0  # a domain that has just got its MX must not wait for ours to forget
FAILURE_TTL_S = 2.0  # only as long as one burst: nothing was learned

# An entry with one MX record is about 440 bytes; a thousand domains have about five names each.
MAX_REMEMBERED = 20_000
# What a hostile domain can make one entry cost; longer answers are asked for again.
MAX_REMEMBERED_CHARS = 2_048

_Kept = dict[RecordType, dict[str, tuple[float, DnsAnswer]]]


class DnsMemory:
    """The latest answers, by two generations: what is asked for comes into the younger one.

    When that is full, the elder goes, with all that nobody has asked for meanwhile.
    """

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._young, self._old = _no_answers(), _no_answers()
        self._room = MAX_REMEMBERED // 2  # left in the younger generation

    def load(self, name: str, kind: RecordType) -> DnsAnswer | None:
        """Return the answer, if it is still good; its TTL is the one that it had when it came."""
        young = self._young[kind].get(name)
        known = young or self._old[kind].pop(name, None)
        if known is None or known[0] <= self._elapsed():
            return None
        if young is None:
            self._keep(known)
        return known[1]

    def save(self, answer: DnsAnswer) -> DnsAnswer:
        """Remember `answer`, and return it with the time that it is good for."""
        if (ttl_s := _bounded(answer)) != answer.ttl_s:
            answer = answer.but(ttl_s=ttl_s)
        chars = sum(map(len, answer.texts)) + sum(len(mx.host) for mx in answer.mx)
        if chars <= MAX_REMEMBERED_CHARS:
            self._keep((self._elapsed() + answer.ttl_s, answer))
        return answer

    def _keep(self, known: tuple[float, DnsAnswer]) -> None:
        answer = known[1]
        if answer.name not in self._young[answer.kind]:
            if self._room == 0:
                self._old, self._young = self._young, _no_answers()
                self._room = MAX_REMEMBERED // 2
            self._room -= 1
        self._young[answer.kind][answer.name] = known


def _no_answers() -> _Kept:
    return {kind: {} for kind in RecordType}


def _bounded(answer: DnsAnswer) -> float:
    match answer.status:
        case DnsStatus.OK:
            return min(max(answer.ttl_s, MIN_TTL_S), MAX_TTL_S)
        case DnsStatus.NODATA | DnsStatus.NXDOMAIN:
            return min(max(answer.ttl_s, MIN_TTL_S), MAX_NEGATIVE_TTL_S)
        case DnsStatus.FAILURE:
            return FAILURE_TTL_S
