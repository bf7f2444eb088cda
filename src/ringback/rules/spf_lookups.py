"""What an evaluation of SPF asks the DNS, and how far it may go (RFC 7208 sections 4.6.4, 4.8 and 5.5).

Not here: what is asked for, and what follows (rules/spf.py).
"""

from dataclasses import dataclass

from ..values.dns import DnsAnswer, DnsStatus, Question, RecordType
from .asking import Asking
from .spf_identity import IpAddress, is_askable, parse_ip

# Section 4.6.4. Each include and each redirect is a term, so the first bounds recursion too.
MAX_LOOKUP_TERMS = 10
MAX_VOID_TERMS = 2
MAX_NAMES = 10  # of the client


class SpfError(Exception):
    """The evaluation ends here, however deep in includes it is. `lasts`: until the record is another."""

    def __init__(self, problem: str, *, lasts: bool = True) -> None:
        super().__init__(problem)
        self.lasts = lasts


@dataclass(slots=True)
class Lookups:
    """Of one evaluation: what it has cost so far, and what the client is called."""

    client: IpAddress
    terms: int = 0  # that caused lookups
    voids: int = 0  # of these, without an answer
    names: tuple[str, ...] | None = None  # confirmed; None: not asked yet

    @property
    def family(self) -> RecordType:
        return RecordType.A if self.client.version == 4 else RecordType.AAAA

    def count_term(self) -> None:
        self.terms += 1
        if self.terms > MAX_LOOKUP_TERMS:
            raise SpfError(f"more than {MAX_LOOKUP_TERMS} terms that ask the DNS")

    def ask_term(self, name: str, kind: RecordType) -> Asking[DnsAnswer]:
        """Ask a term's own question, of which few may go unanswered: else it is others who bear the load."""
        answer = yield from self.ask(name, kind)
        self.voids += answer.status is not DnsStatus.OK
        if self.voids > MAX_VOID_TERMS:
            raise SpfError(f"more than {MAX_VOID_TERMS} terms that ask for nothing there is")
        return answer

    def ask(self, name: str, kind: RecordType) -> Asking[DnsAnswer]:
        """Ask; what cannot be a name does not exist (section 4.8), and no answer is no verdict."""
        if not is_askable(name):
            return DnsAnswer(name, kind, DnsStatus.NXDOMAIN)
        answer = yield Question(name.lower(), kind)
        if answer.status is DnsStatus.FAILURE:
            raise SpfError(f"{kind} of {name}: {answer.detail}", lasts=False)
        return answer

    def confirmed_names(self) -> Asking[tuple[str, ...]]:
        """The client's reverse names that lead back to it; errors only mean fewer of them (section 5.5).

        Nothing of it is void: what a client is called is not the sender's fault.
        """
        if self.names is None:
            pointer = yield Question(self.client.reverse_pointer, RecordType.PTR)
            names = []
            for name in filter(is_askable, pointer.texts[:MAX_NAMES]):
                forward = yield Question(name.lower(), self.family)
                if self.client in map(parse_ip, forward.texts):
                    names.append(name)
            self.names = tuple(names)
        return self.names
