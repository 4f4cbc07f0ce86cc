#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A switch's port to a machine far away, for kernels that have no netem: what comes in by HOST leaves by LAN some time
later, what comes in by LAN leaves by HOST at once.

    slow_port.py HOST LAN MILLISECONDS

The machine behind HOST must not leave checksums and segments to its card.
"""

import collections
import select
import socket
import sys
import time

ETH_P_ALL = 3


def port(interface):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    opened.bind((interface, ETH_P_ALL))
    return opened


def main(host, lan, delay):
    host, lan = port(host), port(lan)
    under_way = collections.deque()
    print("ready", flush=True)
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for opened in select.select([host, lan], [], [], wait)[0]:
            frame, (_, _, kind, _, _) = opened.recvfrom(65536)
            if kind == socket.PACKET_OUTGOING:
                continue
            if opened is host:
                under_way.append((time.monotonic() + delay, frame))
            else:
                host.send(frame)
        while under_way and under_way[0][0] <= time.monotonic():
            lan.send(under_way.popleft()[1])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]) / 1000)
