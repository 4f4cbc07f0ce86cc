#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Opens a connection after the other and says how long each took, in milliseconds.

    pace.py measure ADDRESS PORT SECONDS >FILE     one HTTP request for each connection; one number for each line
    pace.py compare BASELINE FILE                  status 0: no request waited for what stalls

A machine that does other work delays requests, also without any stall. A director that waits for another process delays
all requests for as long as that stalls, which is much longer. Whether it waits at all, blocked.py measures.
"""
import socket
import sys
import time

BEYOND = 500.0 # milliseconds
LIMIT = 5.0    # seconds, for one request


def request(address):
    begin = time.monotonic()
    with socket.create_connection(address, LIMIT) as talk:
        talk.sendall(b"GET / HTTP/1.0\r\n\r\n")
        if not talk.recv(100).startswith(b"HTTP/"):
            raise OSError("no answer")
    return (time.monotonic() - begin) * 1000


def measure(address, port, seconds):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        try:
            print("%.2f" % request((address, int(port))))
        except OSError as error:
            print("%.2f" % (LIMIT * 1000))
            print(error, file=sys.stderr)
        time.sleep(0.003)


def quantile(times, share):
    return times[min(len(times) - 1, int(len(times) * share))]


def read(path):
    with open(path, encoding="ascii") as lines:
        return sorted(float(line) for line in lines)


def compare(baseline, stalled):
    before, after = read(baseline), read(stalled)
    if len(before) < 20 or len(after) < 20:
        return "too few requests: %d and %d" % (len(before), len(after))
    text = "median %.1f ms, 99 of 100 within %.1f ms, longest %.1f ms; without the stall %.1f, %.1f, %.1f" % (
        quantile(after, .5), quantile(after, .99), after[-1], quantile(before, .5), quantile(before, .99), before[-1])
    print(text)
    if after[-1] > before[-1] + BEYOND:
        return "a request was delayed: " + text
    return None


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(*sys.argv[2:5])
    else:
        sys.exit(compare(*sys.argv[2:4]))
