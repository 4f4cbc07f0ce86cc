#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Long connections with traffic in both directions, and short ones beside them.

    long.py serve PORT                               answers every byte with itself, IPv4 and IPv6
    long.py hold COUNT PORT FILE ADDRESS...          COUNT connections, spread over the addresses

`hold` sends on every connection ten times a second, checks what comes back, and opens a short connection to each
address in turn fifty times a second. Each tenth of a second it writes to FILE, in one line: connections that
answered at least once, connections that broke, short requests, those that failed, and the longest silence of a connection
that went on, in milliseconds. SIGTERM ends it.
"""

import os
import selectors
import socket
import sys
import time

PAUSE = 0.1
SHORT_PAUSE = 0.02
SHORT_PATIENCE = 5.0
CHUNK = 200


def serve(port):
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024)
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ)
                continue
            try:
                data = key.fileobj.recv(65536)
                if data:
                    key.fileobj.send(data)
                    continue
            except BlockingIOError:
                continue
            except OSError:
                pass
            selector.unregister(key.fileobj)
            key.fileobj.close()


class Connection:
    def __init__(self, address, port, short):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.short = short
        self.began = self.heard = time.monotonic()
        self.next = 0.0
        self.sent = self.got = 0
        self.answered = self.broken = False
        self.silence = 0.0
        self.socket.connect_ex((address, port))

    def pattern(self, begin, length):
        return bytes((begin + i) % 251 for i in range(length))

    def send(self, now):
        if now < self.next or self.broken or (self.short and self.sent > 0):
            return
        try:
            self.sent += self.socket.send(self.pattern(self.sent, CHUNK))
            self.next = now + PAUSE
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            pass  # not connected yet, or receive() will learn why

    def receive(self, now):
        try:
            data = self.socket.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.broken = True
            return
        if not data or data != self.pattern(self.got, len(data)):
            self.broken = True
            return
        self.got += len(data)
        if self.answered:
            self.silence = max(self.silence, now - self.heard)
        self.heard = now
        self.answered = True


class Holder:
    def __init__(self, count, port, path, addresses):
        self.selector = selectors.DefaultSelector()
        self.port, self.path, self.addresses = port, path, addresses
        self.long = [self.open(addresses[i % len(addresses)], False) for i in range(count)]
        self.short = []
        self.requests = self.failed = 0
        self.next_short = self.next_report = 0.0

    def open(self, address, short):
        connection = Connection(address, self.port, short)
        self.selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def close(self, connection):
        self.selector.unregister(connection.socket)
        connection.socket.close()

    def short_turn(self, now):
        for connection in list(self.short):
            if connection.answered:
                pass
            elif connection.broken or now - connection.began > SHORT_PATIENCE:
                self.failed += 1
            else:
                connection.send(now)
                continue
            self.short.remove(connection)
            self.close(connection)
        if now >= self.next_short:
            self.next_short = now + SHORT_PAUSE
            self.requests += 1
            self.short.append(self.open(self.addresses[self.requests % len(self.addresses)], True))

    def report(self):
        answered = sum(connection.answered for connection in self.long)
        broken = sum(connection.broken for connection in self.long)
        silence = max(connection.silence for connection in self.long)
        with open(self.path + ".new", "w", encoding="ascii") as out:
            out.write(f"{answered} {broken} {self.requests} {self.failed} {int(silence * 1000)}\n")
        os.rename(self.path + ".new", self.path)

    def run(self):
        while True:
            for key, _ in self.selector.select(0.01):
                key.data.receive(time.monotonic())
                if key.data.broken and not key.data.short:
                    self.selector.unregister(key.fileobj)
            now = time.monotonic()
            for connection in self.long:
                connection.send(now)
            self.short_turn(now)
            if now >= self.next_report:
                self.next_report = now + PAUSE
                self.report()


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    Holder(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:]).run()
