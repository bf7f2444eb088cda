"""The container file: what it copies is in the tree, and what says whether the service answers.

Not here: building it, which takes an engine and a base image (docs/howto/operate.md).
"""

import importlib.util
import re
import socket
import threading
from pathlib import Path
from types import ModuleType

import pytest

TREE = Path(__file__).parents[2]
_COPY = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)


@pytest.fixture
def probe() -> ModuleType:
    """packaging/container/answers.py."""
    place = TREE / "packaging" / "container" / "answers.py"
    spec = importlib.util.spec_from_file_location("answers", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_copied_is_there_and_not_ignored() -> None:
    recipe = (TREE / "packaging" / "Containerfile").read_text("utf-8")
    copied = {name for line in _COPY.findall(recipe) for name in line.split()}
    ignored = (TREE / ".dockerignore").read_text("utf-8").splitlines()
    kept = {line.removeprefix("!") for line in ignored if line.startswith("!")}

    assert copied
    assert all((TREE / name).exists() for name in copied)
    assert {name.partition("/")[0] for name in copied} == kept


def test_it_runs_as_a_user_who_owns_the_store() -> None:
    recipe = (TREE / "packaging" / "Containerfile").read_text("utf-8")

    assert "\nUSER ringback\n" in recipe
    assert "\nVOLUME /var/lib/ringback\n" in recipe


@pytest.mark.parametrize(("said", "well"), [(b"action=DUNNO\n\n", True), (b"", False)])
def test_a_service_that_answers_is_well(probe: ModuleType, said: bytes, well: bool) -> None:
    def serve() -> None:
        client, _ = listener.accept()
        with client:
            heard.append(client.recv(1_000))
            client.sendall(said)

    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5.0)
        serving = threading.Thread(target=serve)
        serving.start()
        answered = probe.answers(listener.getsockname()[1])
        serving.join()

    assert well is answered
    assert [probe.REQUEST] == heard


def test_a_service_that_is_not_there_is_an_error(probe: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OSError, match="refused"):
        probe.answers(port)
