#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes the golden cases: what comes in, and what must come out.

    make.py [DIRECTORY]          (re)writes all cases, default: beside this file
    make.py --check [DIRECTORY]  says which files differ from what it would write; status 1 if any does

Each case is a directory with dsrd.conf, in.pcap, and what `dsrd -f dsrd.conf -r in.pcap -w out.pcap` must give:
out.pcap, decisions (standard output), summary (standard error, without times). run.sh compares.

Nothing here asks dsrd, or shares a line with it: expectations are written by hand, frame by frame, checksums and
segments are computed by this file. Whoever changes dsrd's output changes the expectation here first, then runs this.
"""

import os
import struct
import sys

# --- frames --------------------------------------------------------------------------------------------------------


def mac(last):
    return bytes([2, 0, 0, 0, 0, last])


def ip(text):
    return bytes(int(part) for part in text.split("."))


def dotted(address):
    return ".".join(str(byte) for byte in address)


def colons(address):
    return ":".join("%02x" % byte for byte in address)


BROADCAST = b"\xff" * 6
NO_MAC = bytes(6)
DIRECTOR = mac(0x01)
ROUTER = mac(0xFE)
A, B, C = mac(0x0A), mac(0x0B), mac(0x0C)
DIRECTOR_IP = "192.0.2.1"
VIP = "192.0.2.10"
ROUTER_IP = "192.0.2.254"
A_IP, B_IP, C_IP = "192.0.2.11", "192.0.2.12", "192.0.2.13"
CLIENT = "198.51.100.7"

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
TCP, UDP, ICMP = 6, 17, 1


class Frame:
    """Bytes, and what the line of a decision says of them."""

    def __init__(self, data, flow="", wire=None):
        self.data = data
        self.flow = flow
        self.wire = len(data) if wire is None else wire

    def cut(self, length):
        """What a capture with a small snapshot length leaves."""
        flow = " from=%s to=%s" % (dotted(self.data[26:30]), dotted(self.data[30:34])) if length >= 34 else ""
        return Frame(self.data[:length], flow, len(self.data))

    def padded(self, length):
        return Frame(self.data + bytes(max(0, length - len(self.data))), self.flow)

    def ether(self, destination=None, source=None):
        """The same frame between other hosts."""
        return Frame((destination or self.data[:6]) + (source or self.data[6:12]) + self.data[12:], self.flow)

    def patched(self, offset, patch):
        """A frame that is wrong from `offset` on: only its addresses are told."""
        flow = " from=%s to=%s" % (dotted(self.data[26:30]), dotted(self.data[30:34]))
        return Frame(self.data[:offset] + patch + self.data[offset + len(patch):], flow)


def ones_sum(data):
    """RFC 1071, folded."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ipv4(protocol, payload, source, destination, flow=None, fragment=0, ident=1, options=b"", ttl=63):
    length = 20 + len(options)
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | length // 4, 0, length + len(payload), ident, fragment, ttl, protocol,
                         0, ip(source), ip(destination)) + options
    header = header[:10] + struct.pack("!H", 0xFFFF - ones_sum(header)) + header[12:]
    if flow is None:
        flow = " protocol=%d from=%s to=%s" % (protocol, source, destination)
    return Frame(DIRECTOR + ROUTER + b"\x08\x00" + header + payload, flow)


def pseudo(protocol, source, destination, length):
    return ip(source) + ip(destination) + struct.pack("!BBH", 0, protocol, length)


def ports_flow(name, source, sport, destination, dport):
    return " protocol=%s from=%s:%d to=%s:%d" % (name, source, sport, destination, dport)


def tcp(sport, flags, payload=b"", dport=80, source=CLIENT, destination=VIP, seq=1000, ack=0, options=b"", urgent=0,
        check=None, **more):
    """`check`: None for the right checksum, "partial" for the pseudo-header's sum, or a number."""
    header = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50 + len(options) * 4, flags, 1024, 0, urgent)
    header += options
    above = pseudo(TCP, source, destination, len(header) + len(payload))
    if check is None:
        check = 0xFFFF - ones_sum(above + header + payload)
    elif check == "partial":
        check = ones_sum(above)
    segment = header[:16] + struct.pack("!H", check) + header[18:] + payload
    return ipv4(TCP, segment, source, destination, ports_flow("tcp", source, sport, destination, dport), **more)


def udp(sport, payload=b"", dport=53, source=CLIENT, destination=VIP, check=None, **more):
    header = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    above = pseudo(UDP, source, destination, 8 + len(payload))
    if check is None:
        check = (0xFFFF - ones_sum(above + header + payload)) or 0xFFFF
    elif check == "partial":
        check = ones_sum(above)
    return ipv4(UDP, header[:6] + struct.pack("!H", check) + payload, source, destination,
                ports_flow("udp", source, sport, destination, dport), **more)


