"""What an operator hears of a callout: that our own side is broken, since nobody else can mend it.

Not here: how often he reads the same (doors/resting.py), and what follows of it (rules/conclude.py).
"""

from collections.abc import Sequence

from ..values.events import Trouble
from ..values.evidence import Exchange, Fault, Stage
from ..values.query import Purpose
from ..values.text import printable
from .ports import Sink


class Alarms:
    """One serves all callouts."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._without_tls: set[str] = set()  # hosts of routes, of which that was told

    def raise_for(self, purpose: Purpose, evidence: Sequence[Exchange]) -> None:
        """Tell of what failed in a callout for `purpose`, if it was ours."""
        for said in evidence:
            if said.fault is Fault.SOURCE_UNUSABLE:
                remedy = "see identity.source_addresses, and how many files may be open at a time"
                self._sink(Trouble("source address", said.text, remedy))
                return
            if said.stage is Stage.AUTH and _is_refused(said):
                what = f"{printable(said.host)} does not let us in: {printable(said.text)}"
                remedy = "see username and password_file of its [[recipient.route]]"
                self._sink(Trouble("route", what, remedy))
                return
        if purpose is Purpose.RECIPIENT:
            self._raise_for_tls(evidence[-1])

    def _raise_for_tls(self, last: Exchange) -> None:
        """Tell that a route's host has no TLS for us once a spell, which ends when it says something."""
        if last.fault is None:
            self._without_tls.discard(last.host)
        elif last.fault is Fault.TLS_FAILED and last.host not in self._without_tls:
            self._without_tls.add(last.host)
            what = f"no TLS with {printable(last.host)} comes about: {printable(last.text)}"
            remedy = "see its certificate, and host and tls of its [[recipient.route]]"
            self._sink(Trouble("route", what, remedy))


def _is_refused(login: Exchange) -> bool:
    """True for one that was tried; one that rests was told of then."""
    return login.connection > 0 and (login.fault is not None or (login.code or 0) >= 500)
