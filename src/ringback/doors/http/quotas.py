"""How often, and how much at a time, each client asks. Not here: the numbers (limits.py)."""

import math
from collections import Counter, OrderedDict
from collections.abc import Callable

from ...rules.networks import parse_host
from ...rules.pacing import Rate

# A site has a /64 at least; who has one address of it has them all.
_IPV6_PREFIX_BITS = 64


def network_of(peer: str) -> str:
    """Whom a client without a token is counted as: its address, or the network of an IPv6 one."""
    try:
        address = parse_host(peer.partition("%")[0])
    except ValueError:  # of a Unix socket there is none
        return peer
    if address.version == 4:
        return str(address)
    return f"{int(address) >> (128 - _IPV6_PREFIX_BITS):x}/{_IPV6_PREFIX_BITS}"


class Rates:
    """A budget of requests for each client, of the last `most` clients. `elapsed` is Clock.elapsed."""

    def __init__(self, per_hour: int, most: int, elapsed: Callable[[], float]) -> None:
        self._rate, self._most, self._elapsed = Rate(per_hour), most, elapsed
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def spend(self, client: str) -> bool:
        """Take a request from the budget of `client`; False if it is used up."""
        after = self._rate.spend(self._full_at.get(client), self._elapsed())
        if after is None:
            return False
        self._full_at[client] = after
        self._full_at.move_to_end(client)
        if len(self._full_at) > self._most:
            self._full_at.popitem(last=False)
        return True

    def wait_s(self, client: str) -> int:
        """How long until `spend` says yes again, in whole seconds from 1 on."""
        burst_s = (self._rate.burst - 1) * self._rate.interval_s
        left_s = self._full_at.get(client, 0.0) - burst_s - self._elapsed()
        return max(1, math.ceil(left_s))


class Places:
    """Requests under way, of each client and in all."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most, self._most_each = most, most_each
        self._taken: Counter[str] = Counter()

    @property
    def is_full(self) -> bool:
        return self._taken.total() >= self._most

    def take(self, client: str) -> bool:
        """Take a place for `client`; False if it has as many as it may."""
        if self._taken[client] >= self._most_each:
            return False
        self._taken[client] += 1
        return True

    def give_back(self, client: str) -> None:
        self._taken[client] -= 1
        if not self._taken[client]:
            del self._taken[client]
