"""The HTTP door opened: its routes and its pages, where people and programs can reach them.

Who imports this loads Litestar and uvicorn. Not here: any of the three parts (app.py, pages.py, listener.py).
"""

from ...net.bind import Socket
from .app import make_app
from .door import HttpDoor
from .listener import HttpListener, listen
from .pages import make_pages


async def open_at(door: HttpDoor, address: str, inherited: Socket | None = None) -> HttpListener:
    """Serve at "ADDRESS:PORT" or "unix:/path" until the listener is stopped. Raises UsageError.

    `inherited`: a socket that listens there already.
    """
    return await listen(address, make_app(door, [make_pages(door)]), door, inherited)
