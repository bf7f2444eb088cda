"""Who may reach the HTTP door."""

import pytest

from ringback.errors import SettingError
from ringback.values.settings import Http


@pytest.mark.parametrize(
    "listen",
    ["", "127.0.0.1:8025", "[::1]:8025", "unix:/run/ringback/http"],
)
def test_http_on_loopback_needs_no_tokens(listen: str) -> None:
    assert listen == Http(listen=listen).listen


def test_http_for_others_needs_tokens() -> None:
    with pytest.raises(SettingError) as refused:
        Http(listen="0.0.0.0:8025")

    assert "listen" == refused.value.key
    assert "0.0.0.0:8025" == Http(listen="0.0.0.0:8025", tokens_file="/etc/tokens").listen
