"""Bearer tokens: their file, and who has one."""

from pathlib import Path

import pytest

from ringback.doors.http.tokens import MAX_FILE_BYTES, MAX_TOKENS, Tokens, load_tokens
from ringback.errors import ConfigError

ONE, OTHER = "0123456789abcdef", "correct-horse.battery_staple~+/=="


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tokens"
    path.write_text(f"# of the shop\n{ONE}  # until spring\n\n{OTHER}\n")
    path.chmod(0o640)
    return path


def mistake_in(file: Path) -> str:
    with pytest.raises(ConfigError) as refused:
        load_tokens(str(file))
    return str(refused.value)


def test_without_a_file_nobody_needs_one() -> None:
    assert not load_tokens("").wanted
    assert Tokens() == load_tokens("")


@pytest.mark.parametrize(
    ("authorization", "name"),
    [
        (f"Bearer {ONE}", "token of line 2"),
        (f"bearer  {OTHER} ", "token of line 4"),
        (f"Bearer {ONE}x", None),
        (f"Bearer {ONE} {ONE}", None),
        ("Bearer # of the shop", None),
        ("Bearer ", None),
        ("Basic YW5uOjEyMw==", None),
        ("Bearer \udcff", None),
        ("", None),
    ],
)
def test_a_token_is_known_by_its_line(file: Path, authorization: str, name: str | None) -> None:
    tokens = load_tokens(str(file))

    assert tokens.wanted
    assert name == tokens.name_of(authorization)


@pytest.mark.parametrize("mode", [0o644, 0o641, 0o642, 0o660])
def test_a_file_that_others_can_read_or_change_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)

    assert mistake_in(file).endswith(
        f"http.tokens_file: others can read or change it; run: chmod 640 {file}"
    )


def test_a_mistake_names_the_line_and_not_the_token(file: Path) -> None:
    file.write_text(f"{ONE}\nshort\n")

    assert "line 2 is no token of 16 characters or more" in mistake_in(file)
    assert "short" not in mistake_in(file)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("# none\n", "there is no token in it"),
        (f"{ONE}\n" * (MAX_TOKENS + 1), "more than 1000 tokens"),
        ("#" * (MAX_FILE_BYTES + 1), "larger than"),
        ("über-geheimes-wort\n", "line 1 is no token"),
    ],
)
def test_a_file_that_is_no_list_of_tokens_is_refused(file: Path, content: str, told: str) -> None:
    file.write_text(content)

    assert told in mistake_in(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read (No such file or directory)" in mistake_in(tmp_path / "none")
