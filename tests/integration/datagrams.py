# SPDX-License-Identifier: ISC
"""Datagrams that are counted.
    datagrams.py flows ADDRESS PORT COUNT     one datagram from each of COUNT sockets
    datagrams.py send ADDRESS PORT COUNT      COUNT numbered ones from one socket, about 200 a second: fast enough to miss those of a second, slow enough for a busy machine
    datagrams.py count ADDRESS PORT COUNT     says `ready`, and `complete` when all numbers have come
"""
import socket
import sys
import time

action, address, port, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
peer = (address, port)


def paced(number, every, pause):
    if number % every == every - 1:
        time.sleep(pause)


if action == "flows":
    for number in range(count):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.sendto(b"flow", peer)
        paced(number, 20, 0.01)
elif action == "send":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for number in range(count):
            one.sendto(b"%d" % number, peer)
            paced(number, 10, 0.05)
else:
    seen = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.bind(peer)
        print("ready", flush=True)
        while len(seen) < count:
            text = one.recv(100)
            if text != b"flow":
                seen.add(int(text))
                if len(seen) % 100 == 0:
                    print(len(seen), flush=True)
    print("complete", flush=True)
