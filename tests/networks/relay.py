"""A slow stretch of the network: `python relay.py DEVICE SECONDS` makes a TUN device and gives back each packet so much later.

It says `ready` once the device is there, and at the end of its standard input hands on what it still holds.
"""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import time
from collections import deque

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_LARGEST_BYTES = 65535


def main() -> None:
    device, seconds = sys.argv[1], float(sys.argv[2])
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH", device.encode(), _IFF_TUN | _IFF_NO_PI))
    print("ready", flush=True)
    held: deque[tuple[float, bytes]] = deque()
    is_wanted = True
    while is_wanted or held:
        wait = max(0.0, held[0][0] - time.monotonic()) if held else None
        readable, _, _ = select.select([tun, sys.stdin] if is_wanted else [tun], [], [], wait)
        if tun in readable:
            held.append((time.monotonic() + seconds, os.read(tun, _LARGEST_BYTES)))
        is_wanted = is_wanted and sys.stdin not in readable
        while held and held[0][0] <= time.monotonic():
            os.write(tun, held.popleft()[1])


if __name__ == "__main__":
    main()
