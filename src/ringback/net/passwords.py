"""The passwords of routes, read from their files. Not here: saying them (wire/probe.py)."""

import stat
from collections.abc import Iterable, Mapping
from os import fstat
from pathlib import Path

from ..errors import ConfigError
from ..values.endpoint import Login
from ..values.settings import RecipientRoute
from ..values.text import printable

KEY = "recipient.route.password_file"
# With a user name of 120 it fits into one command.
MAX_PASSWORD_OCTETS = 240


def load_logins(routes: Iterable[RecipientRoute]) -> Mapping[str, Login]:
    """Return the login of each route that has one, by its domain. Raises ConfigError."""
    return {
        route.domain: Login(route.username, _load(route.password_file))
        for route in routes
        if route.username
    }


def _load(path: str) -> str:
    content = _read(path)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise _mistake(path, "it is not UTF-8", "write the password as text") from None
    # The password itself stays out of the message, which is logged.
    if len(lines) != 1 or not lines[0] or "\0" in lines[0]:
        raise _mistake(path, "it is not one line", "write the password on its first and only line")
    if len(lines[0].encode("utf-8")) > MAX_PASSWORD_OCTETS:
        problem = f"the password is longer than {MAX_PASSWORD_OCTETS} octets"
        raise _mistake(path, problem, "choose a shorter one")
    return lines[0]


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            mode = fstat(file.fileno()).st_mode
            content = file.read(4 * MAX_PASSWORD_OCTETS)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise _mistake(path, problem, "let the service's user read it") from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise _mistake(path, "others can read or change it", f"run: chmod 640 {printable(path)}")
    return content


def _mistake(path: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(printable(path), KEY, problem, remedy)
