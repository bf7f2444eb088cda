"""A tiny SMTP server that asks a policy service at RCPT as Postfix would, and drops the mail it takes.

It stands where a site's mail server stands: in the demo, and in tests of the policy port. Without an answer
from the service it goes on as with DUNNO (smtpd_policy_service_default_action), and counts that.
Not here: the asking (policy_client.py).
"""

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

from ..engine.ports import Clock
from ..values.text import printable
from .clock import WallClock
from .dialogue import encode_reply
from .policy_client import PolicyClient, reply_for
from .stream import Stream

# Decisions kept for the demo and for tests; a front left running must not grow.
MAX_KEPT_DECISIONS = 10_000
# Far more than the demo opens.
MAX_OPEN = 1_000
# Lines in one session, those of its messages included.
MAX_LINES = 1_000_000
# Postfix: smtpd_recipient_limit.
MAX_RECIPIENTS = 1_000

DEFAULT_ACTION = "DUNNO"

_PATH = re.compile(r"(?:FROM|TO):\s*<(.*)>(?:\s.*)?", re.IGNORECASE)
_SYNTAX = "501 5.5.4 Syntax error in parameters or arguments"
# Postfix asks the policy service first: smtpd_sender_restrictions stand before those of recipients.
_UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown in local recipient table"
_SEQUENCE = "503 5.5.1 Error: bad sequence of commands"


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one RCPT. `action` is None where the policy service gave none."""

    at: float  # Unix seconds
    client: str
    helo: str
    sender: str
    recipient: str
    action: str | None
    reply: str  # to the SMTP client


@dataclass(slots=True)
class _Mail:
    """One session's state: the greeting, then one transaction at a time."""

    client: str
    helo: str = ""
    esmtp: bool = False
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)
    instance: str = ""

    def forget(self) -> None:
        self.sender, self.recipients = None, []


