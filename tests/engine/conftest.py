"""The engine with fakes around it (tests/fakes.py)."""

from collections.abc import AsyncIterator

import pytest

from fakes import FakeOutside, Visitors


@pytest.fixture
async def world() -> AsyncIterator[FakeOutside]:
    outside = FakeOutside()
    yield outside
    for verifier in outside.verifiers:
        await verifier.close()


@pytest.fixture
async def visitors(world: FakeOutside) -> Visitors:
    return Visitors(world)
