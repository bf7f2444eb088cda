"""Exit with 0 if the policy service of this container answers, as a mail server would ask it; else with 1."""

import os
import socket
import sys

ANSWER_S = 4.0
# A state in which there is nothing to decide: nobody is called for it.
REQUEST = b"request=smtpd_access_policy\nprotocol_state=DATA\n\n"


def answers(port: int) -> bool:
    """Say whether there is an answer at `port`. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_S) as sock:
        sock.sendall(REQUEST)
        return sock.recv(7) == b"action="


if __name__ == "__main__":
    listener = os.environ.get("RINGBACK_POLICY__LISTEN", "0.0.0.0:10040")
    try:
        sys.exit(not answers(int(listener.rpartition(":")[2])))
    except (OSError, ValueError) as error:
        sys.exit(f"no answer at {listener}: {error}")
