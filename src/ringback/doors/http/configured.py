"""The page of the settings in force, and where each comes from.

No setting is a secret: tokens and passwords are in files of their own, whose names are shown.
Not here: reading settings (doors/configuration.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from ...values.settings import Settings
from ..configuration import DEFAULT, KEYS, VARIABLES, value_of
from ..toml import encode
from .answering import page
from .bodies import AnyRequest, Door, NoQuery, read_query


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting in force."""

    key: str
    value: str
    says: str
    source: str  # "default", a file's path, or the name of a variable

    @property
    def is_default(self) -> bool:
        return self.source == DEFAULT

    @property
    def from_file(self) -> bool:
        return not self.is_default and self.source not in VARIABLES


@get("/settings")
async def settings(request: AnyRequest, door: Door) -> Response[str]:
    """The settings in force."""
    read_query(request, NoQuery)
    sections = sections_of(door.settings, door.sources)
    rows = [row for rows in sections.values() for row in rows]
    files = sorted({row.source for row in rows if row.from_file})
    return page(
        request,
        door,
        "settings.html",
        sections=sections,
        files=files,
        made=[row for row in rows if not row.is_default],
        total=len(rows),
    )


ROUTES: tuple[HTTPRouteHandler, ...] = (settings,)


def sections_of(settings: Settings, sources: Mapping[str, str]) -> dict[str, list[Setting]]:
    """All settings by section, in the order of the reference."""
    sections: dict[str, list[Setting]] = {}
    for key, known in KEYS.items():
        value, source = encode(value_of(settings, key)), sources.get(key, DEFAULT)
        sections.setdefault(key.partition(".")[0], []).append(
            Setting(key, value, known.says, source)
        )
    return sections
