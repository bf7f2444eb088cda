"""What an engine is put into. Not here: making it (assemble.py), what each part can do (engine/ports.py)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from ..rules.classify import Book
from ..rules.organisation import Organisation
from ..values.endpoint import Login
from .pacer import Pacer
from .ports import Clock, Dialer, Resolver, Store


@dataclass(frozen=True, slots=True)
class Outside:
    """All that a callout needs beyond the rules."""

    resolver: Resolver
    dialer: Dialer
    store: Store
    clock: Clock
    pacer: Pacer
    book: Book
    draw: Callable[[], float]  # numbers from 0 to 1, to shuffle hosts of equal preference
    organisation: Organisation
    is_fit: Callable[[], Awaitable[bool]]  # whether our own identity is in order
    logins: Mapping[str, Login] = field(default_factory=dict)  # by the domain of their route