def arp(operation, sender_mac, sender, target, target_mac=NO_MAC, destination=BROADCAST, source=None):
    body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + sender_mac + ip(sender) + target_mac + ip(target)
    return Frame(destination + (source or sender_mac) + b"\x08\x06" + body)


def who_has(sender_mac, sender, target, **more):
    return arp(1, sender_mac, sender, target, **more)


def is_at(sender_mac, sender, target_mac, target, **more):
    more.setdefault("destination", target_mac)
    return arp(2, sender_mac, sender, target, target_mac, **more)


def pattern(length):
    return bytes((i * 7 + i // 256) % 256 for i in range(length))


# --- cases ---------------------------------------------------------------------------------------------------------

MILLISECOND = 1000
SECOND = 1000 * MILLISECOND
BEGIN = 1700000000 * SECOND

# In the order of the summary.
COUNTERS = (
    ("frames", "frames seen"),
    ("passed", "frames that are not for a VIP: left to the host"),
    ("consumed", "ARP frames taken note of or answered"),
    ("forwarded", "frames sent on to a real server"),
    ("arp_answers", "ARP answers given for VIPs"),
    ("neighbour_requests", "ARP requests sent for real servers"),
    ("checksums_finished", "unfinished TCP or UDP checksums put right"),
    ("frames_split", "super-frames split into segments"),
    ("segments", "segments they were split into"),
)

REASONS = (
    ("truncated", "the frame is shorter than its headers say, or the capture cut it"),
    ("malformed", "header fields contradict each other"),
    ("unsupported", "an IP protocol that no service can have"),
    ("fragment", "an IP fragment: it does not say which flow it belongs to"),
    ("loop", "the director's own frame came back"),
    ("bounce", "a real server sent the VIP's frame back: it forwards, and lacks the VIP"),
    ("no-service", "no service listens on this port of the VIP"),
    ("no-server", "the service has no server that takes new connections"),
    ("no-neighbour", "the flow's server has no known MAC address"),
    ("table-full", "the flow table is full: raise `connections`"),
    ("too-big", "larger than the outgoing interface's MTU, and cannot be split"),
)

CASES = []


class Case:
    """One scene. The methods take one frame each, in the order in which they come in, and say what must become of it.

    No two frames come at the same time.
    """

    def __init__(self, name, why, services, servers, dsrd=""):
        self.conf = "; %s\n[dsrd]\nmac = %s\naddress = %s/24\n%s%s" % (
            why, colons(DIRECTOR), DIRECTOR_IP, dsrd, services)
        self.name = name
        self.macs = {server: address for server, address in servers}
        self.packets = {server: 0 for server in self.macs}
        self.bytes = {server: 0 for server in self.macs}
        self.connections = {server: 0 for server in self.macs}
        self.now = BEGIN
        self.input = []
        self.output = []
        self.decisions = []
        self.events = []
        self.count = {}
        CASES.append(self)

    def wait(self, microseconds):
        self.now += microseconds

    def take(self, frame, verdict, rest=""):
        self.now += MILLISECOND
        self.input.append((self.now, frame))
        self.add("frames")
        self.decisions.append("frame=%d verdict=%s%s%s\n" % (len(self.input), verdict, frame.flow, rest))

    def add(self, counter, number=1):
        self.count[counter] = self.count.get(counter, 0) + number

    def asks(self, *targets):
        """Before the next frame is looked at, the director asks who has these addresses, or one of them by unicast."""
        for target in targets:
            destination = BROADCAST
            if isinstance(target, tuple):
                target, destination = target
            self.add("neighbour_requests")
            request = who_has(DIRECTOR, DIRECTOR_IP, target, destination=destination)
            self.output.append((self.now + MILLISECOND, request.data))

    def log(self, line):
        self.events.append(line + "\n")

    def forward(self, frame, server, state, new, sent=None):
        """`sent` are the frames as they would come from the client, when not just the frame itself is to be sent on."""
        self.take(frame, "forward", " server=%s state=%s new=%s" % (server, state, "yes" if new else "no"))
        for data in [frame.data] if sent is None else sent:
            self.output.append((self.now, self.macs[server] + DIRECTOR + data[12:]))
        self.add("forwarded")
        self.packets[server] += 1
        self.bytes[server] += len(frame.data)
        self.connections[server] += new

    def drop(self, frame, reason, server=None, state=None, new=None):
        server_text = ""
        if server is not None:
            server_text = " server=%s state=%s new=%s" % (server, state, "yes" if new else "no")
            self.connections[server] += new
        # The reason stands before the flow.
        self.take(frame, "drop reason=%s" % reason, server_text)
        self.add(reason)

    def pass_on(self, frame):
        self.take(frame, "pass")
        self.add("passed")

    def consume(self, frame, answer=None):
        self.take(frame, "consumed")
        self.add("consumed")
        if answer is not None:
            self.output.append((self.now, answer.data))
            self.add("arp_answers")

    def summary(self):
        lines = list(self.events)
        lines.append("counters\n")
        lines += ["  %12d  %s\n" % (self.count[key], text) for key, text in COUNTERS if self.count.get(key)]
        drops = [(self.count[key], key, text) for key, text in REASONS if self.count.get(key)]
        lines.append("dropped %d\n" % sum(number for number, _, _ in drops))
        lines += ["  %12d  %s: %s\n" % drop for drop in drops]
        lines.append("servers\n")
        lines += ["  %12d  %s: %d bytes, %d connections\n" % (self.packets[server], server, self.bytes[server],
                                                              self.connections[server]) for server in self.macs]
        return "".join(lines)

    def files(self):
        return {
            "dsrd.conf": self.conf.encode(),
            "in.pcap": savefile([(when, frame.data, frame.wire) for when, frame in self.input]),
            "out.pcap": savefile([(when, data, len(data)) for when, data in self.output]),
            "decisions": "".join(self.decisions).encode(),
            "summary": self.summary().encode(),
        }


def savefile(records):
    # https://www.tcpdump.org/manpages/pcap-savefile.5.html; the snapshot length is libpcap's largest.
    out = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for when, data, wire in records:
        out.append(struct.pack("<IIII", when // SECOND, when % SECOND, len(data), wire) + data)
    return b"".join(out)


SERVER_A = "server = a %s mac=%s" % (A_IP, colons(A))
SERVER_B = "server = b %s mac=%s" % (B_IP, colons(B))
SERVER_C = "server = c %s mac=%s" % (C_IP, colons(C))


def service(name, listen, scheduler, *servers):
    return "\n[service %s]\nlisten = %s\nscheduler = %s\n%s\n" % (name, listen, scheduler, "\n".join(servers))


def web(scheduler, *servers):
    return service("web", "%s tcp/80" % VIP, scheduler, *servers)


AB = (("web/a", A), ("web/b", B))
ABC = AB + (("web/c", C),)


def round_robin():
    case = Case("rr", "Each server in turn.", web("rr", SERVER_A, SERVER_B, SERVER_C), ABC)
    order = ("web/a", "web/b", "web/c", "web/a", "web/b", "web/c", "web/a")
    for i, server in enumerate(order):
        case.forward(tcp(40000 + i, SYN), server, "syn", True)
    # What belongs to these connections takes no turn.
    for i, server in enumerate(order):
        case.forward(tcp(40000 + i, ACK, seq=1001, ack=1), server, "established", False)
    case.forward(tcp(41000, SYN), "web/b", "syn", True)


def weighted():
    case = Case("wrr", "Weights 5, 1, 1 give a a b a c a a, again and again.",
                web("wrr", SERVER_A + " weight=5", SERVER_B, SERVER_C), ABC)
    for i, letter in enumerate("aabacaa" * 2 + "aab"):
        case.forward(tcp(40000 + i, SYN), "web/" + letter, "syn", True)


def least_connections():
    case = Case("wlc", "Fewest connections per weight; an open one weighs more than one that begins.",
                web("wlc", SERVER_A + " weight=3", SERVER_B), AB)
    # Begun connections and one, per weight; ties are searched in turn: a 1/3 b 1, a 2/3 b 1, a 3/3 b 1 (a's turn),
    # a 4/3 b 1, a 4/3 b 2.
    for i, letter in enumerate("aaaba"):
        case.forward(tcp(40000 + i, SYN), "web/" + letter, "syn", True)
    # One of a's five opens and now weighs 256: a (256 + 4)/3, b 2, until b has as much.
    case.forward(tcp(40000, ACK, ack=1), "web/a", "established", False)
    for i in range(3):
        case.forward(tcp(40010 + i, SYN), "web/b", "syn", True)
    # b's opens too: a 260/3, b (256 + 3 + 1)/1.
    case.forward(tcp(40003, ACK, ack=1), "web/b", "established", False)
    case.forward(tcp(40020, SYN), "web/a", "syn", True)


def drain():
    servers = (("web/a", A), ("web/b", B), ("gone/c", C))
    case = Case("drain", "Weight 0 takes no new connections, and is no way out when nobody else is there.",
                web("rr", SERVER_A + " weight=0", SERVER_B) +
                service("gone", "%s tcp/81" % VIP, "wrr", SERVER_C + " weight=0"), servers)
    for i in range(3):
        case.forward(tcp(40000 + i, SYN), "web/b", "syn", True)
    case.drop(tcp(40000, SYN, dport=81), "no-server")
    case.drop(tcp(40000, ACK, dport=81), "no-server")


def backup():
    servers = (("web/a", A), ("web/b", B), ("spare/a", A), ("spare/b", B), ("spare/c", C))
    case = Case("backup", "A backup serves only when no other server takes connections.",
                web("rr", SERVER_A + " backup", SERVER_B) +
                service("spare", "%s tcp/81" % VIP, "rr",
                        SERVER_A + " weight=0", SERVER_B + " backup", SERVER_C + " backup"), servers)
    for i in range(3):
        case.forward(tcp(40000 + i, SYN), "web/b", "syn", True)
    for i, letter in enumerate("bcb"):
        case.forward(tcp(40000 + i, SYN, dport=81), "spare/" + letter, "syn", True)


def flows():
    case = Case("flows", "A connection stays where it began; a new one on its ports is a new one.",
                web("rr", SERVER_A, SERVER_B), AB)
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.forward(tcp(40000, SYN), "web/a", "syn", False)  # again, no answer came
    case.forward(tcp(40001, SYN), "web/b", "syn", True)
    case.forward(tcp(40000, ACK, seq=1001, ack=1), "web/a", "established", False)
    case.forward(tcp(40000, PSH | ACK, b"GET / HTTP/1.0\r\n\r\n", seq=1001, ack=1), "web/a", "established", False)
    case.forward(tcp(40000, SYN), "web/a", "established", False)  # the server answers that one as it must
    case.forward(tcp(40000, FIN | ACK, seq=1019, ack=900), "web/a", "fin-wait", False)
    case.forward(tcp(40000, ACK, seq=1020, ack=1800), "web/a", "fin-wait", False)
    case.forward(tcp(40002, SYN), "web/a", "syn", True)
    case.forward(tcp(40000, SYN, seq=5000), "web/b", "syn", True)  # the same port, another connection
    case.forward(tcp(40001, ACK, seq=1001, ack=1), "web/b", "established", False)
    case.forward(tcp(40001, RST, seq=1001), "web/b", "closed", False)
    case.forward(tcp(40001, SYN, seq=6000), "web/a", "syn", True)
    # Older than the director: carried on, though nobody saw it begin. A stray end is sent on, but not remembered long.
    case.forward(tcp(40005, ACK, seq=77, ack=99), "web/b", "established", True)
    case.forward(tcp(40006, FIN | ACK, seq=77, ack=99), "web/a", "closed", True)
    # Another client with the same port is another flow.
    case.forward(tcp(40005, ACK, seq=77, ack=99, source="198.51.100.8"), "web/b", "established", True)


def expiry():
    case = Case("expiry", "Silence ends a flow: 60 s in SYN, 15 min when open, 10 s when reset.",
                web("rr", SERVER_A, SERVER_B), AB)
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.forward(tcp(40001, SYN), "web/b", "syn", True)
    case.forward(tcp(40001, ACK), "web/b", "established", False)
    case.wait(59 * SECOND)
    case.forward(tcp(40000, SYN), "web/a", "syn", False)
    case.wait(59 * SECOND)
    case.forward(tcp(40000, SYN), "web/a", "syn", False)
    case.wait(61 * SECOND)
    case.forward(tcp(40002, SYN), "web/a", "syn", True)
    case.forward(tcp(40000, SYN), "web/b", "syn", True)  # forgotten
    case.forward(tcp(40001, ACK), "web/b", "established", False)
    case.wait(899 * SECOND)
    case.forward(tcp(40001, ACK), "web/b", "established", False)
    case.wait(901 * SECOND)
    case.forward(tcp(40001, ACK), "web/a", "established", True)
    case.forward(tcp(40001, RST), "web/a", "closed", False)
    case.wait(11 * SECOND)
    case.forward(tcp(40001, ACK), "web/b", "established", True)


def datagrams():
    case = Case("udp", "A client's port is a flow; checksums and payload stay as they are.",
                service("dns", "%s udp/53 tcp/53" % VIP, "rr", SERVER_A, SERVER_B), (("dns/a", A), ("dns/b", B)))
    query = bytes.fromhex("123401000001000000000000") + b"\7example\3org\0\0\1\0\1"
    case.forward(udp(40000, query), "dns/a", "udp", True)
    case.forward(udp(40001, query), "dns/b", "udp", True)
    case.forward(udp(40000, query), "dns/a", "udp", False)
    case.forward(udp(40000, query, source="198.51.100.8"), "dns/a", "udp", True)
    case.forward(udp(40001, query, check=0), "dns/b", "udp", False)
    case.forward(udp(40002).padded(60), "dns/b", "udp", True)
    case.forward(tcp(40000, SYN, dport=53), "dns/a", "syn", True)  # TCP's port 40000 is not UDP's
    case.wait(299 * SECOND)
    case.forward(udp(40000, query), "dns/a", "udp", False)
    case.wait(301 * SECOND)
    case.forward(udp(40000, query), "dns/b", "udp", True)


def neighbours_ask():
    case = Case("arp", "Only the director answers for the VIP, and only for the VIP.",
                web("rr", SERVER_A), (("web/a", A),))
    case.consume(who_has(ROUTER, ROUTER_IP, VIP), is_at(DIRECTOR, VIP, ROUTER, ROUTER_IP))
    case.consume(who_has(ROUTER, ROUTER_IP, VIP).padded(60), is_at(DIRECTOR, VIP, ROUTER, ROUTER_IP))
    # By unicast: a neighbour that makes sure.
    case.consume(who_has(ROUTER, ROUTER_IP, VIP, target_mac=DIRECTOR, destination=DIRECTOR),
                 is_at(DIRECTOR, VIP, ROUTER, ROUTER_IP))
    # A host probes whether it may have the VIP (RFC 5227): it may not.
    case.consume(who_has(mac(0x66), "0.0.0.0", VIP), is_at(DIRECTOR, VIP, mac(0x66), "0.0.0.0"))
    # A real server asks for the VIP, as it may when it is not set up well.
    case.consume(who_has(A, A_IP, VIP), is_at(DIRECTOR, VIP, A, A_IP))
    # Asked for others: the host's own stack answers for the director's own address.
    case.consume(who_has(ROUTER, ROUTER_IP, A_IP))
    case.consume(who_has(ROUTER, ROUTER_IP, DIRECTOR_IP))
    # Another host announces the VIP: answering would start a quarrel.
    case.consume(who_has(mac(0x66), VIP, VIP))
    case.consume(is_at(mac(0x66), VIP, BROADCAST, VIP))
    # To another host; the director's own; and those that cannot be trusted.
    case.pass_on(who_has(ROUTER, ROUTER_IP, VIP, destination=A))
    case.pass_on(who_has(DIRECTOR, DIRECTOR_IP, VIP))
    case.pass_on(who_has(ROUTER, ROUTER_IP, VIP, source=mac(0x66)))
    case.pass_on(arp(3, ROUTER, ROUTER_IP, VIP))
    case.pass_on(Frame(who_has(ROUTER, ROUTER_IP, VIP).data[:41]))


def neighbour():
    case = Case("neighbour", "A server's MAC is asked for, learned, asked for again, and followed when it changes.",
                web("rr", "server = a %s" % A_IP, "server = b %s" % B_IP), AB)
    first = case.now
    case.asks(A_IP, B_IP)
    case.drop(tcp(40000, SYN), "no-neighbour")
    case.consume(is_at(A, A_IP, DIRECTOR, DIRECTOR_IP))
    case.log("notice neighbour-found server=web/a address=%s mac=%s interface=savefile" % (A_IP, colons(A)))
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.forward(tcp(40001, SYN), "web/a", "syn", True)
    # b says where it is without being asked: an announcement.
    case.consume(who_has(B, B_IP, B_IP))
    case.log("notice neighbour-found server=web/b address=%s mac=%s interface=savefile" % (B_IP, colons(B)))
    case.forward(tcp(40002, SYN), "web/a", "syn", True)
    case.forward(tcp(40003, SYN), "web/b", "syn", True)
    # a moves: its announcement is heard, and its flows follow.
    case.wait(2 * SECOND)
    moved = mac(0x1A)
    case.consume(who_has(moved, A_IP, A_IP))
    case.log("notice neighbour-changed server=web/a address=%s mac=%s before=%s interface=savefile" %
             (A_IP, colons(moved), colons(A)))
    case.macs["web/a"] = moved
    case.forward(tcp(40000, ACK), "web/a", "established", False)
    # Less than a second later it is somewhere else: two hosts quarrel, and the flow must not flap between them.
    case.consume(who_has(mac(0x66), A_IP, A_IP))
    case.forward(tcp(40000, ACK), "web/a", "established", False)
    # Not to us, so not for us to learn from.
    case.wait(2 * SECOND)
    case.pass_on(is_at(mac(0x66), A_IP, ROUTER, ROUTER_IP))
    case.forward(tcp(40000, ACK), "web/a", "established", False)
    # Half a minute after it was last heard, each is asked by unicast.
    case.now = first + 40 * SECOND
    case.asks((A_IP, moved), (B_IP, B))
    case.forward(tcp(40001, ACK), "web/a", "established", False)
    case.consume(is_at(moved, A_IP, DIRECTOR, DIRECTOR_IP))


def truncated():
    case = Case("truncated", "What the capture cut, or the sender, is not guessed at.",
                web("rr", SERVER_A), (("web/a", A),))
    whole = tcp(40000, PSH | ACK, pattern(200))
    case.drop(whole.cut(253), "truncated")
    case.drop(whole.cut(96), "truncated")
    case.drop(whole.cut(53), "truncated")
    case.drop(whole.cut(34), "truncated")
    case.drop(tcp(40000, SYN).padded(60).cut(54), "truncated")  # only padding is missing, but what else is wrong there?
    # Too short to tell for whom they are.
    case.pass_on(whole.cut(33))
    case.pass_on(whole.cut(14))
    case.pass_on(whole.cut(13))
    case.pass_on(whole.cut(1))
    # The sender says more than it sent.
    short = whole.cut(200)
    short.wire = 200
    case.drop(short, "truncated")
    case.forward(whole, "web/a", "established", True)
    # Cut frames for others are none of our business.
    case.pass_on(tcp(40000, ACK, pattern(99), destination=DIRECTOR_IP).cut(60))


def malformed():
    case = Case("malformed", "Headers that contradict themselves reach no server.",
                service("web", "%s tcp/80 udp/53" % VIP, "rr", SERVER_A), (("web/a", A),))
    syn, data, query = tcp(40000, SYN), tcp(40000, ACK, pattern(40)), udp(40000, pattern(12))
    bad = (
        syn.patched(14, b"\x44"),              # header length 16
        syn.patched(14, b"\x40"),              # header length 0
        syn.patched(14, b"\x4f"),              # header longer than the datagram
        data.patched(16, b"\0\0"),             # total length 0
        data.patched(16, b"\0\x13"),           # total length 19
        data.patched(16, b"\0\x14"),           # nothing behind the IP header
        data.patched(16, b"\0\x27"),           # 19 bytes of TCP
        data.patched(46, b"\x40"),             # TCP header of 16 bytes
        syn.patched(46, b"\x60"),              # TCP header longer than the segment
        syn.padded(60).patched(46, b"\x60"),   # padding is not part of it
        query.patched(38, b"\0\x07"),          # UDP length below its header's
        query.patched(38, b"\0\x15"),          # UDP length above the datagram's
        query.patched(16, b"\0\x1b"),          # 7 bytes of UDP
        syn.patched(47, bytes([SYN | FIN])),
        syn.patched(47, bytes([SYN | RST | ACK])),
        syn.patched(47, b"\xff"),
    )
    for frame in bad:
        case.drop(frame, "malformed")
    # No IPv4 at all: nobody can say that it is for the VIP.
    version = syn.patched(14, b"\x65")
    case.pass_on(Frame(version.data))
    case.forward(syn, "web/a", "syn", True)


def fragments():
    case = Case("fragments", "A fragment does not say whose it is: ports are not read out of payload.",
                service("web", "%s tcp/80 udp/53" % VIP, "rr", SERVER_A), (("web/a", A),))
    more, offset = 0x2000, 185
    none = " protocol=17 from=%s to=%s" % (CLIENT, VIP)
    whole = udp(40000, pattern(2000)).data[34:]
    case.drop(ipv4(UDP, whole[:1480], CLIENT, VIP, none, fragment=more), "fragment")
    case.drop(ipv4(UDP, whole[1480:], CLIENT, VIP, none, fragment=offset), "fragment")
    # Looks like ports 40000 and 80, and a SYN, but is payload.
    fake = tcp(40000, SYN).data[34:]
    case.drop(ipv4(TCP, fake, CLIENT, VIP, fragment=offset), "fragment")
    case.drop(ipv4(TCP, fake, CLIENT, VIP, fragment=more | offset), "fragment")
    case.drop(ipv4(TCP, b"\x9c", CLIENT, VIP, fragment=offset).padded(60), "fragment")
    # "Do not fragment" is not a fragment.
    case.forward(tcp(40000, SYN, fragment=0x4000), "web/a", "syn", True)
    # For others: passes.
    case.pass_on(ipv4(TCP, fake, CLIENT, DIRECTOR_IP, fragment=offset))


def icmp():
    case = Case("icmp", "What is neither TCP nor UDP can have no service.", web("rr", SERVER_A), (("web/a", A),))
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1) + pattern(16)
    echo = echo[:2] + struct.pack("!H", 0xFFFF - ones_sum(echo)) + echo[4:]
    case.drop(ipv4(ICMP, echo, CLIENT, VIP), "unsupported")
    case.drop(ipv4(47, pattern(30), CLIENT, VIP), "unsupported")
    case.drop(ipv4(132, pattern(30), CLIENT, VIP), "unsupported")
    case.pass_on(ipv4(ICMP, echo, CLIENT, DIRECTOR_IP))


def foreign():
    case = Case("foreign", "Frames to other hosts, other addresses and of other kinds are left alone.",
                web("rr", SERVER_A), (("web/a", A),))
    case.pass_on(tcp(40000, SYN).ether(destination=A))
    case.pass_on(tcp(40000, SYN).ether(destination=mac(0x66)))
    case.pass_on(tcp(40000, SYN).ether(destination=BROADCAST))
    case.pass_on(tcp(40000, SYN).ether(destination=bytes.fromhex("01005e000001")))
    case.pass_on(tcp(40000, SYN, destination=DIRECTOR_IP))
    case.pass_on(tcp(40000, SYN, destination="192.0.2.9"))
    case.pass_on(tcp(80, SYN | ACK, source=VIP, destination=CLIENT, dport=40000))
    case.pass_on(Frame(DIRECTOR + ROUTER + b"\x86\xdd" + b"\x60" + bytes(59)))
    case.pass_on(Frame(DIRECTOR + ROUTER + b"\x81\x00\x00\x05" + tcp(40000, SYN).data[12:]))
    case.pass_on(Frame(DIRECTOR + ROUTER + b"\x00\x26\x42\x42\x03" + bytes(43)))
    case.forward(tcp(40000, SYN), "web/a", "syn", True)


def loop():
    case = Case("loop", "The director's own frame comes back: sent on, it would go round for ever.",
                web("rr", SERVER_A), (("web/a", A),))
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.pass_on(tcp(40000, SYN).ether(destination=A, source=DIRECTOR))
    case.drop(tcp(40000, SYN).ether(source=DIRECTOR), "loop")
    case.drop(tcp(40000, SYN).cut(60 - 10).ether(source=DIRECTOR), "loop")


def bounce():
    case = Case("bounce", "A real server without the VIP routes the frame back: it must be told from a client's.",
                web("rr", SERVER_A, SERVER_B), AB)
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.drop(tcp(40000, SYN, ttl=62).ether(source=A), "bounce")
    case.drop(udp(40000).ether(source=B), "bounce")
    case.drop(ipv4(TCP, pattern(20), CLIENT, VIP, fragment=9).ether(source=B), "bounce")
    # A server that is a client of the VIP itself is served.
    case.forward(tcp(40000, SYN, source=A_IP).ether(source=A), "web/b", "syn", True)
    # b's address from a's MAC is not a's own.
    case.drop(tcp(40000, SYN, source=B_IP).ether(source=A), "bounce")


def ports():
    services = (service("web", "%s tcp/80,443,8000-8002" % VIP, "rr", SERVER_A) +
                service("dns", "%s udp/53\nlisten = 192.0.2.20 tcp/80" % VIP, "rr", SERVER_B))
    case = Case("ports", "What a service listens on is its own; the VIP's other ports are closed.", services,
                (("web/a", A), ("dns/b", B)))
    for port in (80, 443, 8000, 8001, 8002):
        case.forward(tcp(40000, SYN, dport=port), "web/a", "syn", True)
    for port in (0, 79, 81, 442, 444, 7999, 8003, 65535, 53):
        case.drop(tcp(40000, SYN, dport=port), "no-service")
    case.forward(udp(40000), "dns/b", "udp", True)
    case.drop(udp(40000, dport=80), "no-service")
    case.forward(tcp(40000, SYN, destination="192.0.2.20"), "dns/b", "syn", True)
    case.drop(tcp(40000, SYN, destination="192.0.2.20", dport=443), "no-service")


def table_full():
    case = Case("table-full", "A full table takes no new flow, keeps those it has, and goes on when some have ended.",
                web("rr", SERVER_A, SERVER_B), AB, "connections = 16\n")
    # Clients without proof that they exist get an eighth of the table. A refused one takes its turn with it.
    case.forward(tcp(40000, SYN), "web/a", "syn", True)
    case.forward(tcp(40001, SYN), "web/b", "syn", True)
    case.drop(tcp(40002, SYN), "table-full")
    case.forward(tcp(40000, ACK), "web/a", "established", False)
    case.forward(tcp(40002, SYN), "web/b", "syn", True)
    # Thirteen older than the director fill it up.
    for i in range(3, 16):
        case.forward(tcp(40000 + i, ACK), "web/" + "ba"[i % 2], "established", True)
    case.drop(tcp(40016, ACK), "table-full")
    case.forward(tcp(40000, ACK), "web/a", "established", False)
    case.forward(tcp(40001, SYN), "web/b", "syn", False)
    case.wait(61 * SECOND)
    case.forward(tcp(40016, ACK), "web/a", "established", True)
    case.forward(tcp(40017, SYN), "web/b", "syn", True)
    case.drop(tcp(40018, ACK), "table-full")


def split(payload, mtu, flags, options, seq, ident, **more):
    """The segments that a sender without offload would have sent."""
    room = mtu - 40 - len(options)
    pieces = [payload[i:i + room] for i in range(0, len(payload), room)]
    out = []
    for i, piece in enumerate(pieces):
        own = flags
        if i > 0:
            own &= ~CWR
        if i < len(pieces) - 1:
            own &= ~(FIN | PSH)
        out.append(tcp(40000, own, piece, seq=(seq + i * room) % 2**32, ident=(ident + i) % 65536, options=options,
                       **more).data)
    return out


def super_frames():
    case = Case("super-frame", "What receive offload glued together is split again; what cannot be split is too big.",
                service("web", "%s tcp/80 udp/53" % VIP, "rr", SERVER_A), (("web/a", A),))
    stamps = bytes.fromhex("0101080a0000100000002000")
    parts = 0

    def whole(payload, flags, options=b"", seq=1000, ident=1, check=None, new=False, state="established", **more):
        sent = split(payload, 1500, flags, options, seq, ident, **more)
        frame = tcp(40000, flags, payload, seq=seq, ident=ident, options=options, check=check, **more)
        case.forward(frame, "web/a", state, new, sent)
        case.add("frames_split")
        case.add("segments", len(sent))
        return len(sent)

    # Exactly as large as may be, and one byte more.
    case.forward(tcp(40000, ACK, pattern(1460)), "web/a", "established", True)
    parts += whole(pattern(1461), ACK)
    # With time stamps, a checksum left to the card, and numbers that wrap.
    parts += whole(pattern(4344), PSH | ACK, stamps, seq=2**32 - 2000, ident=65535, check="partial", fragment=0x4000)
    parts += whole(pattern(2900), ACK | CWR | ECE, stamps)
    parts += whole(pattern(20000), ACK, ack=12345)
    # UDP has no numbers to tell the pieces' order by; urgent data points into the whole; a SYN is never that large.
    case.drop(udp(40000, pattern(1473)), "too-big", "web/a", "udp", True)
    case.drop(tcp(40000, ACK | URG, pattern(3000), urgent=5), "too-big", "web/a", "established", False)
    case.drop(tcp(40001, SYN, pattern(1500)), "too-big", "web/a", "syn", True)
    parts += whole(pattern(1500), FIN | PSH | ACK, state="fin-wait")
    assert parts == 2 + 3 + 3 + 14 + 2


def partial():
    case = Case("partial-checksum", "A virtual neighbour leaves checksums to a card that is not there.",
                service("web", "%s tcp/80 udp/53" % VIP, "rr", SERVER_A), (("web/a", A),))

    def finished(frame, whole, state, new):
        case.forward(frame, "web/a", state, new, [whole.data])
        case.add("checksums_finished")

    finished(tcp(40000, SYN, check="partial"), tcp(40000, SYN), "syn", True)
    finished(tcp(40000, ACK, pattern(101), check="partial"), tcp(40000, ACK, pattern(101)), "established", False)
    finished(tcp(40000, ACK, check="partial").padded(60), tcp(40000, ACK).padded(60), "established", False)
    finished(udp(40000, pattern(33), check="partial"), udp(40000, pattern(33)), "udp", True)
    # A sum of 0 is sent as ffff in UDP: the last two bytes of payload make it so.
    query = udp(40000, bytes(2), check=0).data[34:]
    odd = struct.pack("!H", 0xFFFF - ones_sum(pseudo(UDP, CLIENT, VIP, 10) + query))
    assert udp(40000, odd).data[40:42] == b"\xff\xff"
    finished(udp(40000, odd, check="partial"), udp(40000, odd), "udp", False)
    # Those that are right, absent, or wrong stay as they are: to mend a wrong one would hide damage.
    case.forward(tcp(40000, ACK, pattern(7)), "web/a", "established", False)
    case.forward(udp(40000, pattern(7)), "web/a", "udp", False)
    case.forward(udp(40000, pattern(7), check=0), "web/a", "udp", False)
    case.forward(tcp(40000, ACK, pattern(7), check=0x1234), "web/a", "established", False)


SCENES = (round_robin, weighted, least_connections, drain, backup, flows, expiry, datagrams, neighbours_ask, neighbour,
          truncated, malformed, fragments, icmp, foreign, loop, bounce, ports, table_full, super_frames, partial)


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(content)


def differs(path, content):
    try:
        with open(path, "rb") as file:
            return file.read() != content
    except FileNotFoundError:
        return True


def main(arguments):
    check = arguments[:1] == ["--check"]
    directory = (arguments[check:] or [os.path.dirname(os.path.abspath(__file__))])[0]
    status = 0
    for scene in SCENES:
        scene()
    for case in CASES:
        for name, content in case.files().items():
            path = os.path.join(directory, case.name, name)
            if not check:
                write(path, content)
            elif differs(path, content):
                print("%s: not what make.py writes: run tests/golden/make.py, or undo the change" % path,
                      file=sys.stderr)
                status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
