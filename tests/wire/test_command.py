"""Commands as bytes, and nothing that could be two of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import LocalProtocolError
from ringback.wire import command

LONGEST_PATH = "l" * 64 + "@" + "d" * 189


def test_commands_as_they_leave() -> None:
    assert command.ehlo("probe.example") == b"EHLO probe.example\r\n"
    assert command.helo("probe.example") == b"HELO probe.example\r\n"
    assert command.starttls() == b"STARTTLS\r\n"
    assert command.mail("") == b"MAIL FROM:<>\r\n"
    assert command.mail("probe@ours.example") == b"MAIL FROM:<probe@ours.example>\r\n"
    assert command.rcpt("ann@shop.example") == b"RCPT TO:<ann@shop.example>\r\n"
    assert command.vrfy("ann@shop.example") == b"VRFY ann@shop.example\r\n"
    assert command.rset() == b"RSET\r\n"
    assert command.quit_() == b"QUIT\r\n"


def test_beyond_ascii_the_extension_is_named() -> None:
    assert command.mail("", smtputf8=True) == b"MAIL FROM:<> SMTPUTF8\r\n"
    assert command.rcpt("jürgen@shop.example") == "RCPT TO:<jürgen@shop.example>\r\n".encode()
    assert command.vrfy("用户@shop.example", smtputf8=True).endswith(b" SMTPUTF8\r\n")


def test_a_quoted_local_part_is_quoted_once() -> None:
    assert command.rcpt('"a b"@shop.example') == b'RCPT TO:<"a b"@shop.example>\r\n'


def test_case_and_length_of_a_path_are_kept() -> None:
    assert LONGEST_PATH.encode() in command.rcpt(LONGEST_PATH)
    assert command.rcpt("Ok@shop.example") == b"RCPT TO:<Ok@shop.example>\r\n"


@pytest.mark.parametrize("char", ["\r", "\n", "\r\n", "\0", "\t", "\x1b", "\x7f"])
def test_a_control_character_is_a_bug_of_ours(char: str) -> None:
    for make in (command.ehlo, command.helo, command.mail, command.rcpt, command.vrfy):
        with pytest.raises(LocalProtocolError, match="control character"):
            make(f"ann@shop.example{char}DATA")


def test_a_command_longer_than_any_address_is_a_bug_of_ours() -> None:
    longest = "d" * (command.MAX_COMMAND_OCTETS - len("EHLO \r\n"))

    assert len(command.ehlo(longest)) == command.MAX_COMMAND_OCTETS
    with pytest.raises(LocalProtocolError, match="512 octets"):
        command.ehlo(longest + "d")


@given(st.text(max_size=100))
def test_a_command_is_one_line_or_none(text: str) -> None:
    try:
        octets = command.rcpt(text)
    except LocalProtocolError:
        return

    assert octets.count(b"\r") == octets.count(b"\n") == 1
    assert octets.endswith(b">\r\n")


def test_lmtp_greets_in_its_own_word() -> None:
    assert b"LHLO probe.example\r\n" == command.lhlo("probe.example")


def test_a_login_says_user_and_password_in_base64() -> None:
    assert b"AUTH PLAIN AGFubgBzZWNyZXQ=\r\n" == command.auth_plain("ann", "secret")
    assert b"AUTH LOGIN\r\n" == command.auth_login()
    assert b"w7w=\r\n" == command.auth_answer("ü")


def test_the_longest_login_fits_into_a_command() -> None:
    assert len(command.auth_plain("u" * 120, "p" * 240)) <= command.MAX_COMMAND_OCTETS
