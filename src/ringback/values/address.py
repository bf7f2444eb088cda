"""E-mail addresses: parsed, and the two keys they are remembered under. Not here: whether one exists.

Grammar: RFC 5321 section 4.1.2, RFC 6531 section 3.3 beyond ASCII. One leniency: an underscore in a
domain, which RFC 5321 forbids, the DNS allows and real machines send from.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module

from ..errors import AddressError

# RFC 5321 section 4.5.3.1 names 64 octets for a local part and 254 for an address, and asks to impose no
# limits where one can: VERP and SRS senders are longer, and mail servers take them. This fits a command.
MAX_ADDRESS_OCTETS = 480
MAX_DOMAIN_OCTETS = 255
# A question is read as an address by everyone who has a part in its answer.
MAX_REMEMBERED = 1_024
# Of a local part, this much is looked at for tags; what their patterns cost grows with its cube.
_FOLDED_CHARS = 64
MAX_LABEL_OCTETS = 63  # RFC 1035 section 2.3.4

# All but controls, spaces and specials, which leaves atext and whatever is beyond ASCII: said so, it compiles
# in a twentieth of the time that the ranges themselves take.
_ATOM = r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+"
_DOT_STRING = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_UNQUOTED = re.compile(rf"{_DOT_STRING.pattern}@[^@]*[^@.]")
_QUOTED_STRING = re.compile(r'"(?:[^\x00-\x1f\x7f"\\]|\\[ -~])*"')
_DOMAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_LITERAL = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]", re.IGNORECASE)

# What mailing systems write around an address, so that folded keys join what belongs together:
# BATV (prvs=tag=user), SRS (SRS0=hash=tt=domain=user), and VERP (list+user=domain, list-bounces-123).
_BATV = re.compile(r"(?:prvs|btv1|msprvs1)=+[^=]*=+(.+)", re.IGNORECASE)
_SRS = re.compile(r"(srs[01])[=+-].*", re.IGNORECASE | re.DOTALL)
_VERP = re.compile(r"([^+=]+?)[+-](?:[^+]*=[^+]*|[0-9a-f]*[0-9][0-9a-f]*(?:[-_.][0-9a-f]+)*)", re.I)
_TAGGED = re.compile(r"([^+]+)\+.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox. `local` as received, quotes included; `domain` as lower-case A-labels or a literal."""

    local: str
    domain: str
    # What a verdict is kept under: exact, since hosts may tell "Ok" from "ok".
    key: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # One text for all who have a part in its answer, who ask for it some twenty times.
        object.__setattr__(self, "key", f"{self.local}@{self.domain}")

    @property
    def folded_key(self) -> str:
        """What budgets and limits on growth count under: tags of BATV, SRS and VERP taken off.

        Never a key for verdicts: through a forged tag, a refusal would condemn an honest address.
        """
        return f"{_fold(self.local)}@{self.domain}"

    @property
    def literal_ip(self) -> str | None:
        """The IP address of a domain written as an address literal (RFC 5321 section 4.1.3)."""
        found = self.domain[:1] == "[" and _LITERAL.fullmatch(self.domain)
        return found[1] if found else None

    def __str__(self) -> str:
        return self.key


@lru_cache(MAX_REMEMBERED)
def parse_address(text: str) -> Address:
    """Read an address without angle brackets. Raises AddressError, which says what is impossible."""
    if len(text) > MAX_ADDRESS_OCTETS:  # before anything whose cost grows with it
        raise AddressError(f"longer than {MAX_ADDRESS_OCTETS} octets")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise AddressError("no local part and domain around an @")
    address = Address(_parse_local(local), parse_domain(domain))
    if len(address.key.encode("utf-8")) > MAX_ADDRESS_OCTETS:
        raise AddressError(f"longer than {MAX_ADDRESS_OCTETS} octets")
    return address


def external_form(path: str) -> str:
    """Write an address as SMTP does, whose local part may have lost its quotes on the way.

    Postfix hands `"john doe"@shop.example` over as `john doe@shop.example`, the form it keeps inside, and
    quotes it again on the wire. What is no address even so stays what it is.
    """
    if _UNQUOTED.fullmatch(path):  # as nearly always
        return path
    local, at, domain = path.rpartition("@")
    if not local or _DOT_STRING.fullmatch(local) or _QUOTED_STRING.fullmatch(local):
        return f"{local}{at}{domain.removesuffix('.')}"
    quoted = local.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}"@{domain.removesuffix(".")}'


def _parse_local(local: str) -> str:
    form = _QUOTED_STRING if local.startswith('"') else _DOT_STRING
    if not form.fullmatch(local) or not local.isprintable():
        raise AddressError("the local part is neither a dot-string nor a quoted string")
    return local


def parse_domain(domain: str) -> str:
    """Return `domain` as lower-case A-labels, or an address literal. Raises AddressError."""
    if domain.startswith("["):
        return _parse_literal(domain)
    if len(domain) > MAX_DOMAIN_OCTETS:  # before anything whose cost grows with it
        raise AddressError(f"domain longer than {MAX_DOMAIN_OCTETS} octets")
    ascii_domain = domain.lower() if domain.isascii() else _a_labels(domain)
    if not _DOMAIN.fullmatch(ascii_domain):
        raise AddressError("the domain is not a sequence of labels")
    if any(len(label) > MAX_LABEL_OCTETS for label in ascii_domain.split(".")):
        raise AddressError(f"a label of the domain is longer than {MAX_LABEL_OCTETS} octets")
    return ascii_domain


def _a_labels(domain: str) -> str:
    try:  # which also refuses what is longer as A-labels than a domain may be
        # Its tables take as long to load as all the rest of a short command.
        encoded: bytes = import_module("idna").encode(domain, uts46=True)
        return encoded.decode("ascii").lower()
    except UnicodeError:  # which IDNAError is
        raise AddressError("the domain is not valid under IDNA 2008") from None


def _parse_literal(domain: str) -> str:
    found = _LITERAL.fullmatch(domain)
    try:
        address = ipaddress.ip_address(found[1] if found else "")
    except ValueError:
        raise AddressError("not an address literal") from None
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _fold(local: str) -> str:
    bare = local.strip('"').lower()[:_FOLDED_CHARS]
    if found := _BATV.fullmatch(bare):
        bare = found[1]
    if found := _SRS.fullmatch(bare):
        return found[1]  # whoever it forwards for: one rewriting host, one key
    for tagged in (_VERP, _TAGGED):
        if found := tagged.fullmatch(bare):
            return found[1]
    return bare
