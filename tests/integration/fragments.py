#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Large UDP requests in fragments, in an order that no kernel would send them in.

    fragments.py serve NAME PORT
        answers every datagram, IPv4 and IPv6, with NAME, a blank and what it got
    fragments.py ask INTERFACE DESTINATION-MAC SOURCE DESTINATION PORT ORDER COUNT
        sends COUNT requests of 4000 bytes, each from a new port; ORDER: whole (the kernel cuts), in-order, reversed,
        interleaved (two requests at a time). Prints the NAME in each answer; status 1 unless all came, unharmed.

Answers come by the kernel's own UDP, so INTERFACE must have the address SOURCE.
"""

import fcntl
import ipaddress
import select
import socket
import struct
import sys

SIZE = 4000
PIECE = 1448  # a multiple of 8 that fits into 1500 with any header
PATIENCE = 3  # seconds
UDP, IPV6_FRAGMENT = 17, 44
SIOCGIFHWADDR = 0x8927


def serve(name, port):
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)]
    sockets[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    # From the address that was asked: the VIP.
    sockets[0].setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO
    sockets[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    for each in sockets:
        each.bind(("", port))
    print("ready", flush=True)
    while True:
        for each in select.select(sockets, [], [])[0]:
            data, info, _, client = each.recvmsg(65536, 256)
            if each is sockets[0]:
                # struct in_pktinfo: the answer leaves by any interface, from the address asked.
                info = [(level, kind, bytes(4) + value[8:12] + bytes(4)) for level, kind, value in info]
            else:
                info = [(level, kind, value[:16] + bytes(4)) for level, kind, value in info]
            each.sendmsg([name.encode() + b" " + data], info, 0, client)


def ones_sum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def datagram(source, destination, sport, port, payload):
    header = struct.pack("!HHHH", sport, port, 8 + len(payload), 0)
    if source.version == 6:
        above = struct.pack("!IHBB", 8 + len(payload), 0, 0, UDP)
    else:
        above = struct.pack("!BBH", 0, UDP, 8 + len(payload))
    check = 0xFFFF - ones_sum(source.packed + destination.packed + above + header + payload)
    return header[:6] + struct.pack("!H", check or 0xFFFF) + payload


def packets(source, destination, ident, data):
    """The fragments, each with its IP header."""
    out = []
    for at in range(0, len(data), PIECE):
        piece = data[at:at + PIECE]
        more = at + PIECE < len(data)
        if source.version == 6:
            out.append(struct.pack("!IHBB", 0x60000000, 8 + len(piece), IPV6_FRAGMENT, 64) + source.packed +
                       destination.packed + struct.pack("!BBHI", UDP, 0, at | more, ident) + piece)
            continue
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(piece), ident, more << 13 | at // 8, 64, UDP, 0)
        header += source.packed + destination.packed
        out.append(header[:10] + struct.pack("!H", 0xFFFF - ones_sum(header)) + header[12:] + piece)
    return out


def in_order(requests, order):
    """All packets of some requests, in the order in which they are to be sent."""
    if order == "reversed":
        return [packet for request in requests for packet in reversed(request)]
    if order == "interleaved":
        # Two at a time: one from its beginning, the other from its end.
        out = []
        for one, two in zip(requests[::2], requests[1::2]):
            out += [packet for pair in zip(one, reversed(two)) for packet in pair]
        return out
    return [packet for request in requests for packet in request]


def ask(interface, mac, source, destination, port, order, count):
    source, destination = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    family = socket.AF_INET6 if source.version == 6 else socket.AF_INET
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.bind((interface, 0))
    own = fcntl.ioctl(wire, SIOCGIFHWADDR, struct.pack("256s", interface.encode()))[18:24]
    ether = bytes.fromhex(mac.replace(":", "")) + own + (b"\x86\xdd" if source.version == 6 else b"\x08\x00")
    asked, requests = {}, []
    # No number and no port is used twice: a host that sees a number again soon takes it for the same datagram.
    first = {"whole": 0, "in-order": 1000, "reversed": 2000, "interleaved": 3000}[order]
    for number in range(count):
        client = socket.socket(family, socket.SOCK_DGRAM)
        client.bind((str(source), 20000 + first + number))
        payload = bytes((number * 31 + i * 7 + i // 256) % 256 for i in range(SIZE))
        asked[client] = payload
        if order == "whole":
            client.sendto(payload, (str(destination), port))
            continue
        data = datagram(source, destination, client.getsockname()[1], port, payload)
        requests.append(packets(source, destination, first + number, data))
    for packet in in_order(requests, order):
        wire.send(ether + packet)
    while asked:
        ready = select.select(list(asked), [], [], PATIENCE)[0]
        if not ready:
            sys.exit("fragments.py: %d of %d requests have no answer" % (len(asked), count))
        for client in ready:
            answer, server = client.recvfrom(65536)
            name, _, payload = answer.partition(b" ")
            if payload != asked.pop(client) or ipaddress.ip_address(server[0]) != destination:
                sys.exit("fragments.py: an answer from %s is not what was asked" % server[0])
            print(name.decode())


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        ask(*sys.argv[2:6], int(sys.argv[6]), sys.argv[7], int(sys.argv[8]))
