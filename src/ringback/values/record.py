"""What values are made of, above all those made for every question: frozen, and made in a tenth of the time.

A frozen dataclass sets each of its fields by `object.__setattr__`: two microseconds for a report, and an
answer from the cache makes seven such values. Not here: what the values are.
"""

from collections.abc import Mapping
from typing import Any, Self

import msgspec


class Record(msgspec.Struct, frozen=True, gc=False):
    """One that can be no part of a cycle, which nobody would find.

    Whatever holds a future, a task or a part of the running system may be: it is made with `gc=True`.
    """

    @classmethod
    def among(cls, values: Mapping[str, Any]) -> Self:
        """The one whose fields are in `values`, by their names, among others that it has no use for.

        Raises msgspec.ValidationError where one is missing or of another type.
        """
        return msgspec.convert(values, cls)

    def but(self, **changes: Any) -> Self:
        """The same, but for `changes`."""
        return msgspec.structs.replace(self, **changes)
