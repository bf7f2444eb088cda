"""What nobody could serve with: said by `config check`, and refused by `serve` in the same words."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ringback.doors.cli.obstacles import find_obstacles
from ringback.doors.configuration import load_settings
from ringback.errors import UsageError
from ringback.net.bind import open_listener

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

READY = '[identity]\ncontact = "postmaster@example.net"\n'
NOBODY = 65_534
TOKEN = "a-token-of-twenty-chars\n"


@pytest.fixture
def told(config_file: Path) -> Callable[[str], list[str]]:
    """What is said of settings, without the name of their file."""

    def find(written: str) -> list[str]:
        config_file.write_text(READY + written)
        loaded = load_settings(str(config_file), {})
        prefix = f"{config_file}: "
        return [str(obstacle).removeprefix(prefix) for obstacle in find_obstacles(loaded)]

    return find


Told = Callable[[str], list[str]]


@contextmanager
def _without_rights() -> Iterator[None]:
    """Be nobody for a while, where root runs the tests."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


def test_defaults_can_be_served(told: Told) -> None:
    assert [] == told("")


@pytest.mark.parametrize(
    ("written", "key", "one", "other"),
    [
        (
            "[policy]\nlisten = ['127.0.0.1:8025']",
            "policy.listen",
            "127.0.0.1:8025",
            "127.0.0.1:8025 of http.listen",
        ),
        (
            "[http]\nlisten = 'localhost:10040'",
            "http.listen",
            "127.0.0.1:10040",
            "127.0.0.1:10040 of policy.listen",
        ),
        (
            "[milter]\nlisten = ['0.0.0.0:8025']",
            "milter.listen",
            "0.0.0.0:8025",
            "127.0.0.1:8025 of http.listen",
        ),
        (
            "[policy]\nlisten = ['unix:/run/a']\n[socketmap]\nlisten = ['unix:/run/a']",
            "socketmap.listen",
            "unix:/run/a",
            "unix:/run/a of policy.listen",
        ),
        (
            "[policy]\nlisten = ['unix:/run/a']\n[socketmap]\nlisten = ['unix:/run/.//a']",
            "socketmap.listen",
            "unix:/run/a",
            "unix:/run/a of policy.listen",
        ),
        (
            "[policy]\nlisten = ['[::]:1', '[::1]:1']",
            "policy.listen",
            "[::1]:1",
            "[::]:1 of policy.listen",
        ),
    ],
)
def test_two_doors_at_one_address_are_a_mistake_of_whoever_wrote_it(
    written: str, key: str, one: str, other: str, told: Told
) -> None:
    address, _, rest = other.partition(" ")

    assert [
        f'{key}: "{one}" clashes with "{address}" {rest}; let one of them listen elsewhere'
    ] == told(written)


@pytest.mark.parametrize(
    "written",
    [
        "[policy]\nlisten = ['127.0.0.1:0', '127.0.0.2:0']\n[milter]\nlisten = ['127.0.0.1:0']",
        "[policy]\nlisten = ['127.0.0.1:1', '127.0.0.2:1', '[::1]:1']",
        "[policy]\nlisten = ['0.0.0.0:1', '[::]:1', 'unix:/run/0.0.0.0:1']",
    ],
)
def test_each_address_of_its_own_is_none(written: str, told: Told) -> None:
    assert [] == told(written)


def test_one_port_at_all_addresses_and_at_one_do_not_go_together() -> None:
    with open_listener("127.0.0.1:0", 0o600) as sock:
        port = sock.getsockname()[1]

        with pytest.raises(UsageError, match="Address already in use"):
            open_listener(f"0.0.0.0:{port}", 0o600)


def test_all_is_said_at_once(told: Told, tmp_path: Path) -> None:
    written = (
        f"[http]\nlisten = '127.0.0.1:10040'\ntokens_file = '{tmp_path}/none'\n"
        f"[store]\nurl = 'sqlite://{tmp_path}/none/a.db'\n"
        "[[recipient.route]]\ndomain = 'a.example'\nhost = '10.0.0.1'\n"
        f"username = 'a'\npassword_file = '{tmp_path}/gone'\n"
    )

    assert [
        'http.listen: "127.0.0.1:10040" clashes with "127.0.0.1:10040" of policy.listen; '
        "let one of them listen elsewhere",
        f"{tmp_path}/none: http.tokens_file: cannot be read (No such file or directory); "
        "name a file that the service's user can read",
        f"{tmp_path}/gone: recipient.route.password_file: cannot be read "
        "(No such file or directory); let the service's user read it",
        f"store.url: {tmp_path}/none/a.db: there is no directory {tmp_path}/none; make it, "
        "or name another file in store.url",
    ] == told(written)


def test_no_door_at_all_is_nothing_to_serve(told: Told) -> None:
    (mistake,) = told("[policy]\nlisten = []\n[http]\nlisten = ''")

    assert mistake.startswith("policy.listen: it is empty, and there is no other door to serve;")


def test_what_others_can_read_is_no_secret(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text(TOKEN)
    path.chmod(0o644)
    readable = told(f"[http]\ntokens_file = '{path}'")
    path.chmod(0o640)
    secret = told(f"[http]\ntokens_file = '{path}'")

    assert [
        f"{path}: http.tokens_file: others can read or change it; run: chmod 640 {path}"
    ] == readable
    assert [] == secret


def test_what_only_we_may_not_read_is_no_mistake(config_file: Path, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    config_file.write_text(
        f"{READY}[http]\ntokens_file = '{hidden}/tokens'\n"
        f"[store]\nurl = 'sqlite://{hidden}/a/b.db'\n"
    )
    loaded = load_settings(str(config_file), {})
    hidden.chmod(0)
    with _without_rights():
        told = list(find_obstacles(loaded))

    assert [] == told


def test_a_pipe_can_be_read_once_and_is_left_to_the_service(told: Told, tmp_path: Path) -> None:
    pipe = tmp_path / "tokens"
    os.mkfifo(pipe, 0o600)

    assert [] == told(f"[http]\ntokens_file = '{pipe}'\n")


def test_the_folder_that_the_unit_makes_may_be_still_to_come(told: Told) -> None:
    assert [] == told("[store]\nurl = 'sqlite:///var/lib/ringback/other.db'")


def test_a_folder_is_no_store(told: Told, tmp_path: Path) -> None:
    assert [f"store.url: {tmp_path}: it is a directory; name a file in it in store.url"] == told(
        f"[store]\nurl = 'sqlite://{tmp_path}'"
    )


@pytest.mark.parametrize(
    "written",
    [
        "[policy]\nlisten = ['127.0.0.1:8025']",
        "[http]\ntokens_file = '/no/such/file'",
        "[store]\nurl = 'sqlite:///no/such/folder/a.db'",
    ],
)
def test_what_is_checked_and_what_is_served_have_the_same_mistakes(
    written: str, run: Run, config_file: Path
) -> None:
    config_file.write_text(READY + written)
    checked = run("config", "check")
    status, out, err = run("serve")

    assert checked == (status, out, err.splitlines()[-1] + "\n")
    assert (2, "") == (status, out)
