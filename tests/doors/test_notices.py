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
    maker: Maker = Maker.UNKNOWN, client: LoggedClient = HOST, asked: tuple[Asked, ...] = MISSING
) -> Caller:
    counted = Callers(lambda _: "caller.example")
    counted.hear(Callback(AT, client, Ground.ASKED_AND_LEFT, maker, "", asked, unnamed=1))
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


def test_it_has_times_figures_and_examples() -> None:
    text = "\n".join(write_notice(caller_of(), ""))

    assert "asked our mail server once whether" in text.replace("\n", " ")
    for part in [
        "  callouts               1, 1 of which can be nothing else",
        "  in the busiest hour    1, from 2026-11-21T12:00:00Z",
        "  that do not exist      1",
        "  2026-11-21T12:00:00Z  192.0.2.1  MAIL FROM:<>, RCPT TO:<eve@ours.example> 550, 1 RCPT accepted",
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
