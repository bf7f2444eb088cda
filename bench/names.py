"""The DNS of the benchmarks: answers made of a few octets, at once. Usage: python -m bench.names

`KN.test` has the MX `mx.KN.test`, which has the address that places.py gives it; names under those do not
exist, and the canary of Ringback's defaults does. Not here: TCP, caches, anything a name server needs.
"""

import asyncio
import re
import struct
import sys
from functools import lru_cache
from typing import cast

import uvloop

from .places import NAMESERVER, address_of_host

DNS_PORT = 53
TTL_S = 3_600

_A, _SOA, _MX = 1, 6, 15
_QUESTION_AT = 12
_RESPONSE = 0x8580  # a response, authoritative, recursion wanted and there
_NXDOMAIN = 3
_OWNER = b"\xc0\x0c"  # a pointer to the name in the question
_CANARY = "example.com"
_RESIDENT = re.compile(r"(?P<host>mx\.)?(?P<kind>[dwsxabfc])(?P<number>\d{1,6})\.test")
_MEMORY = 100_000


class Names(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        end = data.index(0, _QUESTION_AT) + 5
        self._transport.sendto(data[:2] + _respond(data[_QUESTION_AT:end]), addr)


@lru_cache(_MEMORY)
def _respond(question: bytes) -> bytes:
    """A response but for its id."""
    name, kind = _read(question)
    rcode, answer = _look_up(name, kind)
    authority = b"" if answer else _record(_SOA, b"\x00\x00" + struct.pack("!5I", 1, *[TTL_S] * 4))
    counts = (1, 1 if answer else 0, 0 if answer else 1, 0)
    return struct.pack("!H4H", _RESPONSE | rcode, *counts) + question + answer + authority


def _read(question: bytes) -> tuple[str, int]:
    labels, at = [], 0
    while length := question[at]:
        labels.append(question[at + 1 : at + 1 + length].decode("latin-1").lower())
        at += 1 + length
    return ".".join(labels), int.from_bytes(question[at + 1 : at + 3], "big")


def _look_up(name: str, kind: int) -> tuple[int, bytes]:
    """The response code, and the answer's record if there is one."""
    if name == _CANARY:
        return 0, _record(_A, bytes((192, 0, 2, 80))) if kind == _A else b""
    found = _RESIDENT.fullmatch(name)
    if found is None:
        return _NXDOMAIN, b""
    if found["host"] is None and kind == _MX:
        return 0, _record(_MX, b"\x00\x0a\x02mx" + _OWNER)
    if found["host"] and kind == _A:
        return 0, _record(_A, bytes(address_of_host(found["kind"], int(found["number"]))))
    return 0, b""


def _record(kind: int, rdata: bytes) -> bytes:
    return _OWNER + struct.pack("!HHIH", kind, 1, TTL_S, len(rdata)) + rdata


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Names, local_addr=(NAMESERVER, DNS_PORT))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.create_future()


if __name__ == "__main__":
    uvloop.run(_serve())
