"""Every exception of Ringback. What a peer does is a value (see values/evidence.py), never one of these.

RingbackError
├── UsageError             what a user gave cannot be used: one line with the remedy, exit status 2
│   ├── SettingError       a value that no setting of that name can have: names key and remedy
│   ├── ConfigError        … and it stands in the configuration: names file, key and remedy
│   └── ListInUseError     a list that another process is working on
├── AddressError           not an e-mail address under RFC 5321 and RFC 6531
├── StoreError             the store cannot be opened, read or written
├── RemoteProtocolError    bytes from outside that break their protocol: close that connection
└── LocalProtocolError     we broke a protocol ourselves: a bug, it ends the task loudly
"""


class RingbackError(Exception):
    """Something of ours went wrong."""


class UsageError(RingbackError):
    """What the user gave cannot be used."""


class SettingError(UsageError, ValueError):
    """A value that the setting `key` cannot have. `key` is relative to its section."""

    def __init__(self, key: str, problem: str, remedy: str) -> None:
        super().__init__(key, problem, remedy)
        self.key, self.problem, self.remedy = key, problem, remedy

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}; {self.remedy}"


class ConfigError(UsageError):
    """A setting cannot be used.

    `source` is the file or environment variable it came from, `key` its dotted name ("smtp.port").
    """

    def __init__(self, source: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(source, key, problem, remedy)
        self.source, self.key, self.problem, self.remedy = source, key, problem, remedy

    def __str__(self) -> str:
        where = f"{self.source}: {self.key}" if self.key else self.source
        return f"{where}: {self.problem}; {self.remedy}"


class ListInUseError(UsageError):
    """Another process is working on the same list."""

    def __init__(self) -> None:
        super().__init__("another run is working on this very list: let it end, or end it")


class AddressError(RingbackError):
    """Not an e-mail address."""


class StoreError(RingbackError):
    """The store cannot be used. `what` names it and says why, `remedy` what to do, where that is known."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what, remedy)
        self.what, self.remedy = what, remedy

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what


class RemoteProtocolError(RingbackError):
    """The other side broke the protocol."""


class LocalProtocolError(RingbackError):
    """We broke the protocol."""
