"""The steps of a conversation: each a command, and the stage that its reply belongs to.

Not here: when to take which (wire/moves.py, wire/probe.py), and how a command is written (wire/command.py).
"""

from functools import lru_cache
from typing import NamedTuple

from ..values.endpoint import Login
from ..values.evidence import About, Stage
from ..values.settings import RouteProtocol
from . import command
from .question import Question

# Of the commands that every host is told, one step each serves all conversations. There are as many as
# HELO names, senders and kinds of questions: a few, unless each client of a route is a sender.
_MAX_SHARED = 256


class Step(NamedTuple):
    """A command, and the stage that its reply belongs to."""

    stage: Stage
    octets: bytes = b""
    about: About = About.ADDRESS
    command: str = ""  # as it is shown: the octets, but for a secret


CONNECTING, GREETING = Step(Stage.CONNECT), Step(Stage.GREETING)


@lru_cache(_MAX_SHARED)
def greet(helo_name: str, about: About, protocol: RouteProtocol) -> Step:
    """Say who we are, as the protocol wants it."""
    say = command.lhlo if protocol is RouteProtocol.LMTP else command.ehlo
    return _plain(Stage.EHLO, say(helo_name), about)


@lru_cache(_MAX_SHARED)
def greet_simply(helo_name: str, about: About) -> Step:
    return _plain(Stage.HELO, command.helo(helo_name), about)


@lru_cache
def start_tls(about: About) -> Step:
    return _plain(Stage.STARTTLS, command.starttls(), about)


@lru_cache
def leave(about: About = About.ADDRESS) -> Step:
    return _plain(Stage.QUIT, command.quit_(), about)


def transaction(question: Question, *, after_another: bool) -> tuple[Step, ...]:
    """The commands of one question, in their order."""
    about, utf8 = question.about, question.needs_smtputf8
    if question.vrfy:
        return (_plain(Stage.VRFY, command.vrfy(question.recipient, smtputf8=utf8), about),)
    mail = _mail(question.sender, utf8, about)
    rcpt = _plain(Stage.RCPT, command.rcpt(question.recipient), about)
    return (_rset(about), mail, rcpt) if after_another else (mail, rcpt)


def log_in_plainly(login: Login, about: About) -> Step:
    octets = command.auth_plain(login.username, login.password)
    return Step(Stage.AUTH, octets, about, "AUTH PLAIN (secret)")


def log_in(about: About) -> Step:
    return _plain(Stage.AUTH, command.auth_login(), about)


def say_secret(credential: str, about: About) -> Step:
    """Answer a challenge of AUTH LOGIN."""
    return Step(Stage.AUTH, command.auth_answer(credential), about, "(secret)")


@lru_cache(_MAX_SHARED)
def _mail(sender: str, utf8: bool, about: About) -> Step:
    return _plain(Stage.MAIL, command.mail(sender, smtputf8=utf8), about)


@lru_cache
def _rset(about: About) -> Step:
    return _plain(Stage.RSET, command.rset(), about)


def _plain(stage: Stage, octets: bytes, about: About) -> Step:
    return Step(stage, octets, about, octets.decode("utf-8").rstrip("\r\n"))
