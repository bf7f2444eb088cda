"""What clients of the HTTP door may take of us, number by number. Not here: enforcing it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Octets, seconds, and things at a time."""

    # A request is an address and who wrote; a list has a door of its own.
    body_bytes: int = 64 * 1024
    head_bytes: int = 16 * 1024  # the request line and all header fields
    connections: int = 1_000
    # Waiting for a callout costs a request some 50 kB for up to a minute.
    in_flight: int = 512
    in_flight_each: int = 64  # of one client or token, so that one cannot keep the others out
    per_hour_each: int = 360_000  # requests: 100 a second, a quarter of an hour's worth at once
    failures_per_hour_each: int = 240  # tokens that are none, by client network: guessing is slow
    known_clients: int = 10_000  # whose rates are kept; the one seen longest ago goes first
    # Head and body of a request: whoever drips, an octet a second, must not hold a connection for ever.
    read_s: float = 10.0
    write_s: float = 30.0  # a client that takes nothing of its answer for so long is gone
    idle_s: int = 75  # between two requests; proxies keep theirs for a minute
    request_s: float = 150.0  # the whole of one, above the longest wait that can be asked for
