"""Build a Debian package from the tree: the program with its locked libraries, for the system's Python.

Nothing is built from source but Ringback itself, and nothing is fetched but the wheels of
packaging/requirements.txt, by their hashes. Usage: python -m tools.deb FOLDER [PYTHON], where the package
goes to, and for which Python it is, /usr/bin/python3 unless said.
"""

import gzip
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

import click
from tools import manual

TREE = Path(__file__).parent.parent
PACKAGING = TREE / "packaging"
SYSTEM_PYTHON = "/usr/bin/python3"
LIBRARY, PROGRAM = "usr/lib/ringback", "usr/bin/ringback"
SCRIPTS = ("postinst", "prerm", "postrm")
CONFIGURATION = "etc/ringback/ringback.toml"

DOORS = ("policy", "milter", "socketmap", "http")
UNITS = ("ringback.service", *(f"ringback-{door}.socket" for door in DOORS))

# From → to, of what is as it is in the tree.
FILES: Mapping[str, str] = {
    "packaging/debian/ringback": PROGRAM,
    "packaging/ringback.toml": CONFIGURATION,
    **{f"packaging/systemd/{unit}": f"usr/lib/systemd/system/{unit}" for unit in UNITS},
    "packaging/debian/copyright": "usr/share/doc/ringback/copyright",
    "README.md": "usr/share/doc/ringback/README.md",
}
# From → to, of what tools/manual.py writes.
MANUAL: Mapping[str, str] = {
    "bash/ringback": "usr/share/bash-completion/completions/ringback",
    "zsh/_ringback": "usr/share/zsh/vendor-completions/_ringback",
    "fish/ringback.fish": "usr/share/fish/vendor_completions.d/ringback.fish",
}
PAGES: Mapping[str, str] = {
    "ringback.1": "usr/share/man/man1/ringback.1.gz",
    "ringback.toml.5": "usr/share/man/man5/ringback.toml.5.gz",
}


def build(folder: Path, python: str) -> Path:
    """Return the package that was made in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        root, made = Path(scratch, "root"), Path(scratch, "made")
        _fill_library(root, made, python)
        _fill_files(root, made)
        fields = _fields(root, python)
        _fill_control(root, fields)
        _tidy(root)
        package = folder / f"ringback_{fields['version']}_{fields['architecture']}.deb"
        _run("dpkg-deb", "--root-owner-group", "--build", str(root), str(package))
    return package


def _fill_library(root: Path, made: Path, python: str) -> None:
    """Install the wheels, ours last, and compile them as if they lay in their place already."""
    library = root / LIBRARY
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-qq"]
    ours = ["--no-index", "--no-deps", "--no-build-isolation"]
    _run(*pip, "wheel", *ours, "--wheel-dir", str(made), str(TREE))
    install = [*pip, "--python", python, "install", "--no-compile", "--target", str(library)]
    locked = ["--only-binary", ":all:", "--require-hashes"]
    _run(*install, *locked, "--requirement", str(PACKAGING / "requirements.txt"))
    _run(*install, "--no-index", "--no-deps", *(str(wheel) for wheel in made.glob("*.whl")))
    # What pip notes about where it found things, and commands of the libraries that nobody calls.
    shutil.rmtree(library / "bin", ignore_errors=True)
    for note in library.glob("*.dist-info/direct_url.json"):
        note.unlink()
    compiling = ["-m", "compileall", "-q", "--invalidation-mode", "checked-hash"]
    _run(python, *compiling, "-s", str(root), "-p", "/", str(library))


def _fill_files(root: Path, made: Path) -> None:
    manual.main([str(made)])
    for source, place in FILES.items():
        _put(root / place, (TREE / source).read_bytes())
    (root / PROGRAM).chmod(0o755)
    for name, place in MANUAL.items():
        _put(root / place, (made / name).read_bytes())
    for name, place in PAGES.items():
        _put(root / place, gzip.compress((made / name).read_bytes(), mtime=0))
    changes = gzip.compress((TREE / "CHANGELOG.md").read_bytes(), mtime=0)
    _put(root / "usr/share/doc/ringback/changelog.gz", changes)


def _fields(root: Path, python: str) -> Mapping[str, str]:
    """What depends on the tree, and on the machine that builds."""
    project = tomllib.loads((TREE / "pyproject.toml").read_text("utf-8"))["project"]
    # The wheels with machine code are for one minor version of Python.
    minor = int(_run(python, "-c", "import sys; print(sys.version_info.minor)"))
    octets = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    return {
        "version": str(project["version"]),
        "architecture": _run("dpkg", "--print-architecture").strip(),
        "python": f"3.{minor}",
        "next_python": f"3.{minor + 1}",
        "kibibytes": str(octets // 1024),
    }


def _fill_control(root: Path, fields: Mapping[str, str]) -> None:
    control = Template((PACKAGING / "debian" / "control").read_text("utf-8"))
    _put(root / "DEBIAN/control", control.substitute(fields).encode())
    _put(root / "DEBIAN/conffiles", f"/{CONFIGURATION}\n".encode())
    for name in SCRIPTS:
        _put(root / "DEBIAN" / name, (PACKAGING / "debian" / name).read_bytes())
        (root / "DEBIAN" / name).chmod(0o755)


def _tidy(root: Path) -> None:
    """Let everybody read, and nobody write, whatever umask we were called with."""
    for path in (root, *root.rglob("*")):
        runs = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if runs else 0o644)


def _put(place: Path, content: bytes) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    place.chmod(0o644)


def _run(*command: str) -> str:
    # pip's own settings of the machine hold: where it finds wheels is not the tree's to say.
    environment = {**os.environ, "PIP_NO_INPUT": "1"}
    done = subprocess.run(  # noqa: S603  # every word of it stands in this file
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=TREE, env=environment
    )
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Build, and say where it is. Returns the exit status."""
    folder, python = Path(arguments[0]), (*arguments[1:], SYSTEM_PYTHON)[0]
    click.echo(build(folder.resolve(), python))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
