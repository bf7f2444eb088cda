"""Capture what real servers say, as vectors: `python -m tests.real.capture [SERVER…]`, as root.

Every file that is written has the meaning that its take names; where the rules read it otherwise, that is
said at the end, and tests/test_vectors.py fails until one of the two is corrected.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ringback.rules.classify import Phrasebook

from ..servers.box import Box
from ..servers.network import private_network, visiting
from ..servers.program import Program
from ..servers.unpack import CACHE, UnavailableError
from . import commands, courier, exim, opensmtpd, others, postfix, qpsmtpd, sendmail
from .studio import Scene, phrasebook, reading, record, write

WORLD = Path(__file__).with_name("world.toml")
MODULES = (postfix, exim, opensmtpd, sendmail, qpsmtpd, courier, others)
# Each server set up in the plainest way hears all that no callout says, too.
_PLAIN = [module.SCENES[0] for module in MODULES if module is not others]


def main(wanted: list[str]) -> int:
    book, misread = phrasebook(), []
    scenes = [scene for module in MODULES for scene in module.SCENES]
    with private_network() as outside, _lab():
        for scene in scenes:
            if not wanted or scene.server in wanted:
                misread += list(_shoot(scene, book, outside))
    sys.stdout.write("\n".join(["", *misread]) + "\n")
    return bool(misread)


@contextmanager
def _lab() -> Iterator[None]:
    """The name server, with the block lists."""
    with tempfile.TemporaryDirectory() as folder:
        options = ("--world", str(WORLD), "--port", "25", "--dns-port", "53")
        program = Program(Path(folder) / "log", "lab", *options)
        program.start("the lab is open")
        try:
            yield
        finally:
            program.stop()


def _shoot(scene: Scene, book: Phrasebook, outside: int) -> Iterator[str]:
    """Take down the dialogues of one scene; yield a line for each one that the rules misread."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)

        def further(home: str, fetch: Callable[[], Path]) -> Box:
            with visiting(outside):
                root = fetch()
            (folder / home).mkdir()
            box = Box(root, folder / home)
            stack.callback(box.stop)
            return box

        try:
            scene.start(further("front", scene.fetch), further)
        except (UnavailableError, TimeoutError) as error:
            yield f"{scene.server}: not captured: {error}"
            return
        for take in scene.takes:
            for _ in range(take.before):
                record(take, book)
            lines, evidence = record(take, book)
            path = write(scene, take, lines, version_of(scene.package))
            sys.stdout.write(f"{path.name}\n")
            if reading(evidence) != take.meant:
                said = next((line for line in reversed(lines) if line[3:4] in "45"), "")
                yield f"{path.name}: read as {reading(evidence)}, meant {take.meant}\n    {said}"
        if scene in _PLAIN:
            commands.write(scene, book, version_of(scene.package))


def version_of(package: str) -> str:
    """The version of what was fetched, as Debian writes it."""
    names = sorted(path.name for path in (CACHE / "fetched").glob(f"{package}_*.deb"))
    return re.split("_", names[-1])[1].replace("%3a", ":") if names else "?"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
