#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""
Holds as many connections as it can, until it is stopped: hold.py PATH COUNT for a Unix socket, as user 65534 in the
group of that socket, and sends nothing; hold.py ADDRESS PORT COUNT, each of which asks for /status.json and does not read. It keeps each connection that it gets and
makes another for each that is refused or closed. Says "holding" after COUNT attempts.
"""
import os
import socket
import sys
import time


def connect(arguments):
    if len(arguments) == 2:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(0.2)
        sock.connect(arguments[0])
        return sock
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2304)
    sock.settimeout(2)
    sock.connect((arguments[0], int(arguments[1])))
    sock.sendall(b"GET /status.json HTTP/1.1\r\n\r\n")
    return sock


def is_held(sock):
    try:
        said = sock.recv(12, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return said not in (b"", b"HTTP/1.1 503")


def main():
    arguments, count, held, made = sys.argv[1:], int(sys.argv[-1]), [], 0
    if len(arguments) == 2:
        os.setgroups([])
        os.setgid(os.stat(arguments[0]).st_gid)
        os.setuid(65534)
    while True:
        try:
            sock = connect(arguments)
            sock.setblocking(False)
            held.append(sock)
        except OSError:
            pass
        made += 1
        if made == count:
            print("holding", flush=True)
        held = [sock for sock in held if is_held(sock)]
        time.sleep(0.005)


main()
