#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A real server for tests of takeovers: short answers, and long transfers in both directions that verify each byte.

    pair_server.py NAME PORT

A client's first line is `short` (the answer is the name), `get` (bytes come at a steady rate) or `put` (bytes are read,
and their number is reported). Byte number n of a transfer is n % 251.
"""
import asyncio
import sys

PATTERN = bytes(n % 251 for n in range(251)) * 40
CHUNK = 500
INTERVAL = 0.1


def piece(at, length):
    return PATTERN[at % 251:at % 251 + length]


async def send_long(writer):
    at = 0
    while True:
        writer.write(piece(at, CHUNK))
        at += CHUNK
        await writer.drain()
        await asyncio.sleep(INTERVAL)


async def receive_long(reader, writer):
    at = 0
    while True:
        got = await reader.read(4096)
        if not got or got != piece(at, len(got)):
            return
        at += len(got)
        writer.write(b"%d\n" % at)
        await writer.drain()


async def serve(reader, writer):
    try:
        line = await reader.readline()
        if line == b"short\n":
            writer.write(sys.argv[1].encode() + b"\n")
            await writer.drain()
        elif line == b"get\n":
            await send_long(writer)
        elif line == b"put\n":
            await receive_long(reader, writer)
    except OSError:
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, None, int(sys.argv[2]), backlog=500)
    async with server:
        await server.serve_forever()


asyncio.run(main())
