"""What stands in the fields of mail logs, as all mail servers write it. Not here: which fields there are."""

from .events import LoggedClient

IP = r"[0-9A-Fa-f:.]{2,45}"
# An address between angle brackets. A local part may hold brackets only where it is quoted: that tells the
# field from what somebody would like it to be. Possessive, and bounded: no line costs more than its length.
PATH = r'(?:"(?:[^"\\]|\\.){0,256}+"|[^"<>\\]|\\.){0,512}+'


def named_client(ip: str, name: str = "", helo: str = "", login: str = "") -> LoggedClient:
    """A client whose name is compared as names are."""
    return LoggedClient(ip.lower(), name.lower().removesuffix("."), helo, login)


def bare(path: str) -> str:
    """An address without a source route, which nobody uses (RFC 5321 appendix C)."""
    return path.rpartition(":")[2] if path.startswith("@") and ":" in path else path
