"""Where to knock, and for how long. Not here: knocking (net/dial.py)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of one host."""

    host: str
    ip: str
    port: int
    preference: int = 0  # of the MX record; lower is preferred


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call may take: each stage of it, and all of it. Seconds."""

    stage_s: float
    whole_s: float
