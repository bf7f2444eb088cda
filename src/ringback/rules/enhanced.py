"""What enhanced status codes mean on their own: RFC 3463 and its registry, and large hosts' own codes.

`OF_SUBJECT` is read without the class digit: 4.2.2 and 5.2.2 both mean a full mailbox. Codes that say
nothing by themselves ("other", "denied") are absent: wording must speak, or nobody does.
Not here: codes of three digits, which are only looked at when all else is silent (classify.py).
"""

from types import MappingProxyType

from ..values.evidence import Meaning

OF_SUBJECT = MappingProxyType(
    {
        "1.1": Meaning.UNKNOWN_USER,  # bad destination mailbox address
        "1.2": Meaning.UNKNOWN_DOMAIN,  # bad destination system address
        "1.3": Meaning.SYNTAX,  # bad destination mailbox address syntax
        "1.6": Meaning.MOVED,  # destination mailbox has moved
        "1.7": Meaning.SENDER_REJECTED,  # bad sender's mailbox address syntax
        "1.8": Meaning.SENDER_REJECTED,  # bad sender's system address
        "1.10": Meaning.UNKNOWN_DOMAIN,  # recipient address has a null MX (RFC 7505)
        "2.1": Meaning.DISABLED_USER,  # mailbox disabled, not accepting messages
        "2.2": Meaning.FULL,  # mailbox full
        "2.3": Meaning.CONTENT_OR_POLICY,  # message length exceeds administrative limit
        "3.1": Meaning.SERVER_TROUBLE,  # mail system full
        "3.2": Meaning.SERVER_TROUBLE,  # system not accepting network messages
        "3.4": Meaning.CONTENT_OR_POLICY,  # message too big for system
        "3.5": Meaning.SERVER_TROUBLE,  # system incorrectly configured
        "4.2": Meaning.SERVER_TROUBLE,  # bad connection
        "4.3": Meaning.SERVER_TROUBLE,  # directory server failure
        "4.4": Meaning.UNKNOWN_DOMAIN,  # unable to route
        "4.5": Meaning.SERVER_TROUBLE,  # mail system congestion
        "4.6": Meaning.SERVER_TROUBLE,  # routing loop detected
        "4.7": Meaning.SERVER_TROUBLE,  # delivery time expired
        "5.0": Meaning.SYNTAX,  # other or undefined protocol status
        "5.1": Meaning.SYNTAX,  # invalid command
        "5.2": Meaning.SYNTAX,  # syntax error
        "5.3": Meaning.RATE_LIMITED,  # too many recipients
        "5.4": Meaning.SYNTAX,  # invalid command arguments
        "5.5": Meaning.SYNTAX,  # wrong protocol version
        "6.1": Meaning.CONTENT_OR_POLICY,  # media not supported
        "6.2": Meaning.CONTENT_OR_POLICY,  # conversion required and prohibited
        "6.3": Meaning.CONTENT_OR_POLICY,  # conversion required but not supported
        "6.6": Meaning.CONTENT_OR_POLICY,  # message content not available
        "6.7": Meaning.SYNTAX,  # non-ASCII addresses not permitted (RFC 6531)
        "6.9": Meaning.SYNTAX,  # UTF-8 header message cannot be transferred (RFC 6531)
        "7.7": Meaning.CONTENT_OR_POLICY,  # message integrity failure
        "7.8": Meaning.AUTH_REQUIRED,  # authentication credentials invalid (RFC 4954)
        "7.10": Meaning.TLS_REQUIRED,  # encryption needed (RFC 5248)
        "7.11": Meaning.TLS_REQUIRED,  # encryption required for requested authentication mechanism
        "7.13": Meaning.CONTENT_OR_POLICY,  # user account disabled: the user who logs in (RFC 5248)
        "7.15": Meaning.CONTENT_OR_POLICY,  # priority too low (RFC 6710)
        "7.17": Meaning.CONTENT_OR_POLICY,  # mailbox owner has changed (RFC 7293)
        "7.18": Meaning.CONTENT_OR_POLICY,  # domain owner has changed (RFC 7293)
        "7.20": Meaning.CONTENT_OR_POLICY,  # no passing DKIM signature found (RFC 7372)
        "7.21": Meaning.CONTENT_OR_POLICY,  # no acceptable DKIM signature found
        "7.22": Meaning.CONTENT_OR_POLICY,  # no valid author-matched DKIM signature found
        "7.23": Meaning.SENDER_REJECTED,  # SPF validation failed
        "7.24": Meaning.SENDER_REJECTED,  # SPF validation error
        "7.25": Meaning.CLIENT_BLOCKED,  # reverse DNS validation failed
        "7.26": Meaning.CONTENT_OR_POLICY,  # multiple authentication checks failed
        "7.27": Meaning.SENDER_REJECTED,  # sender address has null MX (RFC 7505)
        "7.28": Meaning.RATE_LIMITED,  # mail flood detected
        "7.29": Meaning.CONTENT_OR_POLICY,  # ARC validation failure
        "7.30": Meaning.TLS_REQUIRED,  # REQUIRETLS support required (RFC 8689)
        # Exchange Online's own, from its list of non-delivery reports.
        "1.90": Meaning.RATE_LIMITED,  # the sender's daily limit of recipients
        "2.121": Meaning.RATE_LIMITED,  # the recipient gets too much from this sender
        "2.122": Meaning.RATE_LIMITED,  # the recipient gets too much
        "4.14": Meaning.SERVER_TROUBLE,  # hop count exceeded
        "4.310": Meaning.UNKNOWN_DOMAIN,  # DNS domain does not exist
        "4.312": Meaning.SERVER_TROUBLE,  # DNS query failed
        "4.316": Meaning.SERVER_TROUBLE,  # message expired, connection refused
        "7.57": Meaning.AUTH_REQUIRED,  # client was not authenticated
        "7.64": Meaning.UNKNOWN_DOMAIN,  # tenant attribution: relay access denied
        "7.124": Meaning.CONTENT_OR_POLICY,  # sender not in the recipient's list of allowed senders
        "7.133": Meaning.AUTH_REQUIRED,  # sender not authenticated for group
        "7.134": Meaning.AUTH_REQUIRED,  # sender not authenticated for mailbox
        "7.135": Meaning.AUTH_REQUIRED,  # sender not authenticated for public folder
        "7.136": Meaning.AUTH_REQUIRED,  # sender not authenticated for mail user
        "7.509": Meaning.CONTENT_OR_POLICY,  # sending domain does not pass DMARC
        "7.511": Meaning.CLIENT_BLOCKED,  # banned sender
        "7.750": Meaning.SENDER_REJECTED,  # unregistered domain
    }
)

