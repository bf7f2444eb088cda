"""Lines of logs and records under fire: what they say, None, or UsageError, nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from ringback.doors.replies import find_reply, parse_record
from ringback.errors import UsageError

NEARLY = st.lists(
    st.sampled_from(
        [" said: ", "550", " ", "-", "5.1.1", "\\n", "\n", "(in reply to RCPT TO command)", "stat="]
    ),
    max_size=20,
).map("".join)
FIELD = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | NEARLY


@given(st.text(st.characters(codec=None), max_size=80) | NEARLY)
def test_a_line_holds_a_reply_or_none(line: str) -> None:
    try:
        said = find_reply(line)
    except UsageError:
        return

    assert said is None or 200 <= said.reply.code <= 599


@given(
    st.dictionaries(st.sampled_from(["stage", "code", "enhanced", "text", "other"]), FIELD) | FIELD
)
def test_a_record_is_a_reply_or_an_error(record: object) -> None:
    try:
        said = parse_record(record)
    except UsageError:
        return

    assert 200 <= said.reply.code <= 599
    assert said.reply.lines
