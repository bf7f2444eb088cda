"""What values are made of, above all those made for every question: frozen, and made in a tenth of the time.

A frozen dataclass sets each of its fields by `object.__setattr__`: two microseconds for a report, and an
answer from the cache makes seven such values. Not here: what the values are.
"""

from typing import Any, Self

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One that can be no part of a cycle, which nobody would find.

    Whatever holds a future, a task or a part of the running system may be: it is made with `gc=True`.
    """

    def but(self, **changes: Any) -> Self:
        """The same, but for `changes`."""
        return msgspec.structs.replace(self, **changes)
