"""Where the doors are to listen, what that takes, and whose answers they give."""

import pytest

from fakes import FakeHost, FakeOutside
from ringback.doors.all_doors import OTHER_FILES, AllDoors
from ringback.doors.configuration import Loaded
from ringback.doors.http.tokens import Tokens
from ringback.doors.metrics import Metrics
from ringback.doors.recent import Recent
from ringback.lab.policy_client import PolicyClient
from ringback.net.listen import Listener
from ringback.values.settings import (
    Budget,
    CallWhen,
    Etiquette,
    Http,
    Milter,
    Mode,
    Policy,
    Settings,
    Socketmap,
)

ANY_PORT = "127.0.0.1:0"


def doors_of(outside: FakeOutside, settings: Settings) -> AllDoors:
    return AllDoors.of(
        outside.verifier(),
        outside.store,
        outside.clock,
        outside.events.append,
        loaded=Loaded(settings),
        tokens=Tokens(),
        metrics=Metrics(),
        recent=Recent(outside.clock.now),
    )


@pytest.mark.parametrize(
    ("policy", "milter", "socketmap", "http", "clients"),
    [
        ((), (), (), "", 0),
        (("unix:/a", "unix:/b"), (), (), "", 2_000),
        (("unix:/a",), ("unix:/b",), ("unix:/c",), ANY_PORT, 13_000),
    ],
)
async def test_each_client_and_each_callout_has_a_file(
    policy: tuple[str, ...],
    milter: tuple[str, ...],
    socketmap: tuple[str, ...],
    http: str,
    clients: int,
) -> None:
    settings = Settings(
        policy=Policy(listen=policy),
        milter=Milter(listen=milter),
        socketmap=Socketmap(listen=socketmap),
        http=Http(listen=http),
        budget=Budget(concurrent=7),
    )
    doors = doors_of(FakeOutside(), settings)

    assert clients + 7 + OTHER_FILES == doors.files(settings)
    assert [
        *(("policy", address) for address in policy),
        *(("milter", address) for address in milter),
        *(("socketmap", address) for address in socketmap),
        *([("http", http)] if http else []),
    ] == [place for place, _ in doors.places(settings)]


async def test_another_engine_and_other_settings_hold_on_open_connections() -> None:
    outside = FakeOutside()
    outside.host("shop.example", FakeHost(), FakeHost())
    doors = doors_of(outside, Settings())
    settings = Settings(policy=Policy(listen=(ANY_PORT,), mode=Mode.ENFORCE), http=Http(listen=""))
    [(_, open_at)] = doors.places(settings)
    listener = await open_at(None)
    client = PolicyClient(listener.address)
    request = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "client_address": "198.51.100.7",
        "sender": "nobody@shop.example",
        "recipient": "you@ours.example",
    }
    observed = await client.ask(request)
    doors.adopt(
        outside.verifier(etiquette=Etiquette(call_when=CallWhen.ALWAYS)), Loaded(settings), Tokens()
    )
    enforced = await client.ask(request)
    await client.close()
    await listener.stop(1.0)
    for verifier in outside.verifiers:
        await verifier.close()

    assert isinstance(listener, Listener)
    assert ("DUNNO", "550") == (observed, str(enforced).partition(" ")[0])
