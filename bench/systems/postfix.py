"""Debian's Postfix with reject_unverified_sender, and its smtp-sink as another host to call.

Not here: unpacking it (tests/real/servers/postfix.py).
"""

from real.servers import postfix

from ..orders import Way
from ..places import SMTP_PORT
from ..world import World
from .system import System, started

_MAIN = {
    "inet_protocols": "ipv4",
    "virtual_mailbox_domains": "home.test",
    "virtual_mailbox_maps": "static:all",
    # Whoever is verified is refused for another reason: taking mail is not what is measured.
    "smtpd_recipient_restrictions": "reject_unverified_sender, reject",
    "default_transport": "smtp",
    # As the others do, and as no verifier verifies.
    "address_verify_sender": "<>",
    # Limits on clients and on processes that a load generator would meet before anything else.
    "default_process_limit": "600",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_client_connection_rate_limit": "0",
    "smtpd_junk_command_limit": "1000000000",
    "smtpd_hard_error_limit": "1000000000",
    "smtpd_timeout": "3600s",
    "default_destination_concurrency_limit": "600",
    "smtp_destination_concurrency_limit": "600",
    "smtp_tls_security_level": "none",
}
_VERIFIED = "554"  # by `reject`, where an unverified sender gets 450 or 550
_SINK_AT_A_TIME = "1024"


def start(world: World, name: str, host: str, *, poll_s: int = 3) -> System:
    """Start it; an answer that is not known is looked for every `poll_s` seconds."""
    box = world.box(name.replace(" ", "-"), postfix.fetch)
    main = {**_MAIN, "address_verify_poll_delay": f"{poll_s}s"}
    pid = started(lambda: postfix.start(box, host, main))
    version = box.run("/usr/sbin/postconf", "-c", "/srv/etc", "-d", "-h", "mail_version").strip()
    return System(
        name,
        Way.SMTP,
        host,
        SMTP_PORT,
        pid,
        frozenset({_VERIFIED}),
        world,
        least_s=4.0 * poll_s,
        about=f"Postfix {version}",
    )


def start_sink(world: World) -> None:
    """Start smtp-sink, which takes everything, in place of our own mail exchangers."""
    box = world.box("smtp-sink", postfix.fetch)
    with world.among_hosts():
        box.start(
            "/usr/sbin/smtp-sink", "-u", "nobody", f"inet:0.0.0.0:{SMTP_PORT}", _SINK_AT_A_TIME
        )
        box.wait_ready("127.0.0.1", SMTP_PORT)
