"""What [etiquette] may be."""

from ringback.values.settings import Etiquette


def test_the_same_pause_may_stand_twice_among_rechecks() -> None:
    assert (60.0, 60.0) == Etiquette(recheck_after_s=(60, 60)).recheck_after_s
