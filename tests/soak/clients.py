#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients that open connections and send one request on each, until SIGTERM.

    clients.py ADDRESS PORT CLIENTS PAUSE-MILLISECONDS FAILURES

A line of FAILURES is "TIME REASON", TIME being when the request began, on the clock that date(1) shows. In the end: how many
requests there were, how many failed, and how long they took, in milliseconds.
"""
import signal
import socket
import sys
import threading
import time

PATIENCE = 20.0  # seconds: longer than TCP takes to send a lost SYN four times

stopped = threading.Event()


class Client(threading.Thread):
    def __init__(self, address, pause, failures):
        super().__init__()
        self.address, self.pause, self.failures = address, pause, failures
        self.count = self.failed = 0
        self.times = [0] * 20001  # milliseconds

    def request(self):
        with socket.create_connection(self.address, PATIENCE) as talk:
            talk.sendall(b"GET / HTTP/1.0\r\n\r\n")
            if not talk.recv(100).startswith(b"HTTP/"):
                raise OSError("closed without an answer")

    def run(self):
        while not stopped.is_set():
            begin, at = time.monotonic(), time.time()
            self.count += 1
            try:
                self.request()
            except OSError as error:
                self.failed += 1
                self.failures.write("%.3f %s\n" % (at, error))
                self.failures.flush()
            self.times[min(int((time.monotonic() - begin) * 1000), len(self.times) - 1)] += 1
            stopped.wait(self.pause)


def quantile(times, share):
    rest = sum(times) * share
    for milliseconds, count in enumerate(times):
        rest -= count
        if rest <= 0:
            return milliseconds
    return len(times) - 1


def main(address, port, count, pause, path):
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    with open(path, "a", encoding="ascii") as failures:
        clients = [Client((address, int(port)), int(pause) / 1000, failures) for _ in range(int(count))]
        for client in clients:
            client.start()
        while not stopped.is_set():
            stopped.wait(1)
        for client in clients:
            client.join()
    times = [sum(one) for one in zip(*(client.times for client in clients))]
    print("%d requests, %d failed, median %d ms, 99 of 100 within %d ms, longest %d ms" % (
        sum(client.count for client in clients), sum(client.failed for client in clients), quantile(times, .5),
        quantile(times, .99), quantile(times, 1)))


main(*sys.argv[1:6])
