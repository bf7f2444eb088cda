"""What can be asked of a session's record."""

from ringback.lab.personas import Step
from ringback.lab.record import Heard, Session


def test_a_session_tells_what_was_said_in_it() -> None:
    session = Session("127.0.0.1", 1_000.0)
    said = (
        (Step.EHLO, "ehlo x"),
        (Step.RCPT, 'RCPT TO:<"a> b"@c.example> NOTIFY=NEVER'),
        (Step.QUIT, "QUIT"),
    )
    session.heard += [Heard(1_000.0, step, line, pipelined=False) for step, line in said]

    assert ("EHLO", "RCPT", "QUIT") == session.verbs
    assert ('"a> b"@c.example',) == session.recipients
    assert said[0][1] == session.lines[0]
