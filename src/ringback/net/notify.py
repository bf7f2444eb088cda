"""Telling the service manager how we are: sd_notify(3).

Not here: stopping and reloading (doors/service.py).
"""

import os
import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"
READY, STOPPING, ALIVE = "READY=1", "STOPPING=1", "WATCHDOG=1"
# Set where the unit has WatchdogSec=: microseconds, and the process that is watched.
_WATCHDOG, _WATCHED = "WATCHDOG_USEC", "WATCHDOG_PID"

# A manager that reads nothing must not hold up the mail.
WAIT_S = 1.0


def reloading(elapsed_s: float) -> tuple[str, ...]:
    """What `Type=notify-reload` wants to hear, and when, by the clock that never jumps, it began."""
    return "RELOADING=1", f"MONOTONIC_USEC={int(elapsed_s * 1_000_000)}"


def watchdog_s(environment: Mapping[str, str]) -> float | None:
    """How long the service manager waits for a sign of life before it kills us: sd_watchdog_enabled(3)."""
    written = environment.get(_WATCHDOG, "")
    watched = environment.get(_WATCHED, str(os.getpid())) == str(os.getpid())
    if not (watched and written.isascii() and written.isdigit()):
        return None
    return int(written) / 1_000_000 or None


def notify(environment: Mapping[str, str], *states: str) -> None:
    """Send `states` ("READY=1", "STATUS=…") to the service manager, if there is one that listens.

    Raises OSError where it named a socket that cannot be had.
    """
    name = environment.get(VARIABLE, "")
    if not name.startswith(("/", "@")):
        return
    address = "\0" + name[1:] if name.startswith("@") else name  # a name of the abstract namespace
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.settimeout(WAIT_S)
        sock.connect(address)
        sock.sendall("\n".join(states).encode())
