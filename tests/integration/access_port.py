#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A switch's access port, for kernels that have no 802.1Q: what comes in by ACCESS leaves by TRUNK with a tag, what comes
in by TRUNK with that tag leaves by ACCESS without it, and all else is dropped.

    access_port.py ACCESS TRUNK VLAN

The machines behind ACCESS must not leave checksums and segments to their card.
"""

import select
import socket
import struct
import sys

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8
TP_STATUS_VLAN_VALID = 1 << 4
TAG = 0x8100


def port(interface):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    opened.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    opened.bind((interface, ETH_P_ALL))
    return opened


def receive(opened):
    """A frame without its tag, and the VLAN; None when it is one that this machine sent itself."""
    frame, extra, _, (_, _, kind, _, _) = opened.recvmsg(65536, 64)
    if kind == socket.PACKET_OUTGOING:
        return None, None
    # The kernel removes the tag from the frame and reports it in struct tpacket_auxdata.
    for level, what, data in extra:
        if level == SOL_PACKET and what == PACKET_AUXDATA:
            status, tci = struct.unpack_from("I12xH", data)
            if status & TP_STATUS_VLAN_VALID:
                return frame, tci & 0xFFF
    if frame[12:14] == struct.pack("!H", TAG):
        return frame[:12] + frame[16:], struct.unpack("!H", frame[14:16])[0] & 0xFFF
    return frame, None


def main(access, trunk, vlan):
    tag = struct.pack("!HH", TAG, vlan)
    access, trunk = port(access), port(trunk)
    print("ready", flush=True)
    while True:
        for opened in select.select([access, trunk], [], [])[0]:
            frame, number = receive(opened)
            if frame is None:
                continue
            if opened is access and number is None:
                trunk.send(frame[:12] + tag + frame[12:])
            elif opened is trunk and number == vlan:
                access.send(frame)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
