"""py3-validate-email does an order of orders.py: a thread for each asker, as its users would.

Runs under a Python of its own, where nothing but that package is installed. Not here: its installation
(systems/libraries.py).
"""

import json
import sys
from threading import Thread
from time import perf_counter, process_time

from bench.places import HELO_NAME, mailbox
from validate_email import validate_email


def main() -> None:
    order = json.loads(sys.stdin.readline())
    turns = iter(range(order["questions"] or 10**9))
    took_ms: list[float] = []
    said: dict[str, int] = {}
    started_at, before_s = perf_counter(), process_time()
    until = started_at + order["seconds"]

    def ask() -> None:
        for turn in turns:
            asked_at = perf_counter()
            if asked_at >= until:
                return
            address = mailbox(order["first"] + turn, order["kind"], order["domains"])
            answer = str(
                validate_email(
                    address,
                    check_blacklist=False,
                    smtp_helo_host=HELO_NAME,
                    smtp_from_address="",
                    smtp_skip_tls=True,
                )
            )
            now = perf_counter()
            if now <= until:
                took_ms.append((now - asked_at) * 1_000)
                said[answer] = said.get(answer, 0) + 1

    threads = [Thread(target=ask, daemon=True) for _ in range(order["askers"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - perf_counter()))
    outcome = {
        "seconds": perf_counter() - started_at,
        "took_ms": took_ms,
        "said": said,
        "cpu_s": process_time() - before_s,
    }
    sys.stdout.write(json.dumps(outcome) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
