"""The files that pages load, by names that change with their content: a browser may keep them for good.

Not here: the pages (pages.py), the files (static/).
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from .bodies import AnyRequest
from .problems import ProblemError

STATIC = "/static/"
_FOLDER = "static"
_MEDIA_TYPES = MappingProxyType(
    {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
)
# A closed list: nothing else of that folder is anybody's business, and no path leads out of it.
NAMES = (
    "ringback.css",
    "ringback.js",
    "ringback.svg",
    "vendor/htmx.min.js",
    "vendor/uplot.min.css",
    "vendor/uplot.min.js",
)
_DIGEST_CHARS = 12
# What has another content has another name.
_FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is served."""

    path: str
    content: bytes
    media_type: str


@cache
def _assets() -> MappingProxyType[str, Asset]:
    return MappingProxyType({name: _read(name) for name in NAMES})


def path_of(name: str) -> str:
    """Where a file of NAMES is served."""
    return _assets()[name].path


@get(STATIC + "{name:str}", sync_to_thread=False)
def asset(request: AnyRequest) -> Response[bytes]:
    """One file."""
    path = request.scope["path"]
    found = next((known for known in _assets().values() if known.path == path), None)
    if found is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, "there is no such file")
    return Response(
        found.content, media_type=found.media_type, headers={"cache-control": _FOR_GOOD}
    )


ROUTES: tuple[HTTPRouteHandler, ...] = (asset,)


def _read(name: str) -> Asset:
    content = files(__package__).joinpath(_FOLDER, *name.split("/")).read_bytes()
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    digest = sha256(content).hexdigest()[:_DIGEST_CHARS]
    return Asset(f"{STATIC}{stem}.{digest}{dot}{ending}", content, _MEDIA_TYPES[dot + ending])
