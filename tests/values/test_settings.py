"""All settings: what each section owes, and how written values become the program's."""

from typing import Any

import pytest

from ringback.values.section import Section, keys_of
from ringback.values.settings import Ages, Method, Policy, Settings, Smtp

SECTIONS = [getattr(Settings(), name) for name in Settings.__struct_fields__]


@pytest.mark.parametrize("section", [*SECTIONS, Ages(1, 2)], ids=lambda made: type(made).__name__)
def test_every_key_has_a_line_in_the_manual(section: Section) -> None:
    says = [key.says for key in keys_of(type(section))]

    assert says
    assert all(line and not line.endswith(".") for line in says)


def test_words_become_members_of_their_sets() -> None:
    written: dict[str, Any] = {"method": "vrfy"}

    assert Method.VRFY is Smtp(**written).method


def test_lists_become_tuples() -> None:
    written: dict[str, Any] = {"listen": ["127.0.0.1:10040", "unix:/run/ringback"]}

    assert ("127.0.0.1:10040", "unix:/run/ringback") == Policy(**written).listen
