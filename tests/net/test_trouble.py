"""Errors of the operating system in words."""

import errno

from ringback.net.trouble import in_words


def test_system_names_its_error() -> None:
    error = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 25)")

    assert in_words(error) == "Connection refused"


def test_error_without_a_number_speaks_for_itself() -> None:
    assert in_words(OSError("AF_UNIX path too long")) == "AF_UNIX path too long"
