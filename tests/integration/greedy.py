# SPDX-License-Identifier: ISC
"""Greedy clients of the control socket: greedy.py SOCKET. More than are served at a time; each asks for the
largest answer there is, and a third of them reads nothing, a third reads slowly, and a third never ends its request. Whom
the director drops comes again. Says `greedy N` when N answers have begun."""
import selectors
import socket
import sys
import time

REQUEST = b"GET /show/connections?format=json&arg=limit%3D1000 HTTP/1.1\r\n"
selector = selectors.DefaultSelector()
answers = 0


def connect(kind):
    one = socket.socket(socket.AF_UNIX)
    one.setblocking(False)
    try:
        one.connect(sys.argv[1])
        one.send(REQUEST + (b"" if kind == "half" else b"\r\n"))
    except OSError:
        pass
    selector.register(one, selectors.EVENT_READ, kind)


def served(one, kind):
    """Reads a little; False at the end of the stream."""
    global answers
    try:
        if kind == "deaf":
            # Looks, and takes nothing.
            begun, left = one.recv(1, socket.MSG_PEEK), True
        else:
            begun = left = one.recv(200)
    except BlockingIOError:
        return True
    except OSError:
        return False
    if begun:
        answers += 1
        if answers % 10 == 0:
            print("greedy", answers, flush=True)
    return bool(begun) and bool(left)


for number in range(24):
    connect(("deaf", "slow", "half")[number % 3])
while True:
    for key, _ in selector.select():
        if not served(key.fileobj, key.data):
            selector.unregister(key.fileobj)
            key.fileobj.close()
            connect(key.data)
    time.sleep(0.02)
