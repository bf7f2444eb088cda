"""Logins that hosts of routes have refused: given a rest, or each recipient would repeat a wrong password.

Hosts lock out who does that. What rests is forgotten with the settings: after a reload the next recipient
tries again. Not here: what is said (wire/probe.py), and that the operator is told (engine/alarms.py).
"""

from collections.abc import Iterable

from ..rules.outcomes import is_permanent
from ..values.endpoint import Endpoint, Manner
from ..values.evidence import Exchange, Stage
from .ports import Clock

# Two in ten minutes: fewer than what fail2ban (five) and others lock out for, and soon enough where it was
# the host that had lost its passwords.
REST_S = 300.0

_Door = tuple[str, int, Manner]


class Logins:
    """One serves all callouts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: dict[_Door, tuple[float, Exchange]] = {}  # one a route's host at most

    def refusal(self, endpoint: Endpoint, manner: Manner) -> Exchange | None:
        """What the host said to our login, while that rests."""
        if manner.login is None:
            return None
        refused = self._refused.get(_door(endpoint, manner))
        if refused and 0 <= self._clock.elapsed() - refused[0] < REST_S:
            return refused[1]
        return None

    def note(self, endpoint: Endpoint, manner: Manner, said: Iterable[Exchange]) -> None:
        """Take in what the host said: whether it has let us in."""
        if manner.login is None:
            return
        logins = [exchange for exchange in said if exchange.stage is Stage.AUTH]
        if logins and is_permanent(logins[-1]):
            kept = logins[-1].but(connection=0)  # of no connection of later callouts
            self._refused[_door(endpoint, manner)] = self._clock.elapsed(), kept
        elif logins:
            self._refused.pop(_door(endpoint, manner), None)


def _door(endpoint: Endpoint, manner: Manner) -> _Door:
    return endpoint.ip, endpoint.port, manner