class Front:
    """The server. `policy` is "ADDRESS:PORT" or "unix:PATH"; `messages` counts those accepted after DATA.

    `mailboxes` are the addresses that exist; None: all that it is asked for.
    """

    def __init__(
        self,
        policy: str,
        *,
        name: str = "mail.ours.example",
        clock: Clock | None = None,
        mailboxes: Collection[str] | None = None,
    ) -> None:
        self.name = name
        self.mailboxes = mailboxes
        self.policy = policy
        self.ip = ""
        self.port = 0
        self.messages = 0
        self.fail_opens = 0  # RCPTs let through for want of an answer
        self.decisions: deque[Decision] = deque(maxlen=MAX_KEPT_DECISIONS)
        self._clock = clock or WallClock()
        self._instances = 0
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Stream] = {}

    async def start(self, ip: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; port 0 is any free one. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Stream(self._admit), ip, port)
        self.ip, self.port = self._server.sockets[0].getsockname()[:2]

    async def close(self) -> None:
        """Stop listening and drop every session."""
        if self._server is not None:
            self._server.close()
            self._server = None
        open_now = dict(self._open)
        for task, stream in open_now.items():
            task.cancel()
            stream.abort()
        await asyncio.gather(*open_now, return_exceptions=True)
        await asyncio.sleep(0)  # the transports close their sockets in the next turn of the loop

    def _admit(self, stream: Stream) -> None:
        if len(self._open) >= MAX_OPEN:
            stream.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(stream))
        self._open[task] = stream
        task.add_done_callback(lambda done: self._open.pop(done, None))

    async def _serve(self, stream: Stream) -> None:
        policy = PolicyClient(self.policy)
        try:
            await self._converse(stream, policy, _Mail(stream.peer_ip))
        finally:
            await policy.close()
            stream.close()

    async def _converse(self, stream: Stream, policy: PolicyClient, mail: _Mail) -> None:
        await stream.write(encode_reply(f"220 {self.name} ESMTP"))
        for _ in range(MAX_LINES):
            line = await stream.read_line()
            if line is None:
                return
            verb, _, argument = line.partition(" ")
            answer = _COMMANDS.get(verb.upper(), Front._unknown)
            reply = await answer(self, mail, policy, argument)
            await stream.write(encode_reply(reply))
            if reply.startswith("354"):
                await self._drop_message(stream, mail)
            elif reply.startswith("221"):
                return

    async def _drop_message(self, stream: Stream, mail: _Mail) -> None:
        for _ in range(MAX_LINES):
            line = await stream.read_line()
            if line is None:
                return
            if line == ".":
                break
        self.messages += 1
        mail.forget()
        await stream.write(encode_reply(f"250 2.0.0 Ok: queued as LAB{self.messages:06}"))

    async def _ehlo(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        mail.forget()
        mail.helo, mail.esmtp = argument, True
        return f"250 {self.name}\nPIPELINING\nENHANCEDSTATUSCODES\n8BITMIME\nSMTPUTF8"

    async def _helo(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        mail.forget()
        mail.helo, mail.esmtp = argument, False
        return f"250 {self.name}"

    async def _mail(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        found = _PATH.fullmatch(argument)
        if found is None:
            return _SYNTAX
        if not mail.helo or mail.sender is not None:
            return _SEQUENCE
        self._instances += 1
        mail.sender, mail.instance = found[1], f"lab.{self._instances:x}.0"
        return "250 2.1.0 Ok"

    async def _rcpt(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        found = _PATH.fullmatch(argument)
        if found is None:
            return _SYNTAX
        if mail.sender is None:
            return _SEQUENCE
        if len(mail.recipients) >= MAX_RECIPIENTS:
            return "452 4.5.3 Error: too many recipients"
        action = await policy.ask(_attributes(mail, mail.sender, found[1]))
        self.fail_opens += action is None
        reply = reply_for(DEFAULT_ACTION if action is None else action, mail.sender)
        if reply is None and self.mailboxes is not None and found[1] not in self.mailboxes:
            reply = _UNKNOWN.format(printable(found[1]))
        if reply is None:
            mail.recipients.append(found[1])
            reply = "250 2.1.5 Ok"
        self.decisions.append(
            Decision(
                self._clock.now(),
                mail.client,
                mail.helo,
                mail.sender,
                found[1],
                None if action is None else printable(action),
                reply,
            )
        )
        return reply

    async def _data(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        if mail.sender is None:
            return _SEQUENCE
        if not mail.recipients:
            return "554 5.5.1 Error: no valid recipients"
        return "354 End data with <CR><LF>.<CR><LF>"

    async def _rset(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        mail.forget()
        return "250 2.0.0 Ok"

    async def _noop(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        return "250 2.0.0 Ok"

    async def _vrfy(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        return "252 2.0.0 Cannot VRFY user, but will accept message and attempt delivery"

    async def _quit(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        return "221 2.0.0 Bye"

    async def _unknown(self, mail: _Mail, policy: PolicyClient, argument: str) -> str:
        return "500 5.5.2 Error: command not recognized"


_COMMANDS: dict[str, Callable[[Front, _Mail, PolicyClient, str], Awaitable[str]]] = {
    "EHLO": Front._ehlo,
    "HELO": Front._helo,
    "MAIL": Front._mail,
    "RCPT": Front._rcpt,
    "DATA": Front._data,
    "RSET": Front._rset,
    "NOOP": Front._noop,
    "VRFY": Front._vrfy,
    "QUIT": Front._quit,
}


def _attributes(mail: _Mail, sender: str, recipient: str) -> dict[str, str]:
    """What Postfix 3.7 tells at RCPT, as far as this server knows it."""
    return {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "protocol_name": "ESMTP" if mail.esmtp else "SMTP",
        "client_address": mail.client,
        "client_name": "unknown",
        "reverse_client_name": "unknown",
        "helo_name": mail.helo,
        "sender": sender,
        "recipient": recipient,
        "recipient_count": "0",  # known only after DATA
        "queue_id": "",
        "instance": mail.instance,
        "size": "0",
        "sasl_method": "",
        "sasl_username": "",
        "sasl_sender": "",
    }
