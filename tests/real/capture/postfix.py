"""Postfix, in the configurations that callers meet most. Not here: its greylisters (others.py)."""

from collections.abc import Mapping

from ringback.lab.tls import throwaway_pem
from ringback.values.settings import TlsPolicy

from ..servers import postfix
from ..servers.box import Box
from .studio import BACKEND, DOMAIN, ELSEWHERE, HOST, KNOWN, POSTMASTER, UNKNOWN, Boxes, Scene, Take

_MAIN = {
    "myhostname": DOMAIN,
    "virtual_mailbox_domains": DOMAIN,
    "virtual_mailbox_maps": f"inline:{{ {KNOWN}=ann, {POSTMASTER}=ann }}",
}
_RECIPIENTS = "smtpd_recipient_restrictions"
_FIRST = "reject_unauth_destination, reject_unlisted_recipient"


def scene(main: Mapping[str, str], *takes: Take) -> Scene:
    def start(box: Box, further: Boxes) -> None:
        (box.home / "tls.pem").write_bytes(throwaway_pem(DOMAIN))
        postfix.start(box, HOST, {**_MAIN, **main})

    return Scene("postfix", "postfix", takes, postfix.fetch, start)


def _restricted(restriction: str, **main: str) -> Mapping[str, str]:
    return {_RECIPIENTS: f"{_FIRST}, {restriction}", **main}


_LOCAL = {
    "virtual_mailbox_domains": "",
    "mydestination": DOMAIN,
    "local_recipient_maps": "inline:{ ann=ann, postmaster=ann }",
}
_RELAYED = {
    "virtual_mailbox_domains": "",
    "relay_domains": DOMAIN,
    "relay_recipient_maps": f"inline:{{ {KNOWN}=x, {POSTMASTER}=x }}",
}
_ALIASED = {
    "virtual_mailbox_domains": "",
    "virtual_alias_domains": DOMAIN,
    "virtual_alias_maps": f"inline:{{ {KNOWN}=root@elsewhere.example }}",
}


def _verifying(polls: int, code: int, *takes: Take) -> Scene:
    """A front host that asks the host behind it about each recipient, and looks `polls` times."""

    def start(box: Box, further: Boxes) -> None:
        behind = further("behind", postfix.fetch)
        postfix.start(behind, BACKEND, {**_MAIN, "myhostname": "behind.example"})
        main = {
            "myhostname": DOMAIN,
            "virtual_mailbox_domains": "",
            "relay_domains": DOMAIN,
            "relay_transport": f"smtp:[{BACKEND}]",
            "unverified_recipient_reject_code": str(code),
            "address_verify_poll_count": str(polls),
            "address_verify_poll_delay": "1s",
            "address_verify_map": "",
            _RECIPIENTS: "reject_unauth_destination, reject_unverified_recipient",
        }
        postfix.start(box, HOST, main)

    return Scene("postfix", "postfix", takes, postfix.fetch, start)


