"""What epoll does, for systems without it: more slowly, by the selector that Python finds best there.

Not here: who waits for what (net/watch.py).
"""

from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector

READABLE, WRITABLE = 1, 4  # EPOLLIN and EPOLLOUT, wherever they have names


class Selected:
    """Sockets that are watched together."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()
        # How many were told of: it moves the first place on, or the last would never be told.
        self._told = 0

    def fileno(self) -> int:
        return self._selector.fileno()

    def register(self, number: int, events: int) -> None:
        self._selector.register(number, _as_selected(events))

    def modify(self, number: int, events: int) -> None:
        self._selector.modify(number, _as_selected(events))

    def unregister(self, number: int) -> None:
        self._selector.unregister(number)

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        """Return descriptors with what they are ready for; `timeout` in seconds."""
        ready = self._selector.select(timeout)
        first = self._told % max(len(ready), 1)
        told = (ready[first:] + ready[:first])[:most]
        self._told += len(told)
        return [(key.fd, _as_polled(events)) for key, events in told]


def _as_selected(events: int) -> int:
    return EVENT_READ * bool(events & READABLE) | EVENT_WRITE * bool(events & WRITABLE)


def _as_polled(events: int) -> int:
    return READABLE * bool(events & EVENT_READ) | WRITABLE * bool(events & EVENT_WRITE)
