"""POST /v0/check_email in the schema of Reacher, for those who change only a URL. Not here: the engine.

Its question is that of a sign-up form, so it is asked for `bulk`, with consent. What its schema has no
honest value for is an error in its place, as with Reacher itself.
"""

from http import HTTPStatus

from litestar import Response, post
from litestar.handlers import HTTPRouteHandler

from ...assemble import flag_lists
from ...errors import AddressError
from ...rules.flags import flags_of
from ...values.address import Address, parse_address
from ...values.evidence import Stage
from ...values.query import Flags, Purpose, Query, Report
from ...values.verdict import Reason, Verdict
from .bodies import MAX_TIMEOUT_S, AnyRequest, Door, NoQuery, ReacherAsked, read_body, read_query
from .responses import json

_NO_HOSTS = frozenset({Reason.NO_SUCH_DOMAIN, Reason.NO_MAIL_HOST, Reason.NULL_MX})
# Unknown to us, and something that Reacher has a word for.
_RISKY = frozenset({Reason.ACCEPTS_ANY, Reason.MAILBOX_FULL})


@post("/v0/check_email", status_code=HTTPStatus.OK)
async def check_email(request: AnyRequest, door: Door) -> Response[bytes]:
    """Answer one question as Reacher does, which waits for the callout to end."""
    read_query(request, NoQuery)
    asked = await read_body(request, ReacherAsked)
    patience_s = min(door.settings.smtp.callout_deadline_s, MAX_TIMEOUT_S)
    answer_by_at = door.clock.now() + patience_s
    query = Query(asked.to_email, Purpose.BULK, answer_by_at=answer_by_at)
    return json(encode(await door.ask(query, patience_s)))


ROUTES: tuple[HTTPRouteHandler, ...] = (check_email,)


def encode(report: Report) -> dict[str, object]:
    """The report as Reacher would tell it."""
    try:
        address = parse_address(report.address)
    except AddressError:
        address = None
    flags = flags_of(address, flag_lists()) if address else Flags()
    return {
        "input": report.address,
        "is_reachable": _reachable(report, flags),
        "misc": {
            "is_disposable": flags.disposable,
            "is_role_account": flags.role,
            "is_b2c": flags.free,
            "gravatar_url": None,
            "haveibeenpwned": None,
        },
        "mx": _mx(report),
        "smtp": _smtp(report),
        "syntax": _syntax(address, flags),
    }


def _reachable(report: Report, flags: Flags) -> str:
    match report.verdict:
        case Verdict.UNDELIVERABLE:
            return "invalid"
        case Verdict.DELIVERABLE:
            return "risky" if flags.disposable or flags.role else "safe"
    return "risky" if report.reason in _RISKY else "unknown"


def _mx(report: Report) -> dict[str, object]:
    hosts = dict.fromkeys(f"{said.host}." for said in report.evidence if said.host and said.ip)
    if hosts:
        return {"accepts_mail": True, "records": list(hosts)}
    if report.reason in _NO_HOSTS or report.reason is Reason.BAD_SYNTAX:
        return {"accepts_mail": False, "records": []}
    return _unknown("MxError", report)


def _smtp(report: Report) -> dict[str, object]:
    if report.verdict is Verdict.UNKNOWN and report.reason not in _RISKY:
        return _unknown("SmtpError", report)
    return {
        "can_connect_smtp": any(said.stage is Stage.RCPT for said in report.evidence),
        "has_full_inbox": report.reason is Reason.MAILBOX_FULL,
        "is_catch_all": report.reason is Reason.ACCEPTS_ANY,
        "is_deliverable": report.verdict is Verdict.DELIVERABLE
        or report.reason is Reason.ACCEPTS_ANY,
        "is_disabled": report.reason is Reason.MAILBOX_DISABLED,
    }


def _unknown(what: str, report: Report) -> dict[str, object]:
    return {"error": {"type": what, "message": f"{report.reason}: {report.rule}"}}


def _syntax(address: Address | None, flags: Flags) -> dict[str, object]:
    return {
        "address": address.key if address else None,
        "domain": address.domain if address else "",
        "is_valid_syntax": address is not None,
        "username": address.local if address else "",
        "normalized_email": address.key if address else None,
        "suggestion": flags.suggestion,
    }