SCENES = (
    scene(
        {},
        Take("known", "virtual mailboxes, one that exists", "ACCEPTED accepted"),
        Take("unknown_virtual", "no such virtual mailbox", "REJECTED unknown_user", UNKNOWN),
        Take("relay_denied", "a domain that it does not serve", "UNSURE unknown_domain", ELSEWHERE),
    ),
    scene(_LOCAL, Take("unknown_local", "no such account", "REJECTED unknown_user", UNKNOWN)),
    scene(
        _RELAYED,
        Take("unknown_relayed", "not in relay_recipient_maps", "REJECTED unknown_user", UNKNOWN),
    ),
    scene(_ALIASED, Take("unknown_alias", "no such alias", "REJECTED unknown_user", UNKNOWN)),
    scene(
        {"show_user_unknown_table_name": "no"},
        Take("unknown_curt", "show_user_unknown_table_name = no", "REJECTED unknown_user", UNKNOWN),
    ),
    scene(
        {"soft_bounce": "yes"},
        Take("unknown_soft", "soft_bounce = yes, as when moving", "DEFERRED unknown_user", UNKNOWN),
    ),
    scene(
        {"smtpd_reject_footer": r"For help see https://mx.example/help?ip=$client_address"},
        Take("unknown_footer", "with smtpd_reject_footer", "REJECTED unknown_user", UNKNOWN),
    ),
    scene(
        {"relocated_maps": f"inline:{{ {KNOWN}=ann.smith@elsewhere.example }}"},
        Take("moved", "relocated_maps", "REJECTED moved"),
    ),
    scene(
        {"smtpd_tls_security_level": "encrypt", "smtpd_tls_chain_files": "/srv/tls.pem"},
        Take("tls_required", "smtpd_tls_security_level = encrypt", "ACCEPTED accepted"),
        Take(
            "tls_refused",
            "the same, with STARTTLS taken out by a middle box",
            "UNSURE tls_required",
            tls=TlsPolicy.NEVER,
        ),
    ),
    scene(
        {"smtpd_sender_restrictions": "check_sender_access inline:{<>=REJECT}"},
        Take("null_sender", "the null sender rejected at RCPT", "NO_BOUNCES null_sender_refused"),
    ),
    scene(
        {
            "smtpd_sender_restrictions": "check_sender_access inline:{<>=REJECT}",
            "smtpd_delay_reject": "no",
        },
        Take("null_sender_at_mail", "the null sender at MAIL", "NO_BOUNCES null_sender_refused"),
    ),
    scene(
        _restricted("reject_rbl_client bl.example"),
        Take("block_list", "reject_rbl_client", "REFUSED client_blocked"),
    ),
    scene(
        _restricted("reject_rhsbl_helo dbl.example"),
        Take("block_list_helo", "reject_rhsbl_helo", "REFUSED client_blocked"),
    ),
    scene(
        {
            "smtpd_client_restrictions": "reject_rbl_client bl.example",
            "smtpd_delay_reject": "no",
        },
        Take("block_list_at_once", "reject_rbl_client before HELO", "REFUSED client_blocked"),
    ),
    scene(
        _restricted("reject_unknown_helo_hostname"),
        Take("helo_unknown", "reject_unknown_helo_hostname", "REFUSED client_blocked"),
    ),
    scene(
        {"smtpd_helo_restrictions": "check_helo_access inline:{probe.example=REJECT}"},
        Take("helo_rejected", "check_helo_access", "REFUSED client_blocked"),
    ),
    scene(
        _restricted("reject_unknown_client_hostname"),
        Take("no_client_name", "reject_unknown_client_hostname", "REFUSED client_blocked"),
    ),
    scene(
        _restricted("reject_unknown_reverse_client_hostname"),
        Take("no_reverse_name", "reject_unknown_reverse_client_hostname", "REFUSED client_blocked"),
    ),
    scene(
        {"smtpd_client_restrictions": "check_client_access static:REJECT"},
        Take("client_rejected", "check_client_access", "REFUSED client_blocked"),
    ),
    scene(
        {"smtpd_client_restrictions": "check_client_access static:defer"},
        Take("client_deferred", "check_client_access, defer", "REFUSED client_blocked"),
    ),
    scene(
        _restricted(f"check_recipient_access inline:{{{KNOWN}=REJECT}}"),
        Take("recipient_rejected", "check_recipient_access", "UNSURE unclear"),
    ),
    scene(
        _restricted(
            "check_policy_service inet:127.0.0.1:9",
            smtpd_policy_service_max_idle="1s",
            smtpd_policy_service_try_limit="1",
            smtpd_policy_service_retry_delay="1s",
        ),
        Take("policy_down", "its policy service is down", "DEFERRED server_trouble"),
    ),
    scene(
        {"virtual_mailbox_maps": "tcp:127.0.0.1:9"},
        Take("lookup_failure", "its table of mailboxes is down", "DEFERRED server_trouble"),
    ),
    scene(
        {"queue_minfree": "1000000000000000", "message_size_limit": "1000"},
        Take("disk_full", "no room for a message", "DEFERRED server_trouble"),
    ),
    scene(
        {"smtpd_client_connection_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""},
        Take("connection_rate", "anvil's connection rate", "REFUSED rate_limited", before=1),
    ),
    scene(
        {"smtpd_client_recipient_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""},
        Take("recipient_rate", "anvil's recipient rate", "REFUSED rate_limited", before=1),
    ),
    scene(
        {"smtpd_client_message_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""},
        Take("message_rate", "anvil's message rate", "REFUSED rate_limited", before=1),
    ),
    scene(
        {"virtual_mailbox_domains": "", "relay_domains": "", "mydestination": ""},
        Take("serves_nothing", "it serves no domain at all", "UNSURE unknown_domain"),
    ),
    _verifying(
        1,
        450,
        Take("verifying", "reject_unverified_recipient, its probe under way", "DEFERRED verifying"),
    ),
    _verifying(
        8,
        450,
        Take(
            "verified_unknown_soft",
            "reject_unverified_recipient with its default of 450",
            "DEFERRED verifying",
            UNKNOWN,
        ),
    ),
    _verifying(
        8,
        550,
        Take("verified", "reject_unverified_recipient, found", "ACCEPTED accepted"),
        Take(
            "verified_unknown",
            "reject_unverified_recipient, in the words of the host behind it",
            "REJECTED unknown_user",
            UNKNOWN,
        ),
    ),
)
