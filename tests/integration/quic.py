# SPDX-License-Identifier: ISC
"""QUIC's packet headers without its cryptography: connections of which a server answers only those it knows.

    quic.py server ADDRESS PORT ID NAME         connection IDs of configuration 0 with the server's ID, in hexadecimal
    quic.py client ADDRESS PORT COUNT FIRST FROM...
                                                COUNT connections from the first address, each of which then changes
                                                its port, and goes to each further address; says how many survived it.
                                                Their ports are FIRST and those behind it, each used once.
"""
import itertools
import os
import socket
import struct
import sys

VERSION = struct.pack("!I", 1)
INITIAL, HANDSHAKE, SHORT = 0xC0, 0xE0, 0x40
NONCE = 8
CLIENT_ID = 8


def long_header(first, destination, source):
    return bytes([first]) + VERSION + bytes([len(destination)]) + destination + bytes([len(source)]) + source


def read_long(data):
    """The two connection IDs of a long header (RFC 8999 section 5.1), and what is behind them."""
    end = 6 + data[5]
    return data[6:end], data[end + 1:end + 1 + data[end]], data[end + 1 + data[end]:]


def serve(address, port, server_id, name):
    known = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, port))
        print("ready", flush=True)
        while True:
            data, peer = sock.recvfrom(2000)
            if data and data[0] & 0xF0 == INITIAL:
                _, client, _ = read_long(data)
                own = bytes([os.urandom(1)[0] & 0x1F]) + server_id + os.urandom(NONCE)
                known[own] = client
                sock.sendto(long_header(HANDSHAKE, client, own) + name, peer)
                continue
            if data and data[0] & 0x80:
                own = read_long(data)[0]
            else:
                own = data[1:2 + len(server_id) + NONCE]
            # What a server does not know gets a reset, as its stateless reset would be (RFC 9000 section 10.3).
            answer = name if own in known else b"reset"
            sock.sendto(bytes([SHORT]) + known.get(own, bytes(CLIENT_ID)) + answer, peer)


def ask(sock, peer, data):
    for _ in range(5):
        sock.sendto(data, peer)
        try:
            return sock.recv(2000)
        except TimeoutError:
            pass
    return bytes(1 + CLIENT_ID) + b"silence"


def client_socket(address, ports):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1)
    sock.bind((address, next(ports)))
    return sock


def survives(address, ports, peer, own, name):
    with client_socket(address, ports) as sock:
        return all(ask(sock, peer, bytes([SHORT]) + own + b"data")[1 + CLIENT_ID:] == name for _ in range(2))


def connect(peer, ports, addresses):
    """Whether it survives the handshake and each change, and with which server it was."""
    with client_socket(addresses[0], ports) as sock:
        client = os.urandom(CLIENT_ID)
        _, own, name = read_long(ask(sock, peer, long_header(INITIAL, os.urandom(8), client) + bytes(1200)))
        stays = ask(sock, peer, long_header(HANDSHAKE, own, client) + b"finished")[1 + CLIENT_ID:] == name
        return name, [stays] + [survives(address, ports, peer, own, name) for address in addresses]


def main(action, address, port, *rest):
    if action == "server":
        serve(address, int(port), bytes.fromhex(rest[0]), rest[1].encode())
        return
    count, ports, addresses = int(rest[0]), itertools.count(int(rest[1])), rest[2:]
    names, survived = set(), [0] * (1 + len(addresses))
    for _ in range(count):
        name, each = connect((address, int(port)), ports, addresses)
        names.add(name)
        survived = [before + good for before, good in zip(survived, each)]
    print("servers=%d %s" % (len(names), " ".join(
        "%s=%d" % pair for pair in zip(("handshake", "port") + addresses[1:], survived))))


main(*sys.argv[1:])
