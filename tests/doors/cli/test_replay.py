"""`ringback replay` from a shell, on logs in files, with the lab's DNS."""

import gzip
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.net.dial import TcpDialer

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error


def taken(number: int, sender: str, client: str = "unknown[198.51.100.7]") -> str:
    """The lines of a mail that Postfix took."""
    stamp, message = f"Nov 10 00:{number:02}:00 mail postfix", f"{number:010X}"
    return (
        f"{stamp}/smtpd[9]: {message}: client={client}\n"
        f"{stamp}/cleanup[9]: {message}: message-id=<{number}@x>\n"
        f"{stamp}/qmgr[9]: {message}: from=<{sender}>, size=999, nrcpt=1 (queue active)\n"
        f"{stamp}/virtual[9]: {message}: to=<me@ours.example>, relay=virtual, delay=0.1, "
        "delays=0.1/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)\n"
        f"{stamp}/qmgr[9]: {message}: removed\n"
    )


REFUSED = (
    "Nov 10 01:00:00 mail postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[198.51.100.9]: 554 5.7.1 "
    "Service unavailable; from=<eve@shop.example> to=<me@ours.example> proto=ESMTP helo=<x>\n"
)
BOUNCED = (
    "Nov 10 00:00:00 mail postfix/smtp[9]: ABCDEF1234: to=<nobody@shop.example>, "
    "relay=mx.shop.example[192.0.2.9]:25, delay=0.1, delays=0.1/0/0/0, dsn=5.1.1, status=bounced "
    "(host mx.shop.example[192.0.2.9] said: 550 5.1.1 <nobody@shop.example>: User unknown "
    "(in reply to RCPT TO command))\n"
)
LOG = (
    BOUNCED
    + taken(1, "ann@shop.example")
    + taken(2, "a@nullmx.example")
    + taken(3, "")
    + taken(4, "me@ours.example")
    + taken(5, "nobody@shop.example")
    + taken(6, "bob@shop.example", "home[203.0.113.5]")
    + REFUSED
)


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "mail.log"
    path.write_text(LOG)
    return str(path)


def figures(out: str, course: str = "always") -> dict[str, object]:
    return dict(json.loads(out)["courses"][course])


def test_it_says_what_would_have_become_of_the_mail(run: Run, lab_settings: Path, log: str) -> None:
    own = ("--own-client", "203.0.113.0/24", "--own-domain", "ours.example")
    status, out, err = run("replay", "--json", "--config", str(lab_settings), *own, log)
    told = json.loads(out)

    assert (0, "") == (status, err)
    assert {"taken": 6, "put_off": 0, "refused": 1, "too_late": 0} == told["envelopes"]
    assert {
        "accepted": 1,
        "exempt_client": 1,
        "no_such_mailbox": 1,
        "null_mx": 1,
        "null_sender": 1,
        "own_domain": 1,
    } == figures(out)["said"]
    assert {"null_mx": 1} == figures(out)["refused_uncalled"]
    assert (2, 2, 1) == (
        figures(out)["callouts"],
        figures(out)["to_unauthorised"],
        figures(out)["refused_called"],
    )
    assert {"assumed": 1, "log": 1} == figures(out)["answers_from"]
    assert "always" == told["yours"]
    assert told["dns_asked"] > 5


def test_there_is_nothing_by_which_anybody_could_be_called(
    run: Run, lab_settings: Path, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a dialer was made")

    monkeypatch.setattr(TcpDialer, "__init__", fail)
    status, out, _ = run("replay", "--json", "--config", str(lab_settings), log)

    assert 0 == status
    assert 3 == figures(out)["callouts"]


def test_it_says_so_to_people_and_reads_what_is_packed(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "mail.log.1.gz"
    packed.write_bytes(gzip.compress(LOG.encode()))
    status, out, err = run("replay", "--no-dns", str(packed))

    assert (0, "") == (status, err)
    assert "7 attempts (one a recipient)" in out
    assert "Nobody was called." in out
    assert "No advice: " in out


def test_what_the_site_refused_is_asked_about_if_wanted(
    run: Run, config_file: Path, log: str
) -> None:
    _, left_out, _ = run("replay", "--no-dns", "--json", log)
    _, asked, _ = run("replay", "--no-dns", "--json", "--refused-too", "--assume", "unknown", log)

    assert [6, 7] == [figures(out)["questions"] for out in (left_out, asked)]
    assert "unknown" == json.loads(asked)["assumed"]


def test_only_what_is_not_too_old_and_in_which_zone_it_was_logged(
    run: Run, config_file: Path, tmp_path: Path
) -> None:
    path = tmp_path / "mail.log"
    hours = [
        time.strftime("%b %e %H:%M:%S", time.gmtime(time.time() - ago_s)) for ago_s in (9e4, 9e3)
    ]
    path.write_text("".join(REFUSED.replace("Nov 10 01:00:00", stamp) for stamp in hours))
    in_zone = ("replay", "--no-dns", "--json", "--zone", "UTC")
    _, all_of_it, _ = run(*in_zone, str(path))
    _, of_today, _ = run(*in_zone, "--since", "12h", str(path))

    assert [2, 1] == [json.loads(out)["envelopes"]["refused"] for out in (all_of_it, of_today)]


def test_on_a_terminal_it_says_how_far_it_is(
    run: Run, config_file: Path, log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    status, _, err = run("replay", "--no-dns", log)

    assert (0, ["", "ringback: 7 attempts", "", ""]) == (
        status,
        [it.strip() for it in err.split("\r")[:4]],
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no mail was found in the log; name the log of Postfix, Exim, Sendmail or OpenSMTPD"),
        ("nothing\n\0\xff of the kind\n" * 9, "no mail was found in the log"),
        (BOUNCED, "1 not counted: of this machine's own"),
    ],
)
def test_a_log_without_mail_is_a_mistake(
    run: Run, config_file: Path, tmp_path: Path, content: str, says: str
) -> None:
    path = tmp_path / "mail.log"
    path.write_text(content, "latin-1")
    status, out, err = run("replay", "--no-dns", str(path))

    assert (2, "") == (status, out)
    assert says in err
    assert 1 == len(err.splitlines())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("/nowhere/mail.log",), "/nowhere/mail.log: No such file or directory"),
        (("--own-client", "home", "x"), "'home' is no network; write 192.0.2.0/24"),
        (("--own-domain", "no domain", "x"), "no domain"),
        (("--zone", "Nowhere", "x"), "'Nowhere' is no time zone"),
        (("--assume", "undeliverable", "x"), "undeliverable"),
        ((), "missing argument"),
    ],
)
def test_a_mistake_is_one_line(
    run: Run, config_file: Path, arguments: tuple[str, ...], says: str
) -> None:
    status, out, err = run("replay", *arguments)

    assert (2, "") == (status, out)
    assert says in err
    assert 1 == len(err.splitlines())
