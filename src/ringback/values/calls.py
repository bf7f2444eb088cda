"""What is kept of each callout for those who were called, and ask why. Not here: keeping it (store/)."""

from .evidence import Exchange
from .query import Purpose
from .record import Record


class Call(Record, frozen=True):
    """One address asked about at one host: written before the connection, completed after it.

    Addresses asked in one session have a Call each, with the same `session`.
    """

    id: str
    session: str  # the id of the first Call of its connection
    at: float  # Unix seconds
    address: str
    domain: str
    host: str  # the MX name
    ip: str
    purpose: Purpose
    client: str = ""  # the IP address whose mail raised the question; "": an operator asks
    recipient: str = ""  # of that mail
    gates: tuple[str, ...] = ()  # what let it through, in words
    outcome: str = ""  # an Outcome; "" while it is under way, or where we were stopped in it
    said: tuple[Exchange, ...] = ()  # what was asked and answered about this address
