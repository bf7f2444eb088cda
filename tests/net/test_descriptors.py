"""The limit of open files, of a process that is let, and of one that is not."""

import resource
from collections.abc import Iterator

import pytest

from ringback.net.descriptors import raise_limit

FILES, ENDLESS = resource.RLIMIT_NOFILE, resource.RLIM_INFINITY


@pytest.fixture
def _as_it_was() -> Iterator[None]:
    before = resource.getrlimit(FILES)
    yield
    resource.setrlimit(FILES, before)


@pytest.mark.usefixtures("_as_it_was")
def test_it_is_raised_as_far_as_it_goes() -> None:
    _, hard = resource.getrlimit(FILES)
    resource.setrlimit(FILES, (512, hard))

    assert raise_limit() == (None if hard == ENDLESS else hard)
    assert (hard, hard) == resource.getrlimit(FILES)


@pytest.mark.parametrize(
    ("limits", "refusal", "expected"),
    [
        ((1_024, 4_096), None, 4_096),
        ((4_096, 4_096), AssertionError("it is not to be asked"), 4_096),
        ((1_024, 4_096), PermissionError("not you"), 1_024),
        ((1_024, ENDLESS), ValueError("more than there are"), 1_024),
        ((ENDLESS, ENDLESS), None, None),
    ],
)
def test_what_is_not_allowed_leaves_it(
    limits: tuple[int, int],
    refusal: Exception | None,
    expected: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def set_limits(_: int, wanted: tuple[int, int]) -> None:
        if refusal:
            raise refusal

    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", set_limits)

    assert expected == raise_limit()
