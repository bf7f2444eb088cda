"""The passwords of routes, and the files that hold none."""

from pathlib import Path

import pytest

from ringback.errors import ConfigError
from ringback.net.passwords import MAX_PASSWORD_OCTETS, load_logins
from ringback.values.endpoint import Login
from ringback.values.settings import RecipientRoute


def written(tmp_path: Path, content: bytes, mode: int = 0o600) -> RecipientRoute:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(mode)
    return RecipientRoute(
        "ours.example", ("10.0.0.1",), username="gateway", password_file=str(file)
    )


def test_a_route_with_a_login_has_one(tmp_path: Path) -> None:
    route = written(tmp_path, b"s3cret word\n")
    without = RecipientRoute("other.example", ("10.0.0.1",))

    assert {"ours.example": Login("gateway", "s3cret word")} == load_logins([route, without])


def test_a_login_does_not_show_its_password() -> None:
    assert "s3cret" not in repr(Login("gateway", "s3cret"))


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a\nb\n", b"\xff\n", b"a\0b\n", b"x" * (MAX_PASSWORD_OCTETS + 1)]
)
def test_what_is_no_password_is_refused_without_showing_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigError) as refused:
        load_logins([written(tmp_path, content)])
    assert "xx" not in str(refused.value)


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="others can read"):
        load_logins([written(tmp_path, b"s3cret\n", 0o644)])


def test_a_file_that_is_not_there_is_a_mistake() -> None:
    route = RecipientRoute("a.example", ("10.0.0.1",), username="a", password_file="/nowhere/it")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_logins([route])
