"""The engine as it is, assembled on virtual time, and its policy door as the receiver of simulated mail.

The one module of the simulation that knows how an engine is put together. The door is handed in: doors
stand above the lab, and are imported by none but themselves. Not here: the loop (sim.py), hosts and DNS
(sim_net.py), the mail (traffic.py).
"""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Protocol

from ..engine.outside import Outside
from ..engine.pacer import Pacer
from ..engine.ports import Clock, Sink, Store
from ..engine.verifier import Verifier
from ..rules.exemptions import Exemptions
from ..rules.phrase_table import decode_table
from ..rules.phrasebook import Phrasebook
from ..store.memory import MemoryStore
from ..values.events import Decided, Event, Trouble
from ..values.query import Client
from ..values.settings import CallWhen, Identity, Mode, Settings
from ..wire.policy import REQUEST_TYPE, PolicyRequest
from .dice import Dice
from .harm import Answer, Scene, Told
from .policy_client import reply_for
from .population import OURS
from .traffic import Message

HELO_NAME = "verify.ours.example"
_ACTION = "action="
_TOLD = {"2": Told.TAKEN, "4": Told.DEFERRED, "5": Told.REFUSED}

# What the engine decided about the attempt at hand; attempts are judged in tasks of their own.
_DECIDED: ContextVar[list[Decided] | None] = ContextVar("decided", default=None)


class Answers(Protocol):
    """What is needed of doors/policy_server.py."""

    async def answer(self, request: PolicyRequest) -> bytes: ...


class MakesDoor(Protocol):
    """Makes the door; PolicyServer does when it is called."""

    def __call__(
        self, verifier: Verifier, clock: Clock, sink: Sink, *, settings: Settings
    ) -> Answers: ...


@cache
def _phrasebook() -> Phrasebook:
    return decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())


def settings_for(call_when: CallWhen) -> Settings:
    """The default settings, but enforced, and with a name and a contact."""
    made = Settings(identity=Identity(helo_name=HELO_NAME, contact=f"postmaster@{OURS}"))
    return made.but(
        etiquette=made.etiquette.but(call_when=call_when),
        policy=made.policy.but(mode=Mode.ENFORCE, own_domains=(OURS,)),
    )


class EngineReceiver:
    """Judges mail by the engine, through its door. `sink` hears every event beside.

    `store` and `pacer` are those of an engine before it, if there was one.
    """

    def __init__(
        self,
        scene: Scene,
        settings: Settings,
        make_door: MakesDoor,
        sink: Sink | None = None,
        store: Store | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self._sink = sink
        self._bugs: list[Trouble] = []
        self.verifier = make_verifier(scene, settings, self.hear, store, pacer)
        self._door = make_door(self.verifier, scene.clock, self.hear, settings=settings)

    async def judge(self, message: Message, client: Client) -> Sequence[Answer]:
        return [await self._judge(message, one, client) for one in message.recipients]

    async def _judge(self, message: Message, recipient: str, client: Client) -> Answer:
        decided: list[Decided] = []
        _DECIDED.set(decided)
        answer = (await self._door.answer(_request(message, recipient, client))).decode("ascii")
        reply = reply_for(answer.strip().removeprefix(_ACTION), message.sender)
        why = ", ".join(str(one.report.gate or one.report.reason) for one in decided)
        return Answer(_TOLD[reply[0]] if reply else Told.TAKEN, why)

    async def close(self) -> None:
        """Raises RuntimeError if there was a bug of ours: mail passed for it, and the count means nothing."""
        await self.verifier.close(self.verifier.patience_s)
        if self._bugs:
            first = self._bugs[0]
            raise RuntimeError(f"{first.where}: {first.what}\n{first.trace}")

    def hear(self, event: Event) -> None:
        """The sink of the engine and of the door."""
        heard = _DECIDED.get()
        if heard is not None and isinstance(event, Decided):
            heard.append(event)
        if isinstance(event, Trouble) and event.trace:
            self._bugs.append(event)
        if self._sink is not None:
            self._sink(event)


def engine_in(
    settings: Settings, make_door: MakesDoor, sink: Sink | None = None
) -> Callable[[Scene], EngineReceiver]:
    """What harm.measure wants: makes the receiver when the scene is there."""
    return lambda scene: EngineReceiver(scene, settings, make_door, sink)


def make_verifier(
    scene: Scene,
    settings: Settings,
    sink: Sink,
    store: Store | None = None,
    pacer: Pacer | None = None,
) -> Verifier:
    """The engine, with everything around it in memory; chance follows from the scene's seed."""
    dice = Dice(f"{scene.seed}/engine")
    outside = Outside(
        resolver=scene.resolver,
        dialer=scene.dialer,
        store=store or MemoryStore(dice.of("secrets").octets),
        clock=scene.clock,
        pacer=pacer or Pacer(settings.budget),
        book=_phrasebook(),
        draw=dice.of("hosts").draw,
        organisation=organisation_of,
        is_fit=_is_fit,
    )
    return Verifier(settings, outside, Exemptions.parse(settings), sink)


def organisation_of(domain: str) -> str:
    """In this world every public suffix is one label: .example."""
    return ".".join(domain.split(".")[-2:])


async def _is_fit() -> bool:
    return True


def _request(message: Message, recipient: str, client: Client) -> PolicyRequest:
    return PolicyRequest(
        request=REQUEST_TYPE,
        protocol_state="RCPT",
        client_address=client.address,
        client_name=client.name or "unknown",
        helo_name=client.helo,
        sender=message.sender,
        recipient=recipient,
        instance=f"{message.serial:x}",
    )
