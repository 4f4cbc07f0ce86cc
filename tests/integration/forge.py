#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sends what a hostile host of the segment could send, as fast as it can, until it is stopped.

    forge.py neighbor INTERFACE OWN-MAC DIRECTOR-MAC ADDRESS ...
    forge.py vip INTERFACE OWN-MAC DIRECTOR-MAC DIRECTOR-ADDRESS VIP SERVER-ADDRESS PORT

`neighbor` claims the addresses: ARP requests and replies, neighbor solicitations, neighbor advertisements with and without
Override, also for other MAC addresses and in another VLAN. `vip` answers VIP checks that it has not seen: on each port that a probe may come from.
It writes `ready`, and how many frames it has sent at the end.
"""

import ipaddress
import random
import signal
import socket
import struct
import sys

TAG_FIRST, TAGS = 61000, 4096  # src/vipcheck/vipcheck.h
BROADCAST = b"\xff" * 6


def ip(text):
    return ipaddress.ip_address(text).packed


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, destination, protocol, body, at=None, hop_limit=64):
    """An IP packet; `at` is where the body's checksum belongs."""
    if at is not None:
        pseudo = b""
        if protocol != 1:
            pseudo = source + destination + struct.pack("!II", len(body), protocol)
        body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]
    if len(source) == 16:
        return struct.pack("!IHBB", 6 << 28, len(body), protocol, hop_limit) + source + destination + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, hop_limit, protocol, 0) + source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def ether(destination, source, data, kind=None, vlan=None):
    if kind is None:
        kind = 0x86DD if data[0] >> 4 == 6 else 0x0800
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    return destination + source + tag + struct.pack("!H", kind) + data


def claims(own, director, address):
    """As itself, as the director, as a group of others, in VLAN 666."""
    frames = []
    if len(address) == 4:
        for operation, destination in ((1, BROADCAST), (2, director)):
            body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + own + address + b"\0" * 6 + address
            frames.append(ether(destination, own, body, 0x0806))
            frames.append(ether(destination, own, body, 0x0806, 666))
        probe = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + own + b"\0" * 10 + address
        frames.append(ether(BROADCAST, own, probe, 0x0806))
        return frames
    everyone = ip("ff02::1")
    for flags in (0x20000000, 0, 0x60000000):
        for target in (own, director, bytes([2, 0, 0, 0, 6, random.randrange(256)])):
            body = struct.pack("!BBHI", 136, 0, 0, flags & ~0x40000000) + address + b"\2\1" + target
            frames.append(ether(mac("33:33:00:00:00:01"), own, packet(address, everyone, 58, body, 2, 255)))
    vip = address[:-1] + b"\x10"  # VIP6 of net.sh: the director reads what asks for it
    group = ip("ff02::1:ff00:0")[:-3] + vip[-3:]
    for source in (own, director, bytes([2, 0, 0, 0, 7, random.randrange(256)])):
        for target, destination, to in ((vip, vip, director), (vip, group, b"\x33\x33" + group[-4:]), (address, group, director)):
            body = struct.pack("!BBHI", 135, 0, 0, 0) + target + b"\1\1" + source
            frames.append(ether(to, own, packet(address, destination, 58, body, 2, 255)))
    return frames


def answers(own, director, source, vip, server, port):
    """To each port once: SYN-ACKs, resets, datagrams, ICMP errors that quote a probe, probes that come back, pings."""
    icmp, echo_reply, unreachable = (58, 129, (1, 4)) if len(vip) == 16 else (1, 0, (3, 3))
    frames = []
    for tag in range(TAG_FIRST, TAG_FIRST + TAGS):
        number = random.getrandbits(32)
        for flags in (0x12, 0x14):
            body = struct.pack("!HHIIBBHHH", port, tag, 1, number, 0x50, flags, 65000, 0, 0)
            frames.append(ether(director, own, packet(vip, source, 6, body, 16)))
        body = struct.pack("!HHHH", port, tag, 12, 0) + b"data"
        frames.append(ether(director, own, packet(vip, source, 17, body, 6)))
        for protocol in (6, 17):
            probe = packet(source, vip, protocol, struct.pack("!HHII", tag, port, number, 0))
            for sender in (vip, server):
                body = struct.pack("!BBHI", *unreachable, 0, 0) + probe
                frames.append(ether(director, own, packet(sender, source, icmp, body, 2)))
        body = struct.pack("!HHIIBBHHH", tag, port, number, 0, 0x50, 2, 65000, 0, 0)
        frames.append(ether(director, own, packet(source, vip, 6, body, 16, 63)))
        body = struct.pack("!BBHHH", echo_reply, 0, 0, tag, random.getrandbits(16)) + b"dsrd VIP check\0\0" + b"\0" * 8
        frames.append(ether(director, own, packet(vip, source, icmp, body, 2)))
    random.shuffle(frames)
    return frames


def main():
    what, interface, own, director = sys.argv[1:5]
    own, director = mac(own), mac(director)
    if what == "neighbor":
        frames = [frame for address in sys.argv[5:] for frame in claims(own, director, ip(address))]
    else:
        frames = answers(own, director, *(ip(text) for text in sys.argv[5:8]), int(sys.argv[8]))
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind((interface, 0))
    running = [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    print("ready", flush=True)
    sent = 0
    while running:
        for frame in frames[:1000] if sent == 0 else frames:
            try:
                out.send(frame)
                sent += 1
            except OSError:  # the queue is full
                pass
            if not running:
                break
    print("sent=%d" % sent, flush=True)


main()
