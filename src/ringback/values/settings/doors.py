"""[policy], [milter], [socketmap], [http] and [bulk]: how we are reached. Not here: the doors."""

from enum import StrEnum
from typing import Annotated

from ...errors import SettingError
from ..constraints import FLAG, choice, each, optional, quote
from ..forms import DOMAIN, LISTENER, PATH, is_loopback
from ..section import Section
from .bounds import MAX_LIST_ITEMS, MAX_SERVERS


class Mode(StrEnum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


class Policy(Section, frozen=True):
    """The policy service for Postfix and Exim."""

    listen: Annotated[
        tuple[str, ...], each(LISTENER, most=MAX_SERVERS), "empty: no policy service"
    ] = ("127.0.0.1:10040",)
    mode: Annotated[Mode, choice(Mode), '"observe" decides, logs and tells the MTA nothing'] = (
        Mode.OBSERVE
    )
    own_domains: Annotated[
        tuple[str, ...],
        each(DOMAIN, most=MAX_LIST_ITEMS),
        "recipients here are ours, senders here are not called",
    ] = ()


class Milter(Section, frozen=True):
    """The milter for Postfix and Sendmail; `policy.mode` and `policy.own_domains` hold for it too."""

    listen: Annotated[tuple[str, ...], each(LISTENER, most=MAX_SERVERS), "empty: no milter"] = ()


class Socketmap(Section, frozen=True):
    """Recipients with a route as a table for Postfix, such as `relay_recipient_maps`."""

    listen: Annotated[tuple[str, ...], each(LISTENER, most=MAX_SERVERS), "empty: no socketmap"] = ()


class Http(Section, frozen=True):
    """The API and the dashboard."""

    listen: Annotated[str, optional(LISTENER, "no HTTP"), "where"] = "127.0.0.1:8025"
    tokens_file: Annotated[
        str, optional(PATH, "no tokens"), "bearer tokens, required when listening beyond loopback"
    ] = ""

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if self.listen and not self.tokens_file and not is_loopback(self.listen):
            problem = f"{quote(self.listen)} can be reached from outside, and there are no tokens"
            raise SettingError("listen", problem, "set http.tokens_file, or listen on 127.0.0.1")


class Bulk(Section, frozen=True):
    """Lists of addresses."""

    consent: Annotated[
        bool, FLAG, "whether those on your lists agreed to be on them; without it none is checked"
    ] = False
