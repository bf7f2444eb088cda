"""Lists of a JSON object a line. Not here: files (source.py), what is asked (engine/)."""

from collections.abc import Iterator, Mapping

import msgspec

from .rows import ADDRESS_NAMES, Row, address_in, plain_name, without_end
from .source import Source


def object_rows(source: Source, column: str | None) -> Iterator[Row]:
    """The address is member `column`, or the one that is called so. Raises UsageError."""
    for number, line in source.lines():
        body, end = without_end(line)
        members = _members_of(body)
        row = Row(number, body, end, is_object=isinstance(members, dict))
        if isinstance(members, dict):
            row = row.but(**_address_in(members, column))
        elif body.strip():
            row = row.but(problem="this line is not a JSON object")
        yield row


def _members_of(body: str) -> object:
    """What a line says; None for what is no JSON."""
    try:
        return msgspec.json.decode(body.encode())
    # UnicodeEncodeError for what is no UTF-8 either; a bracket too many is no object of a list.
    except (ValueError, RecursionError):
        return None


def _address_in(members: Mapping[str, object], column: str | None) -> dict[str, str]:
    name = column if column is not None else _name_in(members)
    if name is None or name not in members:
        return {"problem": f'no member "{name or ADDRESS_NAMES[0]}" in this object'}
    said = members[name]
    if not isinstance(said, str):
        return {"problem": f'its member "{name}" is no text'}
    address, problem = address_in(said)
    problem = problem or ("" if address else f'its member "{name}" is empty')
    return {"address": address, "problem": problem}


def _name_in(members: Mapping[str, object]) -> str | None:
    by_name = {plain_name(name): name for name in reversed(list(members))}
    return next((by_name[name] for name in ADDRESS_NAMES if name in by_name), None)
