"""The table of moves."""

import pytest

from ringback.values.evidence import Stage
from ringback.values.settings import RouteProtocol
from ringback.wire.moves import Move, may_answer, move_after


@pytest.mark.parametrize("protocol", RouteProtocol)
@pytest.mark.parametrize(
    ("stage", "code", "move"),
    [
        (Stage.GREETING, 220, Move.SAY_EHLO),
        (Stage.GREETING, 554, Move.SAY_QUIT),
        (Stage.EHLO, 250, Move.ASK_FITLY),
        (Stage.EHLO, 451, Move.SAY_QUIT),
        (Stage.STARTTLS, 220, Move.SHAKE_HANDS),
        (Stage.STARTTLS, 454, Move.ASK_FITLY),
        (Stage.AUTH, 334, Move.GO_ON_LOGGING_IN),
        (Stage.MAIL, 550, Move.SAY_QUIT),
        (Stage.RCPT, 354, Move.GO_ON_ASKING),
        (Stage.QUIT, 500, Move.CLOSE),
    ],
)
def test_what_follows_a_reply(stage: Stage, code: int, move: Move, protocol: RouteProtocol) -> None:
    assert move_after(stage, code, protocol) is move


def test_only_smtp_has_a_helo() -> None:
    moves = {protocol: move_after(Stage.EHLO, 502, protocol) for protocol in RouteProtocol}

    assert moves == {RouteProtocol.SMTP: Move.SAY_HELO, RouteProtocol.LMTP: Move.SAY_QUIT}


@pytest.mark.parametrize(
    ("code", "stages"),
    [(220, {Stage.GREETING, Stage.STARTTLS}), (221, {Stage.QUIT}), (250, set(Stage))],
)
def test_some_codes_answer_one_thing_only(code: int, stages: set[Stage]) -> None:
    assert {stage for stage in Stage if may_answer(code, stage)} == stages
