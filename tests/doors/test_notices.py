"""The notice to those who call."""

import pytest

from ringback.doors.notices import write_notice
from ringback.rules.callbacks import Asked, Callback, Ground, Maker
from ringback.rules.callers import Caller, Callers
from ringback.wire.maillog import LoggedClient

AT = 1_795_262_400.0  # 2026-11-21T12:00:00Z
MISSING = (Asked("eve@ours.example", 550, missing=True),)
HOST = LoggedClient("192.0.2.1", "mx.caller.example", "\n\x1b[2Jhelo\r\nBcc: x@y.example")


def caller_of(
    maker: Maker = Maker.UNKNOWN,
    client: LoggedClient = HOST,
    asked: tuple[Asked, ...] = MISSING,
    ground: Ground = Ground.ASKED_AND_LEFT,
    sender: str | None = "",
) -> Caller:
    counted = Callers(lambda _: "caller.example")
    counted.hear(Callback(AT, client, ground, maker, sender, asked, unnamed=1))
    (caller,) = counted.seen().callers
    return caller


def test_it_is_a_mail_to_their_postmaster() -> None:
    notice = list(write_notice(caller_of(), "postmaster@ours.example"))

    assert [
        "To: postmaster@caller.example",
        "Subject: sender verification callouts at our mail server, from caller.example",
        "",
        "Dear postmaster,",
    ] == notice[:4]
    assert ["Kind regards", "postmaster@ours.example"] == notice[-2:]


def test_a_network_has_an_owner() -> None:
    notice = list(write_notice(caller_of(client=LoggedClient("192.0.2.1")), ""))

    assert "To: (the abuse contact of 192.0.2.0/24, as whois tells it)" == notice[0]
    assert "(your name and address)" == notice[-1]


def test_a_host_without_a_domain_has_an_owner() -> None:
    (first, *_) = write_notice(caller_of(client=LoggedClient("10.0.0.5", "mailgw")), "")

    assert "To: (the abuse contact of 10.0.0.0/24, as whois tells it)" == first


def test_nobody_is_accused_where_nothing_is_sure() -> None:
    sure, likely = (
        " ".join(write_notice(caller_of(ground=ground), ""))
        for ground in (Ground.ASKED_AND_LEFT, Ground.REFUSED)
    )

    assert "have asked our mail server once whether" in sure
    assert "have asked" not in likely
    assert "cannot tell these for sure from bounces" in likely


def test_of_what_is_not_sure_nobody_is_accused() -> None:
    sure, *likely = (
        Callback(AT, HOST, ground, Maker.UNKNOWN, "", MISSING)
        for ground in (Ground.CONTROL, Ground.REFUSED, Ground.LOST)
    )
    counted = Callers(lambda _: "caller.example")
    for callback in (sure, *likely):
        counted.hear(callback)
    (caller,) = counted.seen().callers
    text = " ".join(write_notice(caller, ""))

    assert "have asked our mail server once whether mailboxes exist" in text
    assert "Besides, they have named recipients to our mail server 2 times without" in text
    assert "cannot tell these for sure from bounces" in text


def test_no_sender_is_told_that_nobody_saw() -> None:
    told, untold = (" ".join(write_notice(caller_of(sender=sender), "")) for sender in ("", None))

    assert "give MAIL FROM:<> and RCPT" in told
    assert "give MAIL, of which our log does not say more, and RCPT" in untold
    assert "FROM" not in untold


def test_it_can_be_sent_as_it_is() -> None:
    wide = "\u00fc" * 230
    asked = [Asked(f"{wide}{n}@ours.example", 550, missing=True) for n in range(20)]
    host = LoggedClient("192.0.2.1", "mx.caller.example", "\u00fc\u00f1\u00ef" * 80)
    notice = list(write_notice(caller_of(client=host, asked=tuple(asked)), "\u00fc" * 900))

    assert all(line.isascii() for line in notice)
    assert 998 >= max(map(len, notice))  # RFC 5322 section 2.1.1


def test_an_address_cannot_pretend_to_be_an_answer() -> None:
    asked = (Asked('"x> accepted, RCPT TO:<ceo"@ours.example', 550, missing=True),)
    (line,) = (line for line in write_notice(caller_of(asked=asked), "") if "ceo" in line)

    assert line.startswith("    550       RCPT TO:<")
    assert (1, 1) == (line.count("<"), line.count(">"))


def test_it_has_times_figures_and_examples() -> None:
    text = "\n".join(write_notice(caller_of(), ""))

    assert "asked our mail server once whether" in text.replace("\n", " ")
    for part in [
        "  callouts               1, 1 of them for sure",
        "  in the busiest hour    1, from 2026-11-21T12:00:00Z",
        "  that do not exist      1",
        "  2026-11-21T12:00:00Z  192.0.2.1\n"
        "              MAIL FROM:<>\n"
        "    550       RCPT TO:<eve@ours.example>\n"
        "    accepted  1 RCPT\n",
        "RFC 5321",
    ]:
        assert part in text, text


def test_what_is_known_of_their_mail_is_said() -> None:
    forged, unknown = (
        "\n".join(write_notice(caller_of(asked=asked), "")) for asked in (MISSING, ())
    )

    assert "reverse-paths are being made up" in forged.replace("\n", " ")
    assert "mostly forged" in unknown.replace("\n", " ")


@pytest.mark.parametrize(
    ("maker", "remedy"),
    [
        (Maker.EXIM, "verify = sender/callout"),
        (Maker.POSTFIX, "reject_unverified_sender"),
        (Maker.RINGBACK, "etiquette.call_when"),
    ],
)
def test_their_software_has_its_remedy(maker: Maker, remedy: str) -> None:
    text = " ".join(write_notice(caller_of(maker), ""))

    assert remedy in text
    assert remedy not in " ".join(write_notice(caller_of(), ""))


def test_what_they_wrote_begins_no_line_of_its_own() -> None:
    notice = list(write_notice(caller_of(), "x\nBcc: y"))

    assert not any(line.startswith(("Bcc", "helo")) for line in "\n".join(notice).splitlines())
    assert all(line.isprintable() for line in notice)


def test_its_prose_fits_a_mail() -> None:
    prose = [
        line for line in write_notice(caller_of(), "") if not line.startswith(("  ", "Subject"))
    ]

    assert 72 >= max(map(len, prose))
