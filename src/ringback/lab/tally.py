"""What a replayed log comes to, counted as it goes, within bounds however long the log is.

Not here: the replay (replay.py), showing it (doors/cli/replay_account.py).
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from ..rules.envelopes import Ending
from .schedules import HOUR_S

# Names that are counted one by one: domains, hosts. What comes beyond them is counted together.
MAX_NAMES = 100_000
# Mails of which it is remembered that they were put off, and spans of those that came back.
MAX_PUT_OFF = 100_000
MAX_SPANS = 100_000
OTHERS = "(others)"


@dataclass(slots=True)
class _Calls:
    count: int = 0
    busiest_hour: int = 0
    recent: deque[int] = field(default_factory=deque)

    def note(self, at: float) -> None:
        self.count += 1
        self.recent.append(second := round(at))  # stamps of logs are no finer
        while self.recent[0] <= second - HOUR_S:
            self.recent.popleft()
        self.busiest_hour = max(self.busiest_hour, len(self.recent))


@dataclass(frozen=True, slots=True)
class Busy:
    """One of those who would be called most. `busiest_hour`: the most calls in any 60 minutes."""

    name: str
    count: int
    busiest_hour: int


class CallsByName:
    """How often each of many would be called."""

    def __init__(self) -> None:
        self._calls: dict[str, _Calls] = {}

    def __len__(self) -> int:
        """How many names there are; at MAX_NAMES, that many or more."""
        return len(self._calls) - (OTHERS in self._calls)

    def note(self, name: str, at: float) -> None:
        if name not in self._calls and len(self) >= MAX_NAMES:
            name = OTHERS
        self._calls.setdefault(name, _Calls()).note(at)

    def busiest(self, most: int) -> Sequence[Busy]:
        """Those called most, first."""
        named = ((name, calls) for name, calls in self._calls.items() if name != OTHERS)
        ranked = sorted(named, key=lambda item: (-item[1].count, item[0]))
        return [Busy(name, calls.count, calls.busiest_hour) for name, calls in ranked[:most]]

    @property
    def busiest_hour(self) -> int:
        named = (calls.busiest_hour for name, calls in self._calls.items() if name != OTHERS)
        return max(named, default=0)


class PutOff:
    """First contacts that were told to come back, and what became of them."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, Ending]] = {}  # and what the site did with it
        self.count = 0
        self.of_taken = 0  # no log shows whether these would come back
        self.came_back = 0  # or wrote again: to a verifier that is the same
        self.gone = 0  # of those that the site put off as well, the ones that have not come back
        self.spans_s: list[float] = []  # of those that came back, the first MAX_SPANS

    def note(self, key: str, at: float, ending: Ending) -> None:
        """A mail is put off; the same mail once more is no other."""
        if key in self._since:
            return
        if len(self._since) >= MAX_PUT_OFF:
            del self._since[next(iter(self._since))]
        self._since[key] = at, ending
        self.count += 1
        self.of_taken += ending is Ending.TAKEN
        self.gone += ending is Ending.PUT_OFF

    def note_passed(self, key: str, at: float) -> None:
        """A mail is not put off; it may have been."""
        if key not in self._since:
            return
        since, ending = self._since.pop(key)
        self.came_back += 1
        self.gone -= ending is Ending.PUT_OFF
        if len(self.spans_s) < MAX_SPANS:
            self.spans_s.append(at - since)


class InVain:
    """Callouts for mail that the site did not take. What it put off, it may take when it comes again."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}
        self.count = 0

    def note(self, key: str, callouts: int, ending: Ending) -> None:
        """So many callouts were made for a mail, and that is what the site did with it."""
        if ending is Ending.TAKEN:
            self.count -= self._open.pop(key, 0)
            return
        self.count += callouts
        if ending is Ending.PUT_OFF and callouts:
            if len(self._open) >= MAX_PUT_OFF:
                del self._open[next(iter(self._open))]
            self._open[key] = self._open.get(key, 0) + callouts


class Could(IntEnum):
    """What might become of the mail of a sender that the site took, the least first."""

    NOTHING = 0  # no gate lets it be asked, or the mailbox is known to exist
    END_OTHERWISE = 1  # a host would have the last word, or it is told to come back
    BE_REFUSED = 2  # by what the DNS, the log or the store say


class Senders:
    """Those of taken mail about whom a client may be asked at all, each counted once."""

    def __init__(self) -> None:
        self._could: dict[int, Could] = {}  # by what Python makes of the address: a number is small

    def note(self, address: str, could: Could) -> None:
        key = hash(address.lower())
        if key in self._could or len(self._could) < MAX_NAMES:
            self._could[key] = max(could, self._could.get(key, could))

    def __len__(self) -> int:
        """How many there are; at MAX_NAMES, that many or more."""
        return len(self._could)

    def count(self, could: Could) -> int:
        """Of how many at least that might become."""
        return sum(one >= could for one in self._could.values())


@dataclass(slots=True)
class Tally:
    """All that is counted of one course of the log."""

    questions: int = 0
    said: Counter[str] = field(default_factory=Counter)  # by gate, else by reason
    calls: int = 0
    to_unauthorised: int = 0  # of the calls: domains that have not authorised the client
    hosts: CallsByName = field(default_factory=CallsByName)
    domains: CallsByName = field(default_factory=CallsByName)
    unauthorised_domains: set[str] = field(default_factory=set)
    put_off: PutOff = field(default_factory=PutOff)
    refused_uncalled: Counter[str] = field(default_factory=Counter)  # mail that the site took
    answered: int = 0  # mail that the site took, of whose sender a host would say something
    known_to_exist: int = 0  # of these: the log or the store has shown the mailbox
    refused_called: int = 0  # of these: what is known of the mailbox refuses it
    senders: Senders = field(default_factory=Senders)
    in_vain: InVain = field(default_factory=InVain)
    taken_as_gone: int = 0  # mail that would have come back, beyond what can wait
