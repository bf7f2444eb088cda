"""Templates filled in: every value escaped, remote text made printable, no name left out unnoticed.

Not here: what is shown (views.py), and which page comes where (pages.py).
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from urllib.parse import quote, urlencode

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from markupsafe import Markup, escape

from ...values.text import printable
from ..instants import utc
from .assets import path_of
from .views import lines_of, scope_of
from .wordings import action, doing, label, mark, reason_of

_MINUTE_S = 60
MAX_SHOWN_CHARS = 300  # of one value; what is longer helps nobody on a page
MAX_SHOWN_ADDRESS_CHARS = 120  # some lines of a phone

# In force for pages only: the guard's is for everything else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
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
        "shown_address": shown_address,
        "time": time_of_day,
        "utc": utc,
        "instant": instant,
        "span": span,
        "width": lambda part: f"{part:.1f}%",
        "label": label,
        "mark": mark,
        "reason_of": reason_of,
        "doing": doing,
        "scope": scope_of,
        "words": words,
        "action": action,
        "number": lambda count: f"{count:,}".replace(",", "\u202f"),
        "percent": percent,
    }
    environment.globals |= {"asset": path_of, "link": link, "lines_of": lines_of}
    return environment


def shown(text: object, limit: int = MAX_SHOWN_CHARS) -> str:
    """Text from outside, on one line, within bounds; "<>" for an empty address is the template's."""
    return printable(str(text), limit=limit)


def shown_address(text: object, limit: int = MAX_SHOWN_ADDRESS_CHARS) -> str:
    """An address within bounds: a long one loses the end of its local part and keeps its domain."""
    local, at, domain = str(text).rpartition("@")
    end = at + shown(domain, max(limit - len(local + at), limit // 2))
    return shown(local, limit - len(end)) + end


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


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A span of time in the unit that fits it, and what is left in the next smaller one."""
    if seconds < 1:
        return f"{seconds * 1_000:.0f}\u202fms" if seconds >= 0.000_5 else "<1\u202fms"
    if seconds < _MINUTE_S:
        return f"{seconds:.3g}\u202fs"
    left = round(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        parts += [f"{count}\u202f{unit}"] if count or parts else []
    return " ".join(part for part in parts[:2] if not part.startswith("0"))


def words(text: str) -> Markup:
    """A line of the reference, with its `code` as such."""
    plain, *rest = text.split("`")
    marked = Markup("<code>{}</code>")
    parts = [marked.format(part) if at % 2 == 0 else escape(part) for at, part in enumerate(rest)]
    return escape(plain) + Markup("").join(parts)


def percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.0f}\u202f%" if whole else "–"
