"""A command that a signal ends in order."""

import signal

import pytest

from ringback.doors.cli.ending import EXIT_SIGNAL, ended_by_signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_counts_and_others_are_not_heeded(number: signal.Signals) -> None:
    ended = ended_by_signal()

    signal.raise_signal(number)
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.raise_signal(other)

    assert EXIT_SIGNAL + number == 128 + await ended
