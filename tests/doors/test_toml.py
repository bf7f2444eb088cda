"""Settings written as TOML."""

import tomllib

import pytest

from ringback.doors.toml import encode
from ringback.values.settings import Ages, Method, RecipientRoute

ROUTE = RecipientRoute("a.example", ("10.0.0.1",))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (25, "25"),
        (5.0, "5.0"),
        (True, "true"),
        (Method.RCPT, '"rcpt"'),
        ('a "quoted" ü\\', '"a \\"quoted\\" ü\\\\"'),
        ("sqlite:///srv/a:b@c/x.db?password=1", '"sqlite:///srv/a:b@c/x.db?password=1"'),
        ((), "[]"),
        ((360.0, 900.0), "[360.0, 900.0]"),
        (Ages(600, 3_600.5), "[600, 3600.5]"),
        (
            (ROUTE,),
            '[{domain = "a.example", host = ["10.0.0.1"], port = 25, protocol = "smtp", '
            'sender = "envelope", tls = "when_offered", username = "", password_file = ""}]',
        ),
    ],
)
def test_values_are_written_as_people_would(value: object, written: str) -> None:
    assert written == encode(value)
    assert ["value"] == list(tomllib.loads(f"value = {written}"))


def test_what_no_setting_is_cannot_be_written() -> None:
    with pytest.raises(TypeError, match="no setting is a bytes"):
        encode(b"")
