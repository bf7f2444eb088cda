"""What has been settled with a host before anything is asked: what it offers, TLS, a login.

Not here: how a conversation goes on (wire/probe.py), and the handshake itself (net/tls.py).
"""

from ..values.endpoint import Manner
from ..values.evidence import About, Stage
from ..values.settings import RouteProtocol, TlsPolicy
from .extensions import Extensions, parse_extensions
from .moves import Move
from .reply import Reply
from .steps import Step, log_in, log_in_plainly, say_secret

_NO_EXTENSIONS = Extensions()


class Terms:
    """The terms of one connection, as far as the host's replies have brought them."""

    __slots__ = ("_credentials", "_logged_in", "_manner", "_secured", "_tls", "is_busy", "offered")

    def __init__(self, tls: TlsPolicy, manner: Manner) -> None:
        self._tls, self._manner = tls, manner
        self.offered = _NO_EXTENSIONS
        self.is_busy = False  # in a transaction, which RSET ends
        self._secured = self._logged_in = False
        self._credentials: tuple[str, ...] = ()  # that the host has yet to ask for

    @property
    def protocol(self) -> RouteProtocol:
        return self._manner.protocol

    @property
    def can_secure(self) -> bool:
        return self.offered.starttls and not self._secured and self._tls is not TlsPolicy.NEVER

    def hear(self, stage: Stage, reply: Reply) -> None:
        """Keep what `reply` says of the connection."""
        taken = reply.code < 300
        if stage is Stage.EHLO and taken:
            self.offered = parse_extensions(reply)
        elif stage is Stage.MAIL and taken:
            self.is_busy = True
        elif stage is Stage.STARTTLS and not taken:
            self.offered = self.offered.but(starttls=False)  # offered, and not there
        elif stage is Stage.AUTH and taken:
            self._logged_in = True

    def begin_anew(self) -> None:
        """Forget all that was learned in clear, now that the handshake is done (RFC 3207 section 4.2)."""
        self.offered, self._secured = _NO_EXTENSIONS, True
        self.is_busy = self._logged_in = False

    def before_asking(self) -> Move:
        """What is to be said first; Move.ASK if nothing is."""
        if self._tls is TlsPolicy.OPPORTUNISTIC and self.can_secure:
            return Move.SAY_STARTTLS
        if self._manner.secret and not self._secured:
            return Move.REFRAIN
        return Move.LOG_IN if self._manner.login and not self._logged_in else Move.ASK

    def log_in(self, about: About) -> Step | None:
        """How a login begins; None if the host offers no form that we know, or we have none."""
        login, offered = self._manner.login, self.offered.auth
        if login and "PLAIN" in offered:
            return log_in_plainly(login, about)
        if login and "LOGIN" in offered:
            self._credentials = (login.username, login.password)
            return log_in(about)
        return None

    def answer_challenge(self, about: About) -> Step | None:
        """How a login goes on; None if the host asks for more than we have."""
        if not self._credentials:
            return None
        credential, *left = self._credentials
        self._credentials = tuple(left)
        return say_secret(credential, about)
