"""Machines that ask the DNS without I/O: they yield a Question, and are sent its DnsAnswer.

They compose by `yield from`. Not here: who asks, and how much (engine/asker.py).
"""

from collections.abc import Generator
from typing import TypeVar

from ..values.dns import DnsAnswer, Question

T = TypeVar("T")

Asking = Generator[Question, DnsAnswer, T]
