"""Ringback: an SMTP callback verifier that its critics could sign off on.

from ringback import Settings, Verifier

async with Verifier.from_settings(settings) as verifier:
    report = await verifier.verify("ann@shop.example")
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .library import Verifier
    from .values.query import Client, Purpose, Query, Report
    from .values.settings import Settings
    from .values.verdict import Blame, Reason, Verdict

__all__ = [
    "Blame",
    "Client",
    "Purpose",
    "Query",
    "Reason",
    "Report",
    "Settings",
    "Verdict",
    "Verifier",
]

# Looked up when they are used: `ringback --help` should not pay for the engine.
_HOMES = {
    "Blame": "values.verdict",
    "Client": "values.query",
    "Purpose": "values.query",
    "Query": "values.query",
    "Reason": "values.verdict",
    "Report": "values.query",
    "Settings": "values.settings",
    "Verdict": "values.verdict",
    "Verifier": "library",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
