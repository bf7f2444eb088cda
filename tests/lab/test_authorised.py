"""Clients that the sender's domain stands behind, and those of whom nobody knows."""

import pytest

from replay_scene import OWN_IP, STRANGER_IP, around, envelope
from ringback.lab import authorised as module
from ringback.lab.authorised import Authorised, client_of, parsed
from ringback.lab.sim import SimLoop, run
from ringback.values.query import Client


def test_who_is_authorised_is_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_AUTHORISED", 1)
    loop = SimLoop()
    scene = around(loop)
    authorised = Authorised(scene.resolver, scene.organisation)
    mail = [envelope(), envelope(), envelope(ip=STRANGER_IP), envelope(), envelope("nobody")]

    async def ask() -> list[bool]:
        return [await authorised.holds(one) for one in mail]

    assert [True, True, False, True, False] == run(loop, ask())


def test_a_client_is_told_of_as_a_server_would() -> None:
    assert Client(OWN_IP, authenticated=True) == client_of(envelope(login="ann"))


def test_what_is_no_address_is_none() -> None:
    found = parsed("ann@shop.example")

    assert found is not None
    assert ("shop.example", None) == (found.domain, parsed("nobody"))
