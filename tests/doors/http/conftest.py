"""What the tests of the HTTP door share."""

import pytest

from http_fakes import HttpSite


@pytest.fixture
def site() -> HttpSite:
    return HttpSite()
