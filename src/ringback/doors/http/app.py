"""The application: all routes behind the guard. Not here: what they do, and sockets (listener.py).

Pages for people are routers of their own, handed to `make_app`.
"""

from collections.abc import Sequence

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, ControllerRouterHandler

from ...errors import StoreError
from . import health, openapi, reacher, responses, stored, verify
from .door import HttpDoor
from .guard import Guard
from .problems import ProblemError

ROUTES = (*verify.ROUTES, *stored.ROUTES, *health.ROUTES, *reacher.ROUTES, *openapi.ROUTES)


def make_app(door: HttpDoor, pages: Sequence[ControllerRouterHandler] = ()) -> ASGIApp:
    """Make an ASGI application that answers by `door`."""

    def this_door() -> HttpDoor:
        return door

    app = Litestar(
        [*ROUTES, *pages],
        dependencies={"door": Provide(this_door, sync_to_thread=False)},
        exception_handlers={
            ProblemError: responses.of_problem,
            HTTPException: responses.of_framework,
            StoreError: responses.of_store,
            Exception: responses.of_bug,
        },
        request_max_body_size=door.limits.body_bytes,
        state=State({"door": door}),
        openapi_config=None,  # its own schema would allow more than bodies.py does
        logging_config=None,
        debug=False,
    )
    return Guard(app, door)
