"""Where everybody is in the world of the benchmarks, and who lives there.

Not here: anything that runs.
"""

SMTP_PORT = 25
DO_NOTHING_PORT = 10_025

NAMESERVER = "127.0.0.1"
RINGBACK = "127.0.0.1:10040"
RINGBACK_PLAIN = "127.0.0.1:10041"
RINGBACK_CONTROL = "127.0.0.1:10042"
RINGBACK_SECURE = "127.0.0.1:10043"
EXIM, EXIM_RANDOM, EXIM_SECURE = "127.9.0.1", "127.9.0.2", "127.9.0.5"
EXIM_EACH = "127.9.0.6"
POSTFIX, POSTFIX_EAGER = "127.9.0.3", "127.9.0.4"
MAILFROMD_PORT = 7_788
# Mail exchangers live behind a wire, in a network of their own: 10.0.0.0/8, all of it one machine.
OUTSIDE = "10.0.0.0/8"
OUR_END, THEIR_END = "172.16.0.1", "172.16.0.2"
HERE, THERE = "bench0", "bench1"  # the interfaces there

HELO_NAME = "mx.home.test"
CONTACT = "postmaster@home.test"
RECIPIENT = "you@home.test"
# Not of 127.0.0.0/8, from where mail is our own: RFC 5737.
CLIENT = "192.0.2.7"

# How domains begin, by what their hosts do.
ANSWERS_AT_ONCE, WAITS = "d", "w"
SECURE, SECURE_WAITS = "s", "x"  # the same behind STARTTLS
DRIP, FAST_DRIP, FLOOD, CONTINUATION = "a", "b", "f", "c"  # hostile

# The second octet of the addresses of their hosts: sixteen each, for a million domains.
NETWORKS = {
    ANSWERS_AT_ONCE: 16,
    WAITS: 32,
    SECURE: 48,
    SECURE_WAITS: 64,
    DRIP: 80,
    FAST_DRIP: 96,
    FLOOD: 112,
    CONTINUATION: 128,
}
_NETWORKS_A_KIND = 16
_KINDS = {network: kind for kind, network in NETWORKS.items()}


def mailbox(number: int, kind: str, domains: int) -> str:
    """An existing address: there are as many as there are numbers."""
    return f"u{number}@{kind}{number % domains}.test"


def address_of_host(kind: str, number: int) -> tuple[int, int, int, int]:
    """The address of the one host of a domain: its own, so that budgets by host are many."""
    return 10, NETWORKS[kind] + (number >> 16), number >> 8 & 255, number & 255


def kind_of_host(address: str) -> str:
    """What the host at such an address does; one that is elsewhere answers at once."""
    network = int(address.split(".", 2)[1]) // _NETWORKS_A_KIND * _NETWORKS_A_KIND
    return _KINDS.get(network, ANSWERS_AT_ONCE)
