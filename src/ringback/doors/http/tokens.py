"""Bearer tokens (RFC 6750): read from their file, and compared in constant time.

Not here: which requests need one (guard.py).
"""

import hmac
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from os import fstat
from pathlib import Path

from ...errors import ConfigError
from ...values.text import printable

KEY = "http.tokens_file"
# 64 bits even where they are hexadecimal: beyond guessing over a network.
MIN_TOKEN_CHARS = 16
MAX_TOKENS = 1_000  # each request is compared with all of them
MAX_FILE_BYTES = 1_048_576

# RFC 6750 section 2.1.
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_CREDENTIALS = re.compile(r"bearer +(\S+) *", re.IGNORECASE)
_MAKE_ONE = "make one with: openssl rand -hex 32"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The digests of all tokens, by the number of their line. None at all: nobody needs one."""

    digests: tuple[tuple[int, bytes], ...] = ()

    @property
    def wanted(self) -> bool:
        return bool(self.digests)

    def digest_of(self, token: str) -> bytes | None:
        """Find the digest of a token; None if it is none of ours."""
        given = sha256(token.encode("utf-8", "replace")).digest()
        fitting = [known for _, known in self.digests if hmac.compare_digest(known, given)]
        return fitting[0] if fitting else None

    def name_of(self, authorization: str) -> str | None:
        """Name the token of an Authorization field, as "token of line 3"; None if it is none of ours."""
        found = _CREDENTIALS.fullmatch(authorization)
        given = sha256(found[1].encode("utf-8", "surrogateescape") if found else b"").digest()
        # All are compared, whichever fits: how long that takes says nothing.
        fitting = [line for line, known in self.digests if hmac.compare_digest(known, given)]
        return f"token of line {fitting[0]}" if fitting else None


def load_tokens(path: str) -> Tokens:
    """Read one token a line, "#" before comments; "" for no file. Raises ConfigError."""
    if not path:
        return Tokens()
    lines = list(_tokens(path, _read(path)))
    if not lines:
        raise _mistake(path, "there is no token in it", _MAKE_ONE)
    if len(lines) > MAX_TOKENS:
        raise _mistake(path, f"it has more than {MAX_TOKENS} tokens", "remove old ones")
    return Tokens(tuple(lines))


def _read(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            mode = fstat(file.fileno()).st_mode
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise _mistake(path, problem, "name a file that the service's user can read") from None
    if mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise _mistake(path, "others can read or change it", f"run: chmod 640 {path}")
    if len(content) > MAX_FILE_BYTES:
        raise _mistake(path, f"it is larger than {MAX_FILE_BYTES} bytes", "name a file of tokens")
    return content


def _tokens(path: str, content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
        token = line.partition("#")[0].strip()
        if not token:
            continue
        if not _TOKEN.fullmatch(token) or len(token) < MIN_TOKEN_CHARS:
            # The token itself stays out of the message, which is logged.
            problem = f"line {number} is no token of {MIN_TOKEN_CHARS} characters or more"
            raise _mistake(path, problem, f"use letters, digits and -._~+/; {_MAKE_ONE}")
        yield number, sha256(token.encode()).digest()


def _mistake(path: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(printable(path), KEY, problem, remedy)
