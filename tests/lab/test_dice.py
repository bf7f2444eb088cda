"""Numbers that follow from a seed."""

from ringback.lab.dice import Dice, Urn, zipf


def test_the_numbers_of_a_seed_are_written_down() -> None:
    dice = Dice("1")

    assert [0.6295, 0.1674, 0.5539] == [round(dice.draw(), 4) for _ in range(3)]


def test_a_sequence_of_its_own_changes_nothing_elsewhere() -> None:
    plain, used = Dice("1"), Dice("1")
    used.of("aside").draw()

    assert plain.draw() == used.draw()
    assert Dice("1").of("a").draw() != Dice("1").of("b").draw()


def test_numbers_are_spread_evenly() -> None:
    dice = Dice("evenly")
    drawn = [dice.below(10) for _ in range(10_000)]

    assert all(900 < drawn.count(number) < 1_100 for number in range(10))


def test_what_is_drawn_stays_within_its_bounds() -> None:
    dice = Dice("bounds")

    assert all(2.0 <= dice.between(2.0, 3.0) < 3.0 for _ in range(100))
    assert {"a", "b"} == {dice.pick("ab") for _ in range(100)}
    assert 32 == len(dice.octets(32))
    assert all(not dice.happens(0.0) and dice.happens(1.0) for _ in range(100))


def test_waits_have_their_mean() -> None:
    dice = Dice("waits")
    waits = [dice.wait(30.0) for _ in range(10_000)]

    assert 28.5 < sum(waits) / len(waits) < 31.5
    assert min(waits) >= 0.0


def test_an_urn_is_drawn_from_by_weight() -> None:
    dice, urn = Dice("urn"), Urn.of((("often", 0.9), ("seldom", 0.1)))
    drawn = [urn.draw(dice) for _ in range(10_000)]

    assert 8_800 < drawn.count("often") < 9_200


def test_a_heavy_tail() -> None:
    assert [1.0, 0.5, 1 / 3] == zipf(3)
