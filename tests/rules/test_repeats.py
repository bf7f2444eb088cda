"""How often the same thing is told, and how much of it was kept back."""

from ringback.rules.repeats import MAX_KINDS, REPEAT_AFTER_S, Repeats, with_count


def test_the_first_is_told_and_the_next_after_a_while_with_what_was_kept_back() -> None:
    repeats = Repeats[str]()
    within = [repeats.note("full", now) for now in (0.0, 0.0, REPEAT_AFTER_S - 0.1)]
    after = [repeats.note("full", now) for now in (REPEAT_AFTER_S, 2 * REPEAT_AFTER_S)]

    assert [0, None, None] == within
    assert [2, 0] == after


def test_kinds_do_not_silence_each_other() -> None:
    repeats = Repeats[str]()

    assert [0, 0, None] == [repeats.note(kind, 0.0) for kind in ("full", "locked", "full")]


def test_a_clock_that_steps_back_does_not_silence() -> None:
    repeats = Repeats[str]()

    assert [0, 0] == [repeats.note("full", now) for now in (1_000.0, 10.0)]


def test_what_was_kept_back_is_told_when_its_time_is_over_and_rests_anew() -> None:
    repeats = Repeats[str]()
    for kind in ("full", "locked", "full"):
        repeats.note(kind, 0.0)
    before = [*repeats.take_over(REPEAT_AFTER_S - 0.1)]

    assert ([], [("full", 1)]) == (before, [*repeats.take_over(REPEAT_AFTER_S)])
    assert [None, 0] == [repeats.note(kind, REPEAT_AFTER_S) for kind in ("full", "locked")]


def test_what_rests_no_more_is_let_go() -> None:
    repeats = Repeats[str]()
    nothing = bool(repeats)
    repeats.note("full", 0.0)
    something = bool(repeats)

    assert [] == [*repeats.take_over(REPEAT_AFTER_S)]
    assert (False, True, False) == (nothing, something, bool(repeats))


def test_at_the_end_all_that_was_kept_back_is_told() -> None:
    repeats = Repeats[str]()
    for kind in ("full", "locked", "full", "full"):
        repeats.note(kind, 0.0)

    assert [("full", 2)] == [*repeats.take_all()]
    assert not repeats
    assert 0 == repeats.note("full", 0.0)


def test_of_many_kinds_the_first_that_did_not_recur_gives_way() -> None:
    repeats = Repeats[int]()
    for kind in (*range(MAX_KINDS), 0):
        repeats.note(kind, 0.0)
    repeats.note(MAX_KINDS, 0.0)

    assert [None, 0] == [repeats.note(kind, 0.0) for kind in (0, 1)]


def test_where_all_recur_the_one_told_longest_ago_gives_way() -> None:
    repeats = Repeats[int]()
    for kind in (*range(MAX_KINDS), *range(MAX_KINDS)):
        repeats.note(kind, 0.0)
    repeats.note(MAX_KINDS, 0.0)

    assert [None, 0] == [repeats.note(kind, 0.0) for kind in (1, 0)]


def test_a_count_is_told_where_there_is_one() -> None:
    assert "disk full" == with_count("disk full", 0)
    assert "disk full (and 2 more like it since the last report)" == with_count("disk full", 2)
