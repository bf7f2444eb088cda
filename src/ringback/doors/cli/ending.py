"""A command that a signal ends in order. Not here: what it leaves behind, which is the command's."""

import asyncio
import signal

EXIT_SIGNAL = 128  # and the signal's number, as shells show it


def ended_by_signal() -> "asyncio.Future[signal.Signals]":
    """What the first SIGINT or SIGTERM is told to.

    Others are not heeded: `timeout` sends two, and what is left to do takes a moment.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[signal.Signals] = loop.create_future()

    def end(number: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end, number)
    return ended
