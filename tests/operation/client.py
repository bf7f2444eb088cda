"""What runs in the machine: asks the policy port, and acts between two questions.

Usage: python3 client.py ADDRESS SENDER [COMMAND…]. One connection. After COMMAND the question is asked again
until its answer is another: whoever sends a signal does not hear when it has had its effect.
"""

import socket
import subprocess
import sys
from time import monotonic, sleep

ANSWER_S = 30.0
PAUSE_S = 0.05  # or the one that is waited for has less of the processor


def connect(address: str) -> socket.socket:
    if address.startswith("unix:"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(ANSWER_S)
        sock.connect(address.removeprefix("unix:"))
        return sock
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), ANSWER_S)


def ask(sock: socket.socket, sender: str) -> str:
    sock.sendall(
        b"request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=198.51.100.7\n"
        b"sender=" + sender.encode() + b"\nrecipient=you@ours.example\n\n"
    )
    heard = b""
    while not heard.endswith(b"\n\n"):
        octets = sock.recv(4_096)
        if not octets:
            return "closed"
        heard += octets
    return heard.decode().removeprefix("action=").partition(" ")[0].strip()


address, sender, *command = sys.argv[1:]
with connect(address) as sock:
    answers = [ask(sock, sender)]
    if command:
        subprocess.run(command, check=True)
        give_up_at = monotonic() + ANSWER_S
        while (answer := ask(sock, sender)) == answers[0] and monotonic() < give_up_at:
            sleep(PAUSE_S)
        answers.append(answer)
sys.stdout.write(f"{' '.join(answers)}\n")
