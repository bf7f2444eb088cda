"""What tests of replays share: a small DNS, mail from there, and surroundings in virtual time."""

from collections.abc import Mapping
from importlib.resources import files

from ringback.doors.judging import Judge
from ringback.lab.assumed import Mailboxes, Standing
from ringback.lab.lane import Surroundings
from ringback.lab.sim import SimClock, SimLoop
from ringback.lab.sim_engine import organisation_of, settings_for
from ringback.lab.sim_net import SimResolver
from ringback.lab.zone import Node
from ringback.rules.envelopes import Ending, Envelope
from ringback.rules.networks import forbidden
from ringback.rules.phrase_table import decode_table
from ringback.values.settings import CallWhen, Settings
from ringback.wire.maillog import LoggedClient

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
START_AT = 1_800_000_000.0
OWN_IP, STRANGER_IP = "62.0.1.7", "62.9.9.9"
ANN, ME = "ann@shop.example", "me@ours.example"
ZONE: Mapping[str, Node] = {
    "shop.example": Node({"MX": ("10 mx.shop.example",), "TXT": (f"v=spf1 ip4:{OWN_IP} ?all",)}),
    "mx.shop.example": Node({"A": ("62.0.1.1",)}),
    "inside.example": Node({"MX": ("10 mx.inside.example",)}),
    "mx.inside.example": Node({"A": ("10.0.0.1",)}),
    "null.example": Node({"MX": ("0 .",)}),
    "example.com": Node({"A": ("62.0.0.1",)}),
}


def envelope(
    sender: str = ANN,
    ip: str = OWN_IP,
    *,
    after_s: float = 0.0,
    ending: Ending = Ending.TAKEN,
    recipient: str = ME,
    login: str = "",
) -> Envelope:
    return Envelope(START_AT + after_s, LoggedClient(ip, login=login), sender, recipient, ending)


def around(
    loop: SimLoop, mailboxes: Mailboxes | None = None, settings: Settings | None = None
) -> Surroundings:
    clock = SimClock(loop, START_AT)
    return Surroundings(
        settings=settings or settings_for(CallWhen.RETRIED),
        resolver=SimResolver(ZONE, clock),
        clock=clock,
        mailboxes=mailboxes or Mailboxes(Standing.EXISTS),
        organisation=organisation_of,
        book=BOOK,
        forbidden=forbidden,
        make_judge=Judge,
    )
