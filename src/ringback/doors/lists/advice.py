"""What a verdict means for somebody with a list, and what to do about it. Not here: the page (page.py)."""

from types import MappingProxyType

from ...values.verdict import Reason

_SOUND = "write to it"
_GONE = "take it off the list"
_LATER = "ask again in a day or two, or write and heed the bounce"
_WRITE = "nothing more can be learnt by asking: write, and heed the bounce"
_OURS = "mend what is wrong on our side, and ask again"

# By reason: what was found, and what to do.
ADVICE = MappingProxyType(
    {
        Reason.ACCEPTED: ("its host takes mail for it, and refuses invented addresses", _SOUND),
        Reason.BAD_SYNTAX: (
            "it can be no address",
            "correct it where it was written down; a slip of the hand is likely",
        ),
        Reason.NO_SUCH_DOMAIN: ("its domain does not exist", f"look for a slip, or {_GONE}"),
        Reason.NO_MAIL_HOST: ("its domain has nothing that takes mail", _GONE),
        Reason.NULL_MX: ("its domain says that it takes no mail", _GONE),
        Reason.NO_SUCH_MAILBOX: ("its host says that there is no such mailbox", _GONE),
        Reason.MAILBOX_DISABLED: ("its host says that the mailbox is disabled", _GONE),
        Reason.MAILBOX_MOVED: (
            "its host says that the mailbox has another address now",
            "see the reply for the new one",
        ),
        Reason.ACCEPTS_ANY: ("its host takes any address, invented ones too", _WRITE),
        Reason.REFUSES_ANY: ("its host refuses whatever it is asked, even its postmaster", _WRITE),
        Reason.REFUSES_NULL_SENDER: ("its host takes no bounces, and so no questions", _WRITE),
        Reason.AMBIGUOUS_REPLY: ("its host answered, and did not say", _WRITE),
        Reason.POLICY_REFUSAL: ("its host named a rule that is not about the mailbox", _WRITE),
        Reason.DOMAIN_NOT_SERVED: ("its host says that it is not in charge", _LATER),
        Reason.GREYLISTED: ("its host makes newcomers wait, longer than we came back", _LATER),
        Reason.PEER_IS_VERIFYING: ("its host was asking about us meanwhile", _LATER),
        Reason.PEER_TROUBLE: ("its host has trouble of its own", _LATER),
        Reason.PROTOCOL_ERROR: ("its host does not speak SMTP", _LATER),
        Reason.TLS_REQUIRED: ("its host wants TLS, and that failed", "see smtp.tls, or write"),
        Reason.NEEDS_SMTPUTF8: (
            "it needs SMTPUTF8, and its host does not offer that",
            "ask its owner for another address",
        ),
        Reason.MAILBOX_FULL: ("the mailbox exists, and is full", _LATER),
        Reason.REFUSES_US: (
            "its host refuses us, not the mailbox",
            f"{_OURS}: ringback audit shows what it said",
        ),
        Reason.RATE_LIMITED: ("its host had too much of us", "ask again tomorrow, and slower"),
        Reason.IDENTITY_UNFIT: ("this host is not fit to call", f"{_OURS}: ringback doctor"),
        Reason.OUR_TROUBLE: ("something of ours failed", f"{_OURS}: the log names it"),
        Reason.DNS_FAILURE: ("the DNS gave no answer that can be believed", _LATER),
        Reason.UNREACHABLE: ("none of its hosts could be reached", _LATER),
        Reason.OPTED_OUT: ("its owner does not want to be asked", "write, and heed the bounce"),
        Reason.OVER_BUDGET: (
            "its host was asked as often as our budget allows",
            "ask again tomorrow; a larger [budget] costs others",
        ),
        Reason.NOT_ASKED: ("a gate of ours kept it from being asked", "see the column gate"),
        Reason.DEADLINE: ("no answer came in time", _LATER),
    }
)
