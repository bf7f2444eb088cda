"""What a package brings is what was tested."""

from pathlib import Path

TREE = Path(__file__).parents[2]


def pins(path: str) -> dict[str, str]:
    lines = (TREE / path).read_text("ascii").splitlines()
    found = [line.split(" ;")[0].rstrip(" \\").partition("==") for line in lines if "==" in line]
    return {name: version for name, _, version in found}


def test_versions_are_those_of_the_tests() -> None:
    tested, packed = pins("requirements.txt"), pins("packaging/requirements.txt")

    assert packed
    assert packed == {name: tested.get(name) for name in packed}


def test_what_builds_is_left_behind() -> None:
    left = set(pins("requirements.txt")) - set(pins("packaging/requirements.txt"))

    assert "hatchling" in left


def test_every_wheel_has_a_hash_and_no_address() -> None:
    text = (TREE / "packaging/requirements.txt").read_text("ascii")

    assert text.count("==") <= text.count("--hash=sha256:")
    assert "://" not in text
