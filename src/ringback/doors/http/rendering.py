"""Templates filled in: every value escaped, remote text made printable, no name left out unnoticed.

Not here: what is shown (views.py), and which page comes where (pages.py).
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from urllib.parse import quote, urlencode

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from ...values.text import printable
from ..instants import utc
from .assets import path_of
from .views import lines_of
from .wordings import action, label, mark

MAX_SHOWN_CHARS = 300  # of one value; what is longer helps nobody on a page

# In force for pages only: the guard's is for everything else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    # Without it, browsers withhold from us where our own forms come from.
    "referrer-policy": "same-origin",
    "vary": "Accept, Cookie",
}


class _Folder(BaseLoader):
    """The templates that come with the package, wherever that is."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, None]:
        file = files(__package__).joinpath("templates", template)
        if not file.is_file():
            raise TemplateNotFound(template)
        return file.read_text("utf-8"), template, None


def render(template: str, **values: object) -> str:
    """Fill in a template."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=_Folder(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "shown": shown,
        "time": time_of_day,
        "utc": utc,
        "instant": instant,
        "span": span,
        "width": lambda part: f"{part:.1f}%",
        "label": label,
        "mark": mark,
        "action": action,
        "number": lambda count: f"{count:,}".replace(",", "\u202f"),
        "percent": percent,
    }
    environment.globals |= {"asset": path_of, "link": link, "lines_of": lines_of}
    return environment


def shown(text: object, limit: int = MAX_SHOWN_CHARS) -> str:
    """Text from outside, on one line, within bounds; "<>" for an empty address is the template's."""
    return printable(str(text), limit=limit)


def link(path: str, **query: object) -> str:
    """A path of ours with a query."""
    return f"{path}?{urlencode(query, quote_via=quote, safe='@', errors='replace')}"


def instant(at: float) -> Markup:
    """An instant to the second, for people and for programs."""
    stamp = utc(at)
    return Markup('<time datetime="{}">{} {}</time>').format(stamp, stamp[:10], stamp[11:19])


def time_of_day(at: float) -> Markup:
    """The time of an instant of today."""
    stamp = utc(at)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(stamp, stamp, stamp[11:19])


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """A span of time in the unit that fits it."""
    seconds = max(0.0, seconds)
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g}\u202f{unit}"
    if seconds >= 1:
        return f"{seconds:.3g}\u202fs"
    return f"{seconds * 1_000:.0f}\u202fms"


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}\u202f%" if whole else "–"
