"""A hundred worlds of mixed mail, each with what it leads to: no budget exceeded, no honest mail lost."""

import pytest

from ringback.doors.policy_server import PolicyServer
from ringback.lab.harm import measure
from ringback.lab.population import Sizes
from ringback.lab.sim_engine import engine_in, settings_for
from ringback.lab.traffic import Volume
from ringback.values.settings import Budget, CallWhen

SEEDS = [str(number) for number in range(1, 101)]
SIZES = Sizes(innocents=20, correspondents=30, spammers=3, bots=10, users=8)
VOLUME = Volume(forged=90, honest=80, own_spam=12, days=2.0, retried_share=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", CallWhen)
def test_in_a_hundred_worlds_no_host_gets_too_much_and_no_honest_mail_is_lost(
    mode: CallWhen,
) -> None:
    busiest, lost = 0, []
    for seed in SEEDS:
        harm = measure(engine_in(settings_for(mode), PolicyServer), seed, VOLUME, SIZES)
        busiest = max(busiest, harm.busiest_hour)
        lost += [(seed, fate) for fate in harm.honest_lost]

    assert busiest <= Budget().per_host
    assert [] == lost
