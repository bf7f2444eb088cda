"""A wire with a delay to the network of the mail exchangers. Usage: python -m bench.wire PID SECONDS

Every packet takes so long from one end to the other, one that opens a connection too; the order stays. It is
what netem does, where the kernel does not have it. Not here: addresses and routes (world.py).
"""

import asyncio
import fcntl
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from real.servers.network import visiting

from .places import HERE, THERE

MTU_BYTES = 1_500
_IPV4 = 4
_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x1, 0x1000  # linux/if_tun.h


def _open_end(name: str) -> int:
    """Make an interface in this network; what is read and written is its packets."""
    end = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return end


def _forward(source: int, target: int, delay_s: float) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def forward() -> None:
        while True:
            try:
                packet = os.read(source, MTU_BYTES)
            except BlockingIOError:
                return
            # What IPv6 says of itself when an end goes up is for nobody.
            if packet[0] >> 4 == _IPV4:
                loop.call_later(delay_s, os.write, target, packet)

    return forward


async def _serve(hosts_pid: int, delay_s: float) -> None:
    near = _open_end(HERE)
    network = os.open(f"/proc/{hosts_pid}/ns/net", os.O_RDONLY)
    with visiting(network):
        far = _open_end(THERE)
    loop = asyncio.get_running_loop()
    loop.add_reader(near, _forward(near, far, delay_s))
    loop.add_reader(far, _forward(far, near, delay_s))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await loop.create_future()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
