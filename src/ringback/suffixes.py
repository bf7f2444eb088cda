"""The list of public suffixes that ships with its library: which domains somebody can register.

Read at the first question, and of it only what lies below the same top-level domain: all of it would take
as long as half of a short command. Not here: what follows from it (rules/organisation.py).
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

from .rules.organisation import Registered


def registered(domain: str) -> str | None:
    """The domain that somebody registered: one label below a public suffix; None for a suffix itself."""
    top = domain.rpartition(".")[2]
    return _suffixes_below(top if top in _suffix_rules() else _unicode_label(top))(domain)


@cache
def _suffixes_below(top: str) -> Registered:
    """What the library makes of the rules of one top-level domain."""
    rules = map(_in_a_labels, _suffix_rules()[top])
    listed = _suffix_library().PublicSuffixList(rules, accept_encoded_idn=False)
    registered: Registered = listed.privatesuffix
    return registered


@cache
def _suffix_rules() -> Mapping[str, Sequence[str]]:
    """The lines of the list, by what their rules end in; those below "" are none."""
    rules: dict[str, list[str]] = {"": []}
    for line in Path(_suffix_library().PSLFILE).read_text("utf-8").splitlines():
        if line and not line.startswith("//"):
            rule = line.partition(" ")[0]
            rules.setdefault(rule.rpartition(".")[2], []).append(rule)
    return rules


def _suffix_library() -> ModuleType:
    return import_module("publicsuffixlist")  # when it is first needed


def _in_a_labels(rule: str) -> str:
    """A rule as domains are compared; the library would put all of them through its slow codec."""
    return rule if rule.isascii() else rule.encode("idna").decode("ascii")


def _unicode_label(label: str) -> str:
    """A top-level domain as the list writes it; "" if it is not there."""
    with suppress(UnicodeError):
        decoded = label.encode("ascii").decode("idna")
        return decoded if decoded in _suffix_rules() else ""
    return ""
