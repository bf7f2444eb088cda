"""The classifier against labelled replies, where they lie beside the project; and its measuring."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
ROW = {
    "stage": "rcpt",
    "code": 550,
    "enhanced": "5.1.1",
    "text": "550 5.1.1 No such user",
    "meaning": "unknown_user",
    "provider": None,
    "source": "somewhere:list.txt",
}


@pytest.fixture(scope="module")
def corpus() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("corpus", ROOT / "tools" / "corpus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["corpus"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_no_refusal_is_misread_and_most_are_understood(corpus: ModuleType) -> None:
    if not corpus.DEFAULT.is_file():
        pytest.skip("the corpus of labelled replies is not beside the project")
    judged = corpus.judge(corpus.DEFAULT)
    scores = corpus.score(judged)

    assert corpus.dangers(judged) == []
    assert scores["unknown_user"].recall >= 0.95
    assert corpus.macro_f1(scores) >= 0.9


def test_the_blind_replies_are_understood_and_none_is_dangerous(corpus: ModuleType) -> None:
    judged = corpus.judge(ROOT / "tests" / "vectors" / "replies-blind.toml")

    assert corpus.dangers(judged) == []
    assert corpus.score(judged)["unknown_user"].recall >= 0.98
    assert corpus.macro_f1(corpus.score(judged)) >= 0.9


def test_without_a_corpus_one_line_says_so(
    corpus: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = corpus.main([str(tmp_path / "none.jsonl")])

    assert status == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_dangerous_misreading_is_shown_and_fails(
    corpus: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "replies.jsonl"
    rows = [ROW] * 3 + [ROW | {"meaning": "client_blocked", "source": "https://a.example"}]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status = corpus.main([str(file)])
    out = capsys.readouterr().out

    assert status == 1
    assert "dangerous misreadings 1" in out
    assert "client_blocked read as unknown_user by phrase no-such-user" in out


def test_a_score(corpus: ModuleType) -> None:
    assert corpus.Score(4, 0.5, 1.0).f1 == pytest.approx(2 / 3)
    assert corpus.Score(4, 0.0, 0.0).f1 == 0.0
