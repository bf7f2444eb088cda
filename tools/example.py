"""Write packaging/ringback.toml, which a package installs: every setting, explained, as a comment.

A line of prose begins with "# ", a setting with "#" alone. Usage: python tools/example.py [--check]
"""

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click
from msgspec import NODEFAULT

from ringback.doors.configuration import LATER, SECTIONS
from ringback.doors.toml import encode
from ringback.values.section import Key, Section, keys_of
from ringback.values.settings import RecipientRoute

PLACE = Path(__file__).parent.parent / "packaging" / "ringback.toml"
ROUTE = "recipient.route"
COLUMNS = 100

HEAD = """\
# The settings of Ringback, each with its default. Remove the "#" before a setting to change it.
#
# One has to be written before the service starts: identity.contact, whom those we call can write to.
# Then write identity.helo_name, the name under which this host is known in the DNS, and
# policy.own_domains, since nobody should call himself. Everything else may stay as it is: Ringback
# only watches and logs, until policy.mode says "enforce".
#
# `ringback config check` says what is wrong here, `systemctl reload ringback` makes it hold, and
# ringback.toml(5) says the same at more leisure. Made by `make docs` from the source.
"""

# What cannot be a default, since it is different everywhere.
EXAMPLES: dict[str, object] = {
    "identity.helo_name": "verify.example.net",
    "identity.contact": "postmaster@example.net",
    "policy.own_domains": ("example.net",),
    f"{ROUTE}.domain": "example.net",
    f"{ROUTE}.host": "mailboxes.example.net",
}


def write_example() -> str:
    """The whole file."""
    parts = [HEAD]
    for name, section in SECTIONS.items():
        lines = [*_prose(summary(section)), f"[{name}]"]
        for key in keys_of(section):
            if f"{name}.{key.name}" != ROUTE:
                lines += _setting(name, key)
        parts.append("\n".join(lines) + "\n")
    lines = [*_prose(summary(RecipientRoute)), f"#[[{ROUTE}]]"]
    for key in keys_of(RecipientRoute):
        lines += _setting(ROUTE, key)
    return "\n".join([*parts, "\n".join(lines) + "\n"])


def summary(section: type[Section]) -> str:
    """The line of a section in the manual."""
    return (section.__doc__ or "").splitlines()[0]


def explain(name: str, key: Key) -> tuple[str, str]:
    """Say what a setting is, and what may be written."""
    dotted = f"{name}.{key.name}"
    remedies = [later.remedy for later in LATER if later.documented and later.key == dotted]
    says = "; ".join([key.says, *(f"for now, {it}" for it in remedies)])
    return f"{says[0].upper()}{says[1:]}.", f"Write {key.rule.wants}."


def _setting(name: str, key: Key) -> Iterator[str]:
    example = EXAMPLES.get(f"{name}.{key.name}")
    says, wants = explain(name, key)
    yield ""
    yield from _prose(f"{says} {wants} {_example_note(key) if example else ''}")
    yield f"#{key.name} = {encode(example or key.default)}"


def _example_note(key: Key) -> str:
    """Say what the default is where the file shows something else."""
    required = key.default is NODEFAULT
    return "It is required." if required else f"The default is {encode(key.default)}."


def _prose(text: str) -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )


def main(arguments: list[str]) -> int:
    """Write the file, or say that it differs. Returns the exit status."""
    if "--check" not in arguments:
        PLACE.parent.mkdir(parents=True, exist_ok=True)
        PLACE.write_text(write_example(), encoding="utf-8")
    elif not PLACE.exists() or PLACE.read_text(encoding="utf-8") != write_example():
        click.echo("packaging/ringback.toml is out of date: run make docs", err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
