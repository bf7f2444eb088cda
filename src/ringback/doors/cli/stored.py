"""What commands share that look into the store of a service. Not here: the store (store/)."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from ...assemble import open_store
from ...engine.ports import Store
from ...errors import StoreError, UsageError
from ...values.settings import Settings
from .output import complain_of

Answer = TypeVar("Answer")


def ask_store(settings: Settings, question: Callable[[Store], Awaitable[Answer]]) -> Answer:
    """Ask the configured store, which must exist: looking at it makes none. Raises StoreError."""
    require_store(settings)

    async def ask() -> Answer:
        store = await open_store(settings, complain_of)
        try:
            return await question(store)
        finally:
            await store.close()

    return asyncio.run(ask())


def require_store(settings: Settings) -> None:
    """Refuse a store that is not there, or keeps nothing. Raises UsageError, StoreError."""
    path = settings.store.sqlite_path
    if path is None:
        raise UsageError(
            f"store.url: {settings.store.url} keeps nothing between two commands; "
            "name the store of your service with --config"
        )
    try:
        exists = Path(path).exists()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; run this as the user of the service") from None
    if not exists:
        raise StoreError(
            f"{path}: there is no store yet; the first check or serve makes it, or name another "
            "configuration with --config"
        )