# Exchange Online numbers its block lists: first and last of each range, both included.
RANGES: tuple[tuple[int, int, Meaning], ...] = (
    (501, 503, Meaning.CLIENT_BLOCKED),  # spam abuse detected
    (506, 506, Meaning.CLIENT_BLOCKED),  # bad HELO
    (508, 508, Meaning.CLIENT_BLOCKED),  # IPv6 range over its limit
    (513, 513, Meaning.CLIENT_BLOCKED),  # client host blocked by the recipient's list
    (606, 699, Meaning.CLIENT_BLOCKED),  # banned sending IP
    (700, 749, Meaning.CLIENT_BLOCKED),  # tenant over its limit
    (850, 899, Meaning.RATE_LIMITED),  # address of unknown standing: slow down
)


def meaning_of(enhanced: str) -> Meaning | None:
    """Say what `enhanced` ("5.1.1") means, None if it says nothing by itself."""
    status, _, subject = enhanced.partition(".")
    if (meaning := OF_SUBJECT.get(subject)) is not None:
        return meaning
    if not subject.startswith("7."):
        passing = status == "4" and subject[:2] in ("3.", "4.") and subject[2:] != "0"
        return Meaning.SERVER_TROUBLE if passing else None
    detail = int(subject[2:])
    return next((meaning for low, high, meaning in RANGES if low <= detail <= high), None)
