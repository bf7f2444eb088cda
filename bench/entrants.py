"""Who takes part: those that can be had on this machine, and why the others cannot.

Not here: how each is set up (systems/).
"""

import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msgspec import MsgspecError

from real.servers.unpack import UnavailableError

from . import places
from .figures import say
from .options import Options
from .orders import Way
from .systems import exim, libraries, mailfromd, postfix, ringback
from .systems.system import PART, Sample, System
from .world import World

CEILING, NOTHING = "load and hosts alone", "load alone"
RINGBACK, EXIM = "ringback", "exim"
PLAIN, CONTROL, RANDOM = "ringback, no uvloop", "ringback, control", "exim, random"
EXIM_EACH = "exim, a session each"
SECURE, EXIM_SECURE = "ringback, STARTTLS", "exim, STARTTLS"
POSTFIX, EAGER = "postfix, polls 3 s", "postfix, polls 1 s"
MAILFROMD, PY3, DEEP = "mailfromd", "py3-validate-email", "deep-email-validator"

_Make = Callable[[World], System]

MAKERS: dict[str, _Make] = {
    CEILING: lambda world: System(CEILING, Way.CALLOUT, "", 0, 0, frozenset({"250"}), world),
    NOTHING: lambda world: System(
        NOTHING,
        Way.POLICY,
        places.THEIR_END,
        places.DO_NOTHING_PORT,
        0,
        frozenset({"action=DUNNO"}),
        world,
    ),
    RINGBACK: lambda world: ringback.start(world, RINGBACK, places.RINGBACK),
    PLAIN: lambda world: ringback.start(world, PLAIN, places.RINGBACK_PLAIN, plain=True),
    CONTROL: lambda world: ringback.start(world, CONTROL, places.RINGBACK_CONTROL, control=True),
    EXIM: lambda world: exim.start(world, EXIM, places.EXIM),
    EXIM_EACH: lambda world: exim.start(world, EXIM_EACH, places.EXIM_EACH, each=True),
    RANDOM: lambda world: exim.start(world, RANDOM, places.EXIM_RANDOM, random=True),
    SECURE: lambda world: ringback.start(world, SECURE, places.RINGBACK_SECURE, secure=True),
    EXIM_SECURE: lambda world: exim.start(world, EXIM_SECURE, places.EXIM_SECURE, secure=True),
    POSTFIX: lambda world: postfix.start(world, POSTFIX, places.POSTFIX),
    EAGER: lambda world: postfix.start(world, EAGER, places.POSTFIX_EAGER, poll_s=1),
    MAILFROMD: lambda world: mailfromd.start(world, MAILFROMD),
    PY3: lambda world: libraries.py3_validate_email(world, PY3),
    DEEP: lambda world: libraries.deep_email_validator(world, DEEP),
}


@dataclass(slots=True)
class Field:
    """Those that have started, by name, and why others have not."""

    systems: dict[str, System] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def measure(self, name: str, askers: int, seconds: float, *, known: int = 0) -> list[Sample]:
        """One run of one of them, or none: whoever cuts its askers off takes no further part.

        `known`: go round among so many mailboxes, the first ones.
        """
        try:
            first = 0 if known else None
            return [self.systems[name].measure(askers, seconds, first=first, known=known)]
        except MsgspecError:
            del self.systems[name]
            self.missing[name] = f"it cut off {askers} askers, and takes no further part"
            return []

    def say_who(self) -> None:
        """Their versions, or the settings they run with, as far as the one before has others."""
        said: set[str] = set()
        for name, system in self.systems.items():
            new = [part for part in system.about.split(PART) if part and part not in said]
            if new:
                say(f"{name}: {PART.join(new)}")
            said.update(new)

    def say_missing(self) -> None:
        for name, why in self.missing.items():
            say(f"not here: {name}: {why}")


def gather(world: World, names: Iterable[str], asked: Options) -> Field:
    """Start those of `names` that are asked for."""
    found = Field()
    for name in filter(asked.wants, names):
        try:
            found.systems[name] = MAKERS[name](world)
        except (UnavailableError, TimeoutError, OSError, subprocess.SubprocessError) as error:
            found.missing[name] = " ".join(str(error).split())[-300:]
    return found
