"""Throw-away certificates."""

import ssl

import pytest

from ringback.errors import UsageError
from ringback.lab import tls


def test_a_context_is_one_of_a_server() -> None:
    context = tls.throwaway_context()

    assert ssl.PROTOCOL_TLS_SERVER is context.protocol


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(tls, "import_module", fail)

    with pytest.raises(UsageError, match="cryptography"):
        tls.throwaway_context()
