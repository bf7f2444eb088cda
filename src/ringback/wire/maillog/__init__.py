"""Mail logs: a line in, an event out. Not here: files, and what follows from the events (rules/)."""

from .events import (
    Abandoned,
    Arrived,
    Begun,
    Connected,
    Delivered,
    Disconnected,
    Fate,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from .reader import LogReader

__all__ = [
    "Abandoned",
    "Arrived",
    "Begun",
    "Connected",
    "Delivered",
    "Disconnected",
    "Fate",
    "Finished",
    "LogEvent",
    "LogReader",
    "LoggedClient",
    "Refused",
    "Software",
]
