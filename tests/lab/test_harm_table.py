"""The table of what came of runs."""

import pytest

from ringback.lab.harm import Fate, Harm, Told
from ringback.lab.harm_table import Figures, Line, figures_of, quantiles, render
from ringback.lab.traffic import Message, Truth
from ringback.values.query import Client


def _fate(truth: Truth, told: Told, delay_s: float = 0.0, why: str = "") -> Fate:
    clients = (Client("192.0.2.7"),)
    return Fate(Message(1, 0.0, truth, "a kind", "a@b", "c@d", clients, ()), told, delay_s, why)


HARM = Harm(
    fates=(
        _fate(Truth.FORGED, Told.TAKEN),
        _fate(Truth.FORGED, Told.REFUSED),
        _fate(Truth.HONEST, Told.TAKEN),
        _fate(Truth.HONEST, Told.TAKEN, 90.0, "greylisted"),
        _fate(Truth.HONEST, Told.REFUSED, 0.0, "no_such_mailbox"),
    ),
    to_innocents=3,
    to_victims=8,
    busiest_innocent=2,
    busiest_hour=1,
    refused_at_worst=4,
    refused=5,
    connections=6,
    questions=7,
)


def test_a_run_in_figures() -> None:
    assert Figures(
        forged=2,
        honest=3,
        to_innocents=3,
        to_victims=8,
        busiest_innocent=2,
        busiest_hour=1,
        refused_at_worst=4,
        forged_taken=1,
        honest_lost=1,
        delays={"greylisted": (90.0,)},
        lost={"no_such_mailbox; a kind": 1},
    ) == figures_of(HARM)


def test_a_line_joins_its_seeds() -> None:
    figures = figures_of(HARM)
    line = Line("ringback always", 0.2, (figures, figures))

    assert (15_000.0, 1, 2) == (line.innocents_called(), line.busiest_hour(), line.lost())
    assert {"greylisted": [90.0, 90.0]} == line.delays()


def test_the_table() -> None:
    text = "\n".join(render([Line("ringback always", 0.2, (figures_of(HARM),))]))

    row = "ringback always 20% 15,000.0 8 2 1 4 50.0% 1 33.3% 1.5 min 1.5 min 1.5 min 1.5 min"
    assert row in " ".join(text.split())
    assert "1 greylisted: p50, p90, p99, max 1.5 min, 1.5 min, 1.5 min, 1.5 min" in text
    assert "1 no_such_mailbox; a kind" in text


def test_many_causes_of_loss_are_cut_short() -> None:
    lost = {f"cause {number}": 10 - number for number in range(7)}
    figures = Figures(10, 10, 0, 0, 0, 0, 0, 0, 49, {}, lost)
    text = "\n".join(render([Line("x", 0.0, (figures,))]))

    assert "cause 4" in text and "cause 5" not in text
    assert "9 more" in " ".join(text.split())


def test_quantiles() -> None:
    assert () == quantiles([])
    assert (3.0, 3.0, 3.0, 3.0) == quantiles([3.0])
    assert (50.0, 90.0, 99.0, 99.0) == quantiles([float(number) for number in range(100)])


@pytest.mark.parametrize(
    ("seconds", "told"), [(5.0, "5 s"), (90.0, "1.5 min"), (7_200.0, "2.0 h"), (172_800.0, "2.0 d")]
)
def test_spans_are_told_in_the_unit_that_fits(seconds: float, told: str) -> None:
    figures = Figures(1, 1, 0, 0, 0, 0, 0, 0, 0, {"why": (seconds,)})
    text = "\n".join(render([Line("x", 0.0, (figures,))]))

    assert f"1 why: p50, p90, p99, max {told}, {told}, {told}, {told}" in text
