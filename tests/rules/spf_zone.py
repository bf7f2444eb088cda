"""A DNS of plain dictionaries, for the tests of SPF: names to their records by type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ringback.rules.asking import Asking, T
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, Question, RecordType

# As many as a resolver follows before it gives up.
MAX_ALIASES = 10

Records = Mapping[str, Sequence[str]]


@dataclass
class Zone:
    """Answers from `names` (lower case); records of MX are "10 mx.example".

    A type named in the records without any is NODATA, as is one that is not named; "FAIL" among the types
    makes the server silent for those that are not. `asked` are the questions so far.
    """

    names: Mapping[str, Records]
    asked: list[Question] = field(default_factory=list)

    def answer(self, question: Question) -> DnsAnswer:
        self.asked.append(question)
        return self._answer(question, question.name, MAX_ALIASES)

    def _answer(self, question: Question, name: str, aliases: int) -> DnsAnswer:
        records = self.names.get(name.lower())
        if records is None:
            return self._without(question, DnsStatus.NXDOMAIN)
        if found := records.get(question.kind.value):
            return _found(question, found)
        if alias := records.get("CNAME"):
            if not aliases:
                return self._without(question, DnsStatus.FAILURE)
            return self._answer(question, alias[0], aliases - 1)
        failing = "FAIL" in records
        return self._without(question, DnsStatus.FAILURE if failing else DnsStatus.NODATA)

    def _without(self, question: Question, status: DnsStatus) -> DnsAnswer:
        detail = "SERVFAIL" if status is DnsStatus.FAILURE else ""
        return DnsAnswer(question.name, question.kind, status, detail=detail)

    def run(self, machine: Asking[T]) -> T:
        """Return what `machine` concludes."""
        try:
            question = next(machine)
            while True:
                question = machine.send(self.answer(question))
        except StopIteration as done:
            result: T = done.value
            return result


def _found(question: Question, records: Sequence[str]) -> DnsAnswer:
    if question.kind is RecordType.MX:
        split = (record.partition(" ") for record in records)
        mx = tuple(Mx(int(preference), host) for preference, _, host in split)
        return DnsAnswer(question.name, question.kind, DnsStatus.OK, mx=mx)
    return DnsAnswer(question.name, question.kind, DnsStatus.OK, texts=tuple(records))
