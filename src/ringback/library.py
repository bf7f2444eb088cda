"""The library's face: a verifier that is made from settings, and is open as long as its context.

Not here: the engine itself (engine/verifier.py), how its parts are made (assemble.py).
"""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from .assemble import running_verifier
from .engine.ports import Sink
from .engine.verifier import Verifier as Engine
from .errors import LocalProtocolError
from .values.events import Event
from .values.query import Query, Report
from .values.settings import Settings


def _unheard(event: Event) -> None:
    """The sink of those who asked for none."""


class Verifier:
    """Verifies addresses, with the store and the identity that its settings name.

    `sink` is told every event: callouts made, trouble of ours.
    """

    def __init__(self, settings: Settings, sink: Sink = _unheard) -> None:
        self._settings, self._sink = settings, sink
        self._open: AsyncExitStack | None = None
        self._engine: Engine | None = None

    @classmethod
    def from_settings(cls, settings: Settings, sink: Sink = _unheard) -> Self:
        return cls(settings, sink)

    async def __aenter__(self) -> Self:
        """Open the store. Raises StoreError and ConfigError."""
        async with AsyncExitStack() as stack:
            running = running_verifier(self._settings, self._sink)
            self._engine = await stack.enter_async_context(running)
            self._open = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        opened, self._open, self._engine = self._open, None, None
        if opened:
            await opened.aclose()

    async def verify(self, asked: Query | str) -> Report:
        """Answer one query; a string is an envelope sender."""
        if self._engine is None:
            raise LocalProtocolError("a Verifier answers inside `async with` only")
        return await self._engine.verify(asked)
