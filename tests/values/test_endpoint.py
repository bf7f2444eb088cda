"""Where to knock, and for how long."""

from ringback.values.endpoint import Endpoint, Patience


def test_a_host_without_mx_is_most_preferred() -> None:
    assert Endpoint("shop.example", "192.0.2.1", 25).preference == 0


def test_patience_is_of_a_stage_and_of_the_whole() -> None:
    patience = Patience(stage_s=20.0, whole_s=60.0)

    assert (patience.stage_s, patience.whole_s) == (20.0, 60.0)
