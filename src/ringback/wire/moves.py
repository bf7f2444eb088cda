"""What follows which reply, as a table. Not here: doing it (wire/probe.py)."""

from collections.abc import Mapping
from enum import StrEnum

from ..values.evidence import Stage
from ..values.settings import RouteProtocol


class Move(StrEnum):
    """What to do when every reply that was awaited has come."""

    SAY_EHLO = "say_ehlo"
    SAY_HELO = "say_helo"
    SAY_STARTTLS = "say_starttls"
    ASK_FITLY = "ask_fitly"  # say STARTTLS first, and AUTH, where they are wanted
    REFRAIN = "refrain"  # it would be in clear
    LOG_IN = "log_in"
    GO_ON_LOGGING_IN = "go_on_logging_in"
    SHAKE_HANDS = "shake_hands"
    ASK = "ask"
    GO_ON_ASKING = "go_on_asking"
    SAY_QUIT = "say_quit"
    CLOSE = "close"


# (stage, first digit of the reply) → move.
_MOVES = {
    (Stage.GREETING, 2): Move.SAY_EHLO,
    (Stage.EHLO, 2): Move.ASK_FITLY,
    # RFC 5321 section 3.2 says after 500 or 502; some hosts say 550.
    (Stage.EHLO, 5): Move.SAY_HELO,
    (Stage.HELO, 2): Move.ASK_FITLY,
    (Stage.STARTTLS, 2): Move.SHAKE_HANDS,
    (Stage.STARTTLS, 4): Move.ASK_FITLY,
    (Stage.STARTTLS, 5): Move.ASK_FITLY,
    (Stage.AUTH, 2): Move.ASK_FITLY,
    (Stage.AUTH, 3): Move.GO_ON_LOGGING_IN,
    **{(Stage.RCPT, digit): Move.GO_ON_ASKING for digit in (2, 3, 4, 5)},
    **{(Stage.VRFY, digit): Move.GO_ON_ASKING for digit in (2, 3, 4, 5)},
    **{(Stage.QUIT, digit): Move.CLOSE for digit in (2, 3, 4, 5)},
}

_BY_PROTOCOL: Mapping[RouteProtocol, Mapping[tuple[Stage, int], Move]] = {
    RouteProtocol.SMTP: _MOVES,
    # RFC 2033 section 4.1: LHLO is its only greeting.
    RouteProtocol.LMTP: {**_MOVES, (Stage.EHLO, 5): Move.SAY_QUIT},
}


def move_after(stage: Stage, code: int, protocol: RouteProtocol) -> Move:
    """Say what follows a reply with `code` at `stage`: QUIT, unless the table knows better."""
    return _BY_PROTOCOL[protocol].get((stage, code // 100), Move.SAY_QUIT)


# Codes that answer one thing only. Elsewhere a reply was lost or is one too many (a second greeting,
# say), and the next would be taken for the answer about the mailbox.
_BELONGS_TO = {220: (Stage.GREETING, Stage.STARTTLS), 221: (Stage.QUIT,)}


def may_answer(code: int, stage: Stage) -> bool:
    """Say whether a reply with `code` may be one to what was said at `stage`."""
    stages = _BELONGS_TO.get(code)
    return stages is None or stage in stages
