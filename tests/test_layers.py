"""The table of docs/design.md, enforced: who may import whom, who may wait; and each module has its test."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringback"
MODULES = sorted(SOURCE.rglob("*.py"))

# A layer is a folder, or a module beside them. A dotted name allows one module of a layer only.
MAY_IMPORT = {
    "errors": set[str](),
    "values": {"errors"},
    "wire": {"errors", "values"},
    "rules": {"errors", "values", "wire"},
    "engine": {"errors", "values", "wire", "rules"},
    "store": {"errors", "values", "wire", "rules"},
    "net": {"errors", "values", "wire", "rules"},
    "lab": {"errors", "values", "wire", "rules", "engine", "store.memory"},
    "suffixes": {"rules"},
    "assemble": {"errors", "values", "wire", "rules", "engine", "store", "net", "suffixes"},
    "library": {"errors", "values", "engine", "assemble"},
    "doors": {"errors", "values", "wire", "rules", "engine", "net", "assemble"},
    "doors.cli": {"errors", "values", "wire", "rules", "engine", "net", "assemble", "lab"},
    "__init__": {"errors", "values", "library"},
    "__main__": {"doors"},
}
# Nothing that waits, looks outside, or differs from one run to the next.
_PURE = {"asyncio", "logging", "os", "random", "select", "socket", "sqlite3", "ssl", "subprocess"}
_PURE |= {"pathlib", "secrets", "threading", "time"}
_QUIET = {"logging", "random", "select", "socket", "sqlite3", "ssl", "subprocess", "time"}
MAY_NOT_IMPORT = {
    "errors": _PURE,
    "values": _PURE,
    "wire": _PURE,
    "rules": _PURE,
    "engine": _QUIET | {"os", "pathlib", "secrets", "threading"},
    "store": _QUIET - {"sqlite3"},
    "net": {"logging", "sqlite3", "subprocess"},
    "lab": {"logging", "sqlite3", "subprocess"},
    "doors": {"logging", "random", "select", "socket", "sqlite3", "ssl", "subprocess", "time"},
}
# Libraries have their places, so that each can be replaced there.
MAY_USE = {
    "values": {"idna", "msgspec"},
    "store": {"msgspec"},
    "net": {"dns"},
    "lab": {"dns", "msgspec"},
    "rules": {"msgspec"},
    "doors": {"click", "msgspec", "rich", "uvloop"}
    | {"h11", "jinja2", "litestar", "markupsafe", "prometheus_client", "uvicorn"},
}
MUST_NOT_WAIT = ("errors", "values", "wire", "rules")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def _layer(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Yield what `path` imports: modules of ours with a leading dot, as in ".values.text"."""
    package = path.relative_to(SOURCE).parts[:-1]
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            tails = [node.module] if node.module else [alias.name for alias in node.names]
            yield from ("." + ".".join([*base, tail]) for tail in tails)


def _allowed(path: Path) -> set[str]:
    parent = ".".join(path.relative_to(SOURCE).parts[:-1])
    return MAY_IMPORT.get(parent, MAY_IMPORT[_layer(path)])


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_imports_only_from_the_layers_below(path: Path) -> None:
    layer, allowed = _layer(path), _allowed(path)
    ours = [name.removeprefix(".") for name in _imports(path) if name.startswith(".")]
    astray = [
        name
        for name in ours
        if not name.startswith("ringback")
        and name.partition(".")[0] not in allowed | {layer}
        and not any(name == one or name.startswith(one + ".") for one in allowed)
    ]

    assert [] == astray


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_uses_only_what_its_layer_may(path: Path) -> None:
    layer = _layer(path)
    outside = {name.partition(".")[0] for name in _imports(path) if not name.startswith(".")}
    libraries = {name for name in outside if name not in sys.stdlib_module_names}

    assert set() == outside & MAY_NOT_IMPORT.get(layer, set())
    assert set() == libraries - MAY_USE.get(layer, set())


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _layer(path) in MUST_NOT_WAIT], ids=_name
)
def test_the_pure_layers_do_not_wait(path: Path) -> None:
    waiting = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    lines = [node.lineno for node in ast.walk(_tree(path)) if isinstance(node, waiting)]

    assert [] == lines


def _does_something(path: Path) -> bool:
    """Has it a function with a body? Closed sets, plain records and protocols only name things."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body[-1] for node in ast.walk(_tree(path)) if isinstance(node, functions)]
    return any(
        not (isinstance(body, ast.Expr) and isinstance(body.value, ast.Constant)) for body in bodies
    )


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if not path.name.startswith("__") and _does_something(path)],
    ids=_name,
)
def test_each_module_has_its_test(path: Path) -> None:
    *folders, name = path.relative_to(SOURCE).parts

    assert ROOT.joinpath("tests", *folders, f"test_{name}").is_file()
