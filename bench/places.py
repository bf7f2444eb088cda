"""Where everybody is in the world of the benchmarks, and who lives there.

Not here: anything that runs.
"""

SMTP_PORT = 25
DO_NOTHING_PORT = 10_025

NAMESERVER = "127.0.0.1"
RINGBACK = "127.0.0.1:10040"
RINGBACK_PLAIN = "127.0.0.1:10041"
RINGBACK_CONTROL = "127.0.0.1:10042"
EXIM, EXIM_RANDOM = "127.9.0.1", "127.9.0.2"
POSTFIX, POSTFIX_EAGER = "127.9.0.3", "127.9.0.4"
MAILFROMD_PORT = 7_788
# Mail exchangers live behind a wire, in a network of their own: 10.0.0.0/8, all of it one machine.
OUTSIDE = "10.0.0.0/8"
OUR_END, THEIR_END = "172.16.0.1", "172.16.0.2"

HELO_NAME = "mx.home.test"
CONTACT = "postmaster@home.test"
RECIPIENT = "you@home.test"
# Not of 127.0.0.0/8, from where mail is our own: RFC 5737.
CLIENT = "192.0.2.7"

ANSWERS_AT_ONCE, WAITS = "d", "w"  # how domains begin, by what their hosts do


def mailbox(number: int, kind: str, domains: int) -> str:
    """An existing address: there are as many as there are numbers."""
    return f"u{number}@{kind}{number % domains}.test"


def address_of_host(kind: str, number: int) -> tuple[int, int, int, int]:
    """The address of the one host of a domain: its own, so that budgets by host are many."""
    network = 20 if kind == ANSWERS_AT_ONCE else 40
    return 10, network + (number >> 16), number >> 8 & 255, number & 255
