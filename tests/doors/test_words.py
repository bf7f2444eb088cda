"""The tables of words say something of every member."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

import pytest

from ringback.doors.words import ASKED_FOR, BEHIND_GATE, FAILED, SAID, WHOSE, WOULD_CHANGE
from ringback.rules.exemptions import Exemptions
from ringback.rules.gates import Gate
from ringback.values.evidence import About, Fault, Meaning
from ringback.values.query import Client, Query
from ringback.values.settings import Etiquette, Identity, Policy, Settings
from ringback.values.verdict import Blame, Reason


@pytest.mark.parametrize(
    ("table", "closed_set"),
    [
        (SAID, Meaning),
        (FAILED, Fault),
        (ASKED_FOR, About),
        (WHOSE, Blame),
        (WOULD_CHANGE, Reason),
    ],
)
def test_no_member_goes_without_words(
    table: Mapping[StrEnum, str], closed_set: type[StrEnum]
) -> None:
    assert set(closed_set) == set(table)
    assert all(table.values())


def test_the_gates_have_the_names_that_rules_give_them() -> None:
    settings = Settings(
        policy=Policy(own_domains=("ours.example",)),
        etiquette=Etiquette(
            exempt_clients=("192.0.2.0/24",),
            exempt_senders=("friend.example",),
            opted_out=("quiet.example",),
        ),
    )
    without_contact = Exemptions.parse(settings)
    exemptions = Exemptions.parse(replace(settings, identity=Identity(contact="a@b.example")))
    refusals = [
        exemptions.exempt(Query("")),
        exemptions.exempt(Query("postmaster@shop.example")),
        exemptions.exempt(Query("a@shop.example", client=Client("192.0.2.9"))),
        exemptions.exempt(Query("a@shop.example", client=Client("", authenticated=True))),
        exemptions.exempt(Query("a@friend.example")),
        exemptions.exempt(Query("a@ours.example")),
        exemptions.forbid(Query("a@quiet.example")),
        exemptions.forbid_host("mx.quiet.example"),
        without_contact.forbid(Query("a@shop.example")),
    ]

    of_the_engine = {"identity", "no_consent"}  # engine/gatekeeper.py

    assert set(BEHIND_GATE) == {
        *(refusal.gate for refusal in refusals if refusal),
        *Gate,
        *of_the_engine,
    }
