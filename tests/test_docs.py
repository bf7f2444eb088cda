"""The documentation names what exists: standards, modules, pages. Generated pages: test_reference.py."""

import re
from pathlib import Path

import pytest

from ringback.rules.gates import Gate

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringback"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("changelog.d/*.md"), *ROOT.glob("docs/**/*.md")])

_RFC = re.compile(r"RFC ([0-9]{3,5})")
_ROW = re.compile(
    r"\| (?P<rfc>[0-9]+) \| (?P<section>[^|]*)\| (?P<status>Yes|Partial|No) \| (?P<module>[^|]*) \| .+ \|"
)
# As `rules/routes.py` of the source, or `tests/test_docs.py` of the whole.
_MODULE = re.compile(r"`(?P<path>[a-z_]+/[a-z0-9_/]+\.(?:py|toml|sql))`")
_LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(?:#[^)]*)?\)")
_KINDS = ("security", "added", "changed", "deprecated", "removed", "fixed")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_each_gate_is_in_the_page_about_them() -> None:
    page = ROOT.joinpath("docs/etiquette.md").read_text()

    assert [] == [gate.value for gate in Gate if f"`{gate}`" not in page]


def test_the_readme_asks_as_the_page_for_postfix_does() -> None:
    page = ROOT.joinpath("docs/howto/postfix.md").read_text("utf-8")
    found = re.search(r"^```postfix\n.*?^```$", page, re.MULTILINE | re.DOTALL)

    assert found and found[0] in ROOT.joinpath("README.md").read_text("utf-8")


def test_each_standard_that_the_source_speaks_of_has_a_row() -> None:
    spoken_of = {
        number
        for path in SOURCE.rglob("*")
        if path.suffix in {".py", ".toml", ".sql"}
        for number in _RFC.findall(path.read_text("utf-8"))
    }
    rows = {found["rfc"] for found in _ROW.finditer(ROOT.joinpath("docs/rfc.md").read_text())}

    assert set() == spoken_of - rows


def test_each_line_of_the_tables_of_standards_is_a_row() -> None:
    lines = ROOT.joinpath("docs/rfc.md").read_text().splitlines()
    broken = [
        line
        for line in lines
        if line.startswith("|")
        and not line.startswith(("| RFC |", "|---"))
        and not _ROW.fullmatch(line)
    ]

    assert [] == broken


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_modules_that_a_page_names_exist(page: Path) -> None:
    named = {found["path"] for found in _MODULE.finditer(page.read_text("utf-8"))}

    assert [] == [
        path for path in named if not ((SOURCE / path).exists() or (ROOT / path).exists())
    ]


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = {found["target"] for found in _LINK.finditer(page.read_text("utf-8"))}

    assert [] == [target for target in targets if not (page.parent / target).exists()]


def test_each_fragment_of_the_changelog_is_of_a_kind() -> None:
    fragments = [path.name for path in ROOT.glob("changelog.d/*") if path.name != "README.md"]
    nameless = [
        name for name in fragments if not name.endswith(tuple(f".{kind}.md" for kind in _KINDS))
    ]

    assert [] == nameless
