"""What all tests share: how long hypothesis searches, and whose coverage is whose."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage
from hypothesis import settings

# A shared machine may stall for longer than hypothesis finds polite; the number of examples bounds the time.
# The gate looks at the same examples every time, or it would refuse a change for what an older one did;
# `make fuzz` looks for new ones.
settings.register_profile("usual", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=20_000)
settings.load_profile("usual")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note which test file covers what, for tools/coverage_gate.py."""
    measuring = Coverage.current()
    if measuring is not None:
        measuring.switch_context(item.nodeid.partition("::")[0])
    return (yield)


@pytest.fixture(scope="module", autouse=True)
def nothing_is_remembered(request: pytest.FixtureRequest) -> None:
    """Forget what tests elsewhere had a module remember, or its own would not cover how it is worked out."""
    path: Path = request.path.relative_to(Path(__file__).parent)
    parts = (*path.parent.parts, path.stem.removeprefix("test_"))
    tested = sys.modules.get(".".join(("ringback", *parts)))
    for thing in vars(tested).values() if tested else ():
        if forget := getattr(thing, "cache_clear", None):
            forget()
