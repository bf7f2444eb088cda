"""What hosts say of our identity, from callouts to our own addresses: evidence → findings. Pure.

Not here: what the DNS says (fitness.py), and making those callouts (engine/doctor.py).
"""

from collections.abc import Sequence

from ..values.evidence import About, Exchange, Fault, Meaning, Stage
from ..values.fitness import Aspect, Finding, Severity
from ..values.verdict import Reason, Verdict
from .conclude import conclude

_MAKE_ROOM = "give it a mailbox that takes mail, bounces included, and is read"
_OPEN_PORT = "let this host connect to smtp.port everywhere: some networks block it until asked"
_TRY_ONE = "ringback check --explain with an address of yours elsewhere shows it"
_ASK_THEM = "read what the host says of this address, and mend it or ask there"

# What speaks of our address or name, whoever the mail was for.
_OF_US = frozenset({Meaning.CLIENT_BLOCKED, Meaning.RATE_LIMITED, Meaning.SENDER_REJECTED})
_NO_WAY = frozenset({Fault.REFUSED, Fault.TIMEOUT, Fault.SOURCE_UNUSABLE})


def gate_of(helo_name: str) -> str:
    """What lets the doctor's callouts through, as the audit tells it: it asks for the name that it bore."""
    return f"the doctor asks as {helo_name}"


def judge_mailbox(what: Aspect, address: str, evidence: Sequence[Exchange]) -> Finding:
    """Say whether a mailbox of ours takes mail, by what its own hosts answered."""
    us = [said for said in evidence if said.fault is Fault.FORBIDDEN_NETWORK]
    if us and not any(said.connection for said in evidence):
        return spare_mailbox(what, address, us[0].text)
    conclusion = conclude(evidence)
    if conclusion.verdict is Verdict.UNDELIVERABLE or conclusion.reason is Reason.MAILBOX_FULL:
        text = f"{address} does not take mail: {conclusion.rule}"
        return Finding(what, Severity.WARNING, text, _MAKE_ROOM, address)
    if any(map(_accepts, evidence)):
        return Finding(what, Severity.OK, f"{address} takes mail", "", address)
    if conclusion.reason is Reason.REFUSES_NULL_SENDER:
        text = f"{address} takes no bounces: {conclusion.rule}"
        return Finding(what, Severity.WARNING, text, _MAKE_ROOM, address)
    text = f"whether {address} takes mail is not known: {conclusion.rule}"
    return Finding(what, Severity.UNKNOWN, text, "send it a mail, and see", address)


def spare_mailbox(what: Aspect, address: str, why: str) -> Finding:
    """A mailbox of ours that need not be asked for."""
    return Finding(what, Severity.OK, f"{address} is not asked for: {why}", "", address)


def judge_way_out(evidence: Sequence[Exchange]) -> Finding:
    """Say whether mail exchangers can be reached from here, and whether they want us."""
    for said in evidence:
        if said.meaning in _OF_US:
            text = f"{said.host} refuses us: {said.code} {said.text}"
            return Finding(Aspect.PORT, Severity.WARNING, text, _ASK_THEM, said.host)
    for said in evidence:
        if said.code is not None and said.connection:
            text = f"{said.host} at {said.ip} answers"
            return Finding(Aspect.PORT, Severity.OK, text, "", said.host)
    tried = [said for said in evidence if said.stage is Stage.CONNECT]
    for said in tried:
        if said.fault in _NO_WAY:
            text = f"no connection to {said.host} at {said.ip}: {said.text}"
            return Finding(Aspect.PORT, Severity.WARNING, text, _OPEN_PORT, said.host)
    why = next((said.text for said in tried), "no host of others was called")
    text = f"whether mail exchangers can be reached is not known: {why}"
    return Finding(Aspect.PORT, Severity.UNKNOWN, text, _TRY_ONE)


def judge_clock(synchronised: bool | None) -> Finding:
    """Say what the system says of its clock; None: it says nothing."""
    if synchronised is None:
        text = "the system does not say whether its clock is kept right"
        return Finding(Aspect.CLOCK, Severity.UNKNOWN, text, "see that a time service runs")
    if synchronised:
        return Finding(Aspect.CLOCK, Severity.OK, "the system's clock is kept right")
    text = "nothing keeps the system's clock right"
    remedy = "run a time service, such as chrony or systemd-timesyncd"
    return Finding(Aspect.CLOCK, Severity.WARNING, text, remedy)


def _accepts(said: Exchange) -> bool:
    is_recipient = said.stage is Stage.RCPT and said.about is About.ADDRESS
    return is_recipient and said.meaning is Meaning.ACCEPTED
