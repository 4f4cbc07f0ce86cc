#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""
Connections to an HTTP server that misbehave, kept up until the process is stopped: rude_client.py HOST PORT COUNT.
In turn one says nothing, one a byte a second of an endless head, one asks for much and never reads, and one talks on
and on. Whoever is thrown out comes back. Says "all are there" once COUNT connections have been made.
"""
import socket
import sys
import time

RETURNS = 10  # connections repeated in a fifth of a second


def connect(host, port, kind):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    sock.connect_ex((host, port))
    return [sock, kind]


def misbehave(client):
    sock, kind = client
    if kind == 1:
        sock.send(b"G")
    elif kind == 2:
        sock.send(b"GET /status.json HTTP/1.1\r\n\r\n")
        client[1] = 0
    elif kind == 3:
        sock.send(b"GET / HTTP/1.1\r\nX: " + b"x" * 4000 + b"\r\n")


def main():
    host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    clients, made, told = [], 0, False
    while True:
        begin = time.monotonic()
        # All at first; then no more than a server lets in, or other clients would get no turn in the kernel's queue.
        back = made + RETURNS
        while len(clients) < count and (made < count or made < back):
            clients.append(connect(host, port, made % 4))
            made += 1
        if made >= count and not told:
            print("all are there", flush=True)
            told = True
        stay = []
        for client in clients:
            try:
                misbehave(client)
                stay.append(client)
            except BlockingIOError:
                stay.append(client)
            except OSError:
                client[0].close()
        clients = stay
        time.sleep(max(0.0, 0.2 - (time.monotonic() - begin)))


main()
