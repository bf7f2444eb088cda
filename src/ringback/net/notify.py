"""Telling the service manager how we are: sd_notify(3).

Not here: stopping and reloading (doors/service.py).
"""

import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"
READY, STOPPING = "READY=1", "STOPPING=1"

# A manager that reads nothing must not hold up the mail.
WAIT_S = 1.0


def reloading(elapsed_s: float) -> tuple[str, ...]:
    """What `Type=notify-reload` wants to hear, and when, by the clock that never jumps, it began."""
    return "RELOADING=1", f"MONOTONIC_USEC={int(elapsed_s * 1_000_000)}"


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
