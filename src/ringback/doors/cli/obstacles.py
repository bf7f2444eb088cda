"""What keeps the service from starting with settings that are right one by one.

`serve` refuses them with the first, `config check` says them all. Not here: what hangs on who runs it and
when, such as who may read a file and whether a port is free; the start finds it out (doors/service.py).
"""

import stat
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TypeVar

from ...assemble import require_store_place
from ...errors import ConfigError, StoreError
from ...net.bind import UNIX
from ...net.passwords import load_logins
from ...values.constraints import quote
from ...values.forms import split_host_port
from ...values.settings import StoreSettings
from ..configuration import DEFAULT, Loaded
from ..http.tokens import load_tokens
from .options import require_contact

_Given = TypeVar("_Given")

# The unit makes it (StateDirectory=), and may never have been started.
_USUAL_FOLDER = Path(StoreSettings().sqlite_path or "").parent


def find_obstacles(loaded: Loaded) -> Iterator[ConfigError]:
    """Say what nobody could serve with."""
    settings = loaded.settings
    yield from _refusal(require_contact, loaded)
    yield from _refusal(_require_door, loaded)
    yield from _clashes(loaded)
    if not _is_for_service(settings.http.tokens_file):
        yield from _refusal(load_tokens, settings.http.tokens_file)
    for route in settings.recipient.route:
        if not _is_for_service(route.password_file):
            yield from _refusal(load_logins, (route,))
    yield from _refusal(_require_store_place, loaded)


def _refusal(read: Callable[[_Given], object], given: _Given) -> Iterator[ConfigError]:
    try:
        read(given)
    except ConfigError as error:
        yield error


def _is_for_service(path: str) -> bool:
    """Say whether we may not read a file, which the service's user may, or only once, as a pipe."""
    try:
        if stat.S_ISFIFO(Path(path).stat().st_mode):
            return True
        Path(path).open("rb").close()
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def _places(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Each address where a door listens, after the key that says so."""
    settings = loaded.settings
    for name in ("policy", "milter", "socketmap"):
        for address in getattr(settings, name).listen:
            yield f"{name}.listen", address
    if settings.http.listen:
        yield "http.listen", settings.http.listen


def _require_door(loaded: Loaded) -> None:
    if not any(_places(loaded)):
        raise ConfigError(
            loaded.file or "configuration",
            "policy.listen",
            "it is empty, and there is no other door to serve",
            'write listen = ["127.0.0.1:10040"] under [policy]',
        )


def _clashes(loaded: Loaded) -> Iterator[ConfigError]:
    """Find each address that another door has already, told of the one that was written."""
    before: list[tuple[str, str]] = []
    for place in _places(loaded):
        for known in before:
            if _is_same_port(known[1], place[1]):
                yield _clash(loaded, known, place)
                break
        before.append(place)


def _is_same_port(one: str, other: str) -> bool:
    """Say whether one of two listeners leaves nothing for the other."""
    if one.startswith(UNIX) or other.startswith(UNIX):
        return one == other
    (ip, port), (other_ip, other_port) = split_host_port(one), split_host_port(other)
    if port != other_port or not port or (":" in ip) != (":" in other_ip):
        return False
    return ip == other_ip or ip_address(ip).is_unspecified or ip_address(other_ip).is_unspecified


def _clash(loaded: Loaded, known: tuple[str, str], place: tuple[str, str]) -> ConfigError:
    if loaded.sources.get(place[0], DEFAULT) == DEFAULT:
        known, place = place, known
    (key, address), (other_key, other_address) = place, known
    problem = f"{quote(address)} clashes with {quote(other_address)} of {other_key}"
    source = loaded.sources.get(key, DEFAULT)
    return ConfigError(source, key, problem, "let one of them listen elsewhere")


def _require_store_place(loaded: Loaded) -> None:
    if Path(loaded.settings.store.sqlite_path or "").parent == _USUAL_FOLDER:
        return
    try:
        require_store_place(loaded.settings)
    except StoreError as error:
        source = loaded.sources.get("store.url", DEFAULT)
        raise ConfigError(source, "store.url", error.what, error.remedy) from None
    except OSError:  # the service's user may see what we may not
        return
