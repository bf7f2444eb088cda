"""Questions and their reports: POST /v1/verify and GET /v1/reports/{id}. Not here: the engine."""

from http import HTTPStatus
from ipaddress import ip_address

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from ...assemble import flag_lists
from ...values.query import Client, Purpose, Query, Report
from ...values.verdict import Reason
from ..reports import encode_report
from .bodies import AnyRequest, Asked, AskedClient, Door, NoQuery, read_body, read_query, read_tail
from .problems import ProblemError
from .responses import json

REPORTS = "/v1/reports/"


@post("/v1/verify", status_code=HTTPStatus.OK)
async def verify(request: AnyRequest, door: Door) -> Response[bytes]:
    """Answer one question; 202 where its conclusion is yet to come."""
    read_query(request, NoQuery)
    asked = await read_body(request, Asked)
    patience_s = door.settings.smtp.answer_within_s if asked.timeout_s is None else asked.timeout_s
    query = Query(
        address=asked.address,
        purpose=Purpose(asked.purpose),
        client=_client(asked.client),
        recipient=asked.recipient,
        sender=asked.sender,
        answer_by_at=door.clock.now() + patience_s,
        fresh=asked.fresh,
    )
    report = await door.ask(query, patience_s)
    if report.reason is not Reason.DEADLINE:
        return _encode(report)
    name = door.follow_ups.follow_nowait(
        query, report, door.ask_again, door.verifier.concluded_nowait
    )
    return _encode(report, REPORTS + name)


@get("/v1/reports/{name:str}")
async def report_by_id(request: AnyRequest, door: Door) -> Response[bytes]:
    """What has become of a question that was answered provisionally."""
    read_query(request, NoQuery)
    name = read_tail(request, REPORTS)
    report = door.follow_ups.find(name)
    if report is None:
        why = "there is no such report, or it is no longer kept: ask again with POST /v1/verify"
        raise ProblemError(HTTPStatus.NOT_FOUND, why)
    return _encode(report, REPORTS + name if report.reason is Reason.DEADLINE else "")


ROUTES: tuple[HTTPRouteHandler, ...] = (verify, report_by_id)


def _encode(report: Report, location: str = "") -> Response[bytes]:
    """A report; with the place where its conclusion will be, a provisional one."""
    headers = {"location": location, "retry-after": "5"} if location else {}
    status = HTTPStatus.ACCEPTED if location else HTTPStatus.OK
    return json(encode_report(report, flag_lists()), status, headers)


def _client(asked: AskedClient | None) -> Client | None:
    if asked is None:
        return None
    try:
        address = str(ip_address(asked.address))
    except ValueError:
        why = "client.address is not an IP address"
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, why) from None
    return Client(address, asked.name, asked.helo, asked.authenticated)
