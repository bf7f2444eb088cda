"""Settings as TOML writes them, to be shown. Not here: reading TOML (configuration.py)."""

import json
from collections.abc import Callable
from typing import Any

from ..values.section import Section
from ..values.settings import Ages


def encode(value: object) -> str:
    """Write the value of one setting."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"no setting is a {type(value).__name__}")


def _encode_list(value: tuple[object, ...]) -> str:
    return f"[{', '.join(encode(item) for item in value)}]"


def _encode_ages(value: Ages) -> str:
    return f"[{value.refresh_s:.15g}, {value.expire_s:.15g}]"


def _encode_table(value: Section) -> str:
    pairs = (f"{name} = {encode(getattr(value, name))}" for name in value.__struct_fields__)
    return f"{{{', '.join(pairs)}}}"


_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    # What JSON escapes, TOML escapes in the same way; text beyond ASCII stays readable.
    (str, lambda value: json.dumps(str(value), ensure_ascii=False)),
    (bool, lambda value: str(value).lower()),
    (int, str),
    (float, repr),
    (tuple, _encode_list),
    (Ages, _encode_ages),
    (Section, _encode_table),
)
