"""Replies in the one form that phrases are compared with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.folding import MAX_READ_CHARS, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("User  UNKNOWN\nhere", "user unknown here"),
        ("Boîte pleine", "boite pleine"),
        ("bo\\xeete pleine", "boite pleine"),  # as an octet of Latin-1 arrives
        ("bo\u00c3\u00aete pleine", "boite pleine"),  # UTF-8 taken for Latin-1
        ("al\u00c4\u00b1c\u00c4\u00b1 yok", "alici yok"),
        ("\u00c5\u00bc, \u00e2\u20ac\u201c, \u00c3\u00a9", "z e"),  # for windows-1252
        ("\u00c3=", "a="),  # no octet of UTF-8 follows
        ("l'adresse n'existe pas, d'utilisateur", "l' adresse n' existe pas d' utilisateur"),
        ("Użytkownik Łukasz, KULLANICI ılık", "uzytkownik lukasz kullanici ilik"),
        ("user doesn't exist", "user does not exist"),
        ("user doesn’t exist", "user does not exist"),
        ("cannot, can't", "can not can not"),
        ('it weren"t', "it were not"),
        ("e-mail mail box black list grey-listed", "email mailbox blacklist greylisted"),
        ("non existent, non-existant", "nonexistent nonexistent"),
        ("<ann@shop.example>: unknown", "@ unknown"),
        ("ann@shop.example... unknown", "@ unknown"),
        ("ann@shop.example...User unknown", "@ ...user unknown"),
        ("RCPT TO:<ann@shop.example> no", "rcpt to @ no"),
        ("IP address 192.0.2.9 is bad", "ipaddress is bad"),
        (
            "your IPs, 2001:db8::25 and 2001:db8:0:0:0:0:0:1",
            "your ipaddress and ipaddress",
        ),
        ("retry in 00:05:00", "retry in 00:05:00"),
        ("sender's address, MAIL FROM: address", "senderaddress senderaddress"),
        ("Your account", "senderaddress"),
        ("mailbox of the sender", "senderaddress"),
        ("reverse DNS, rDNS", "rdns rdns"),
        ("(#5.1.1) 'no' - [really]", "#5.1.1 no really"),
        ("您的IP被拒绝", "您的ipaddress被拒绝"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_no_more_is_read_than_a_refusal_says() -> None:
    assert fold("a" * MAX_READ_CHARS + " user unknown") == "a" * MAX_READ_CHARS


@given(st.text())
def test_folding_has_an_end_and_leaves_single_spaces(text: str) -> None:
    folded = fold(text)

    assert folded == " ".join(folded.split())
    assert len(folded) <= 20 * MAX_READ_CHARS  # one character may decompose into eighteen
