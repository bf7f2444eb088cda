"""Telling the service manager how we are: sd_notify(3).

Not here: stopping and reloading (doors/service.py).
"""

import socket
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"


def notify(environment: Mapping[str, str], *states: str) -> None:
    """Send `states` ("READY=1", "STATUS=…") to the service manager, if there is one that listens.

    Raises OSError where it named a socket that cannot be had.
    """
    name = environment.get(VARIABLE, "")
    if not name.startswith(("/", "@")):
        return
    address = "\0" + name[1:] if name.startswith("@") else name  # a name of the abstract namespace
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        sock.connect(address)
        sock.sendall("\n".join(states).encode())
