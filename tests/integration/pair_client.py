#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Clients for tests of takeovers: long transfers in both directions, and short requests at a steady rate.

    pair_client.py REPORT LONG ADDRESS PORT [ADDRESS PORT ...]

LONG transfers are divided among the addresses, downloads and uploads in turn; one that breaks is begun again. At SIGUSR1
a line is added to REPORT, about the time since SIGUSR2:

    short=N failed=N first=MS last=MS outage=MS long=N broken=N stalled=N

first, last: when the first and the last short request that failed began, since 1970. outage: the longest time without
one that succeeded. stalled: transfers without a byte for three seconds.
At SIGTERM it ends.
"""
import asyncio
import signal
import sys
import time

PATTERN = bytes(n % 251 for n in range(251)) * 40
EVERY = 0.05     # seconds from one short request to the next, of each address
PATIENCE = 1     # of a short request: one that takes longer has failed
CHUNK = 500
STALL = 3


class Transfer:
    def __init__(self):
        self.heard = time.monotonic()
        self.broken = 0


class Figures:
    def __init__(self):
        self.short = self.failed = self.first = self.last = 0
        self.outage = 0.0


def piece(at, length):
    return PATTERN[at % 251:at % 251 + length]


async def download(reader, writer, transfer):
    at = 0
    writer.write(b"get\n")
    while True:
        got = await reader.read(4096)
        if not got or got != piece(at, len(got)):
            return
        at += len(got)
        transfer.heard = time.monotonic()


async def upload_bytes(writer):
    at = 0
    writer.write(b"put\n")
    while True:
        writer.write(piece(at, CHUNK))
        at += CHUNK
        await writer.drain()
        await asyncio.sleep(0.1)


async def upload(reader, writer, transfer):
    sending = asyncio.ensure_future(upload_bytes(writer))
    try:
        while await reader.readline():
            transfer.heard = time.monotonic()
    finally:
        sending.cancel()


async def long_transfer(address, port, kind, transfer):
    while True:
        try:
            reader, writer = await asyncio.open_connection(address, port)
            transfer.heard = time.monotonic()
            await kind(reader, writer, transfer)
            writer.close()
        except OSError:
            pass
        transfer.broken += 1
        await asyncio.sleep(0.2)


async def request(address, port):
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(b"short\n")
        return await reader.readline()
    finally:
        writer.close()


async def short_request(address, port, figures, last):
    begin, date = time.monotonic(), int(time.time() * 1000)
    figures.short += 1
    try:
        good = await asyncio.wait_for(request(address, port), PATIENCE)
    except (OSError, asyncio.TimeoutError):
        good = None
    if not good:
        figures.failed += 1
        figures.first = min(figures.first or date, date)
        figures.last = max(figures.last, date)
        return
    figures.outage = max(figures.outage, begin - last[address])
    last[address] = max(last[address], begin)


async def short_requests(address, port, figures, last):
    running = set()
    while True:
        task = asyncio.ensure_future(short_request(address, port, figures, last))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(EVERY)


def report(path, transfers, figures, last):
    now = time.monotonic()
    outage = max([figures.outage] + [now - when for when in last.values()])
    broken = sum(transfer.broken for transfer in transfers)
    stalled = sum(now - transfer.heard > STALL for transfer in transfers)
    with open(path, "a", encoding="ascii") as out:
        print(f"short={figures.short} failed={figures.failed} first={figures.first} last={figures.last} outage={outage * 1000:.0f} "
              f"long={len(transfers)} broken={broken} stalled={stalled}", file=out)


def begin_again(transfers, figures, last):
    figures.__init__()
    for transfer in transfers:
        transfer.broken = 0
    for address in last:
        last[address] = time.monotonic()


async def main():
    path, count = sys.argv[1], int(sys.argv[2])
    ends = [(sys.argv[i], int(sys.argv[i + 1])) for i in range(3, len(sys.argv), 2)]
    transfers = [Transfer() for _ in range(count)]
    figures = Figures()
    last = {address: time.monotonic() for address, _ in ends}
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, report, path, transfers, figures, last)
    loop.add_signal_handler(signal.SIGUSR2, begin_again, transfers, figures, last)
    loop.add_signal_handler(signal.SIGTERM, over.set)
    with open(path, "w", encoding="ascii"):
        pass
    tasks = [asyncio.ensure_future(long_transfer(*ends[i // 2 % len(ends)], (download, upload)[i % 2], transfer))
             for i, transfer in enumerate(transfers)]
    tasks += [asyncio.ensure_future(short_requests(*end, figures, last)) for end in ends]
    await over.wait()
    for task in tasks:
        task.cancel()


asyncio.run(main())
