"""The account of a replay as people read it."""

import pytest

from ringback.doors.cli.replay_account import Account, Advice, Figures, Spans, Switch
from ringback.doors.cli.replay_shown import show
from ringback.lab.tally import Busy

FIGURES = Figures(
    questions=1_200,
    callouts=40,
    hosts=7,
    domains=9,
    busiest_hour=5,
    to_unauthorised=3,
    unauthorised_domains=2,
    changes_nothing=1,
    first_contacts_put_off=60,
    put_off_though_taken=50,
    came_back=6,
    came_back_after=Spans(300.0, 900.0, 7_500.0),
    did_not_come_back=4,
    taken_as_gone=0,
    refused_uncalled={"null_mx": 2},
    senders=70,
    senders_at_most=40,
    senders_refused=11,
    answered=900,
    known_to_exist=30,
    refused_called=1,
    answers_from={"assumed": 38, "log": 2},
    said={"accepted": 900, "retried": 60, "\x1b[2J": 1},
    busiest_hosts=[Busy("mx.shop.example", 12, 5)],
    busiest_domains=[Busy("shop.example", 12, 5)],
)
QUIET = FIGURES.but(
    first_contacts_put_off=0, put_off_though_taken=0, did_not_come_back=0, busiest_hosts=[]
)
ACCOUNT = Account(
    since="2026-11-10T00:00:00Z",
    until="2026-11-17T00:00:00Z",
    envelopes={"taken": 1_000, "put_off": 100, "refused": 0, "too_late": 1},
    unread={"without_client": 3, "without_sender": 0, "without_recipient": 5},
    out_of_order=0,
    yours="retried",
    budget_per_host=60,
    courses={"retried": FIGURES},
    assumed="deliverable",
    dns_asked=512,
    dns_failed=2,
    advice=Advice(Switch.ALIGNED, "most of them never wrote"),
)


def shown(account: Account, capsys: pytest.CaptureFixture[str]) -> str:
    show(account)
    return " ".join(capsys.readouterr().out.split())


def test_every_figure_is_there_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(ACCOUNT, capsys)

    for words in (
        "1,101 attempts (one a recipient), from 2026-11-10T00:00:00Z to 2026-11-17T00:00:00Z",
        "1,000 taken",
        "100 put off by the site itself",
        "3 not counted: of this machine's own",
        "5 not counted: without its recipients in the log",
        "retried 60 the same mail coming back after etiquette.retried_wait_s",
        "accepted 900 a permanent refusal",
        "callouts 40",
        "senders of taken mail 70",
        "whose mail could be refused or put off 40",
        "whose mail is refused by what is known 11",
        "to domains that have not authorised the client 3",
        "mx.shop.example 12 5",
        "the budget is 60/h",
        "38 answers are assumed to be deliverable, 2 are those that the log shows",
        "512 questions as of today (2 without an answer)",
        "6 came back, or wrote again, in the log, half of them within 5 min, nine tenths within "
        "15 min, the last after 2 h 5 min",
        "The site took 50 of them at once",
        "4 were put off by the site as well, and did not come back",
        'Switch it on with call_when = "aligned", observing first: most of them never wrote.',
    ):
        assert words in text
    assert "refused by the site" not in text  # none was
    assert "goes back" not in text
    assert "more wait" not in text
    assert text.startswith("Switch it on")
    assert "\x1b" not in text


def test_what_is_not_there_is_not_talked_about(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = ACCOUNT.but(courses={"retried": QUIET}, dns_asked=None)
    text = shown(quiet, capsys)

    assert "The DNS was not asked" in text
    assert "first contacts put off, " not in text
    assert "called most" not in text

    none_back = FIGURES.but(
        came_back=0, came_back_after=None, put_off_though_taken=0, did_not_come_back=0
    )
    text = shown(ACCOUNT.but(courses={"retried": none_back}), capsys)

    assert "Of 60 first contacts put off, 0 came back, or wrote again, in the log." in text
    assert "The site took" not in text


def test_what_nobody_can_know_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    without = FIGURES.but(to_unauthorised=None, unauthorised_domains=None)
    text = shown(ACCOUNT.but(courses={"retried": None, "always": without}, dns_asked=None), capsys)

    assert "callouts ? 40" in text
    assert "to domains that have not authorised the client ? ?" in text
    assert "What is said of it" not in text
    assert "38 answers are assumed" in text


def test_what_could_not_be_played_as_it_was_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    bounded = {"retried": FIGURES, "retried_all_back": FIGURES.but(taken_as_gone=1_234)}
    text = shown(ACCOUNT.but(out_of_order=12, courses=bounded), capsys)

    assert "12 logged long before what stands before them: the log goes back" in text
    assert "In retried_all_back, 1,234 more wait than can, and are taken as gone." in text
