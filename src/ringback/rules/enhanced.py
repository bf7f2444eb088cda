"""What enhanced status codes mean on their own: RFC 3463 and its registry, and large hosts' own codes.

`OF_SUBJECT` is read without the class digit: 4.2.2 and 5.2.2 both mean a full mailbox. Codes that say
nothing by themselves ("other", "denied") are absent: wording must speak, or nobody does.
Not here: codes of three digits, which are only looked at when all else is silent (classify.py).
"""

from types import MappingProxyType

from ..values.evidence import Meaning as M

OF_SUBJECT = MappingProxyType(
    {
        "1.1": M.UNKNOWN_USER,  # bad destination mailbox address
        "1.2": M.UNKNOWN_DOMAIN,  # bad destination system address
        "1.3": M.SYNTAX,  # bad destination mailbox address syntax
        "1.6": M.MOVED,  # destination mailbox has moved
        "1.7": M.SENDER_REJECTED,  # bad sender's mailbox address syntax
        "1.8": M.SENDER_REJECTED,  # bad sender's system address
        "1.10": M.UNKNOWN_DOMAIN,  # recipient address has a null MX (RFC 7505)
        "2.1": M.DISABLED_USER,  # mailbox disabled, not accepting messages
        "2.2": M.FULL,  # mailbox full
        "2.3": M.CONTENT_OR_POLICY,  # message length exceeds administrative limit
        "3.1": M.SERVER_TROUBLE,  # mail system full
        "3.2": M.SERVER_TROUBLE,  # system not accepting network messages
        "3.4": M.CONTENT_OR_POLICY,  # message too big for system
        "3.5": M.SERVER_TROUBLE,  # system incorrectly configured
        "4.2": M.SERVER_TROUBLE,  # bad connection
        "4.3": M.SERVER_TROUBLE,  # directory server failure
        "4.4": M.UNKNOWN_DOMAIN,  # unable to route
        "4.5": M.SERVER_TROUBLE,  # mail system congestion
        "4.6": M.SERVER_TROUBLE,  # routing loop detected
        "4.7": M.SERVER_TROUBLE,  # delivery time expired
        "5.0": M.SYNTAX,  # other or undefined protocol status
        "5.1": M.SYNTAX,  # invalid command
        "5.2": M.SYNTAX,  # syntax error
        "5.3": M.RATE_LIMITED,  # too many recipients
        "5.4": M.SYNTAX,  # invalid command arguments
        "5.5": M.SYNTAX,  # wrong protocol version
        "6.1": M.CONTENT_OR_POLICY,  # media not supported
        "6.2": M.CONTENT_OR_POLICY,  # conversion required and prohibited
        "6.3": M.CONTENT_OR_POLICY,  # conversion required but not supported
        "6.6": M.CONTENT_OR_POLICY,  # message content not available
        "6.7": M.SYNTAX,  # non-ASCII addresses not permitted (RFC 6531)
        "6.9": M.SYNTAX,  # UTF-8 header message cannot be transferred (RFC 6531)
        "7.7": M.CONTENT_OR_POLICY,  # message integrity failure
        "7.8": M.AUTH_REQUIRED,  # authentication credentials invalid (RFC 4954)
        "7.10": M.TLS_REQUIRED,  # encryption needed (RFC 5248)
        "7.11": M.TLS_REQUIRED,  # encryption required for requested authentication mechanism
        "7.13": M.CONTENT_OR_POLICY,  # user account disabled: the user who logs in (RFC 5248)
        "7.15": M.CONTENT_OR_POLICY,  # priority too low (RFC 6710)
        "7.17": M.CONTENT_OR_POLICY,  # mailbox owner has changed (RFC 7293)
        "7.18": M.CONTENT_OR_POLICY,  # domain owner has changed (RFC 7293)
        "7.20": M.CONTENT_OR_POLICY,  # no passing DKIM signature found (RFC 7372)
        "7.21": M.CONTENT_OR_POLICY,  # no acceptable DKIM signature found
        "7.22": M.CONTENT_OR_POLICY,  # no valid author-matched DKIM signature found
        "7.23": M.SENDER_REJECTED,  # SPF validation failed
        "7.24": M.SENDER_REJECTED,  # SPF validation error
        "7.25": M.CLIENT_BLOCKED,  # reverse DNS validation failed
        "7.26": M.CONTENT_OR_POLICY,  # multiple authentication checks failed
        "7.27": M.SENDER_REJECTED,  # sender address has null MX (RFC 7505)
        "7.28": M.RATE_LIMITED,  # mail flood detected
        "7.29": M.CONTENT_OR_POLICY,  # ARC validation failure
        "7.30": M.TLS_REQUIRED,  # REQUIRETLS support required (RFC 8689)
        # Exchange Online's own, from its list of non-delivery reports.
        "1.90": M.RATE_LIMITED,  # the sender's daily limit of recipients
        "2.121": M.RATE_LIMITED,  # the recipient gets too much from this sender
        "2.122": M.RATE_LIMITED,  # the recipient gets too much
        "4.14": M.SERVER_TROUBLE,  # hop count exceeded
        "4.310": M.UNKNOWN_DOMAIN,  # DNS domain does not exist
        "4.312": M.SERVER_TROUBLE,  # DNS query failed
        "4.316": M.SERVER_TROUBLE,  # message expired, connection refused
        "7.57": M.AUTH_REQUIRED,  # client was not authenticated
        "7.64": M.UNKNOWN_DOMAIN,  # tenant attribution: relay access denied
        "7.124": M.CONTENT_OR_POLICY,  # sender not in the recipient's list of allowed senders
        "7.133": M.AUTH_REQUIRED,  # sender not authenticated for group
        "7.134": M.AUTH_REQUIRED,  # sender not authenticated for mailbox
        "7.135": M.AUTH_REQUIRED,  # sender not authenticated for public folder
        "7.136": M.AUTH_REQUIRED,  # sender not authenticated for mail user
        "7.509": M.CONTENT_OR_POLICY,  # sending domain does not pass DMARC
        "7.511": M.CLIENT_BLOCKED,  # banned sender
        "7.750": M.SENDER_REJECTED,  # unregistered domain
    }
)

# Exchange Online numbers its block lists: first and last of each range, both included.
RANGES: tuple[tuple[int, int, M], ...] = (
    (501, 503, M.CLIENT_BLOCKED),  # spam abuse detected
    (506, 506, M.CLIENT_BLOCKED),  # bad HELO
    (508, 508, M.CLIENT_BLOCKED),  # IPv6 range over its limit
    (513, 513, M.CLIENT_BLOCKED),  # client host blocked by the recipient's list
    (606, 699, M.CLIENT_BLOCKED),  # banned sending IP
    (700, 749, M.CLIENT_BLOCKED),  # tenant over its limit
    (850, 899, M.RATE_LIMITED),  # address of unknown standing: slow down
)


def meaning_of(enhanced: str) -> M | None:
    """Say what `enhanced` ("5.1.1") means, None if it says nothing by itself."""
    status, _, subject = enhanced.partition(".")
    if (meaning := OF_SUBJECT.get(subject)) is not None:
        return meaning
    if not subject.startswith("7."):
        passing = status == "4" and subject[:2] in ("3.", "4.") and subject[2:] != "0"
        return M.SERVER_TROUBLE if passing else None
    detail = int(subject[2:])
    return next((meaning for low, high, meaning in RANGES if low <= detail <= high), None)
