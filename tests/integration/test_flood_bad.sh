#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Invalid frames: truncated, contradictory, fragmented, of other protocols, and a flood of them. Each is dropped with
# its reason, none reaches a real server, and the service continues.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
INJECT=$BUILD_DIR/tests/integration/inject
[ -x "$INJECT" ] || fail "there is no $INJECT: type make"
net_up 1
start_nginx web1
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80 udp/80
	check = none
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_log 10 'neighbor-found server=web/web1'
assert_equal "page" web1 "$(fetch /)"

# Frames in hexadecimal: director's MAC, client's MAC, IPv4; then an IPv4 header from 192.0.2.100 to 192.0.2.10.
ether='020000000001 020000000099 0800'
ends='c0000264 c000020a'
zeros=0000000000000000000000000000000000000000
ipv4() { # TOTAL-LENGTH FRAGMENT PROTOCOL
	echo "$ether 4500$1 0001$2 40$3 0000 $ends"
}
# TCP from port 1234 to 80 with data offset and flags as given, without data.
tcp() { # OFFSET-AND-FLAGS
	echo "04d2 0050 00000001 00000000 $1 ffff 0000 0000"
}
# By the switch's port to the director: a switch would not carry each of these from any other.
inject() {
	run_in switch "$INJECT" director-eth0
}

# Inject what is on standard input COUNT times; exactly that many frames more are counted under REASON.
expect_drops() { # WHAT REASON COUNT
	dump_dsrd
	expect_total=$(($(drop_count "$2") + $3))
	cat >"$NET_DIR/frames"
	expect_left=$3
	while [ "$expect_left" -gt 0 ]; do
		cat "$NET_DIR/frames"
		expect_left=$((expect_left - 1))
	done | inject
	wait_until 5 drops_are "$2" "$expect_total" ||
		fail "$1: expected $expect_total frames dropped as $2, got $(drop_count "$2")"
	echo "# $1: $2"
}
drops_are() { # REASON COUNT
	dump_dsrd
	[ "$(drop_count "$1")" = "$2" ]
}

capture web1 at-web1 "ip src $SERVER_PREFIX.100 and ip dst $VIP"

step "frames that end too early"
echo "$(ipv4 003c 0000 06) 04d2" | expect_drops "60 bytes of datagram announced, 22 there" truncated 3
echo "$(ipv4 0400 0000 11) 04d2 0050 03ec 0000 $zeros" | expect_drops "1024 bytes of UDP announced" truncated 3

step "frames that contradict themselves"
echo "$(ipv4 0028 0000 06) $(tcp 5003)" | expect_drops "SYN and FIN" malformed 3
echo "$(ipv4 0028 0000 06) $(tcp 5006)" | expect_drops "SYN and RST" malformed 3
echo "$(ipv4 0028 0000 06) $(tcp f002)" | expect_drops "a TCP header longer than the segment" malformed 3
echo "$(ipv4 0028 0000 06) $(tcp 1002)" | expect_drops "a TCP header of 4 bytes" malformed 3
echo "$ether 4300 0028 0001 0000 4006 0000 $ends $(tcp 5002)" | expect_drops "an IP header of 12 bytes" malformed 3
echo "$(ipv4 0010 0000 06) $(tcp 5002)" | expect_drops "a datagram shorter than its header" malformed 3
echo "$(ipv4 001c 0000 11) 04d2 0050 0004 0000 $zeros" | expect_drops "a UDP length of 4" malformed 3

step "frames of another kind"
echo "$(ipv4 0016 2000 11) 04d2" | expect_drops "a first fragment that is cut before the ports" fragment 3
echo "$(ipv4 0024 0004 11) 04d2 0050 0010 0000 $zeros" | inject # a later one, whose first never comes
echo "$(ipv4 0028 0000 01) 0d00 0000 0001 0001 $zeros" | expect_drops "ICMP that asks for the time" unsupported 3
echo "$(ipv4 0028 0000 2f) $zeros" | expect_drops "GRE" unsupported 3
echo "$(ipv4 0028 0000 06) 04d2 0051 00000001 00000000 5002 ffff 0000 0000" | expect_drops "another port" no-service 3

step "frames that claim to be the director's own"
echo "020000000001 020000000001 0800 4500 0028 0001 0000 4006 0000 $ends $(tcp 5002)" |
    expect_drops "the director's MAC as source" loop 3

step "ARP that lies"
dump_dsrd
{
	# Sender MAC and source MAC differ: web1's address is not to be learned from this.
	echo "ffffffffffff 020000000099 0806 0001 0800 06 04 0002 0200000000ee c000020b 000000000000 c000020b"
	# A group address as the sender's MAC.
	echo "ffffffffffff ffffffffffff 0806 0001 0800 06 04 0002 ffffffffffff c000020b 000000000000 c000020b"
	# Cut in the middle.
	echo "ffffffffffff 020000000099 0806 0001 0800 06 04 0002 0200000000ee c000"
} | inject
assert_equal "page after it" web1 "$(fetch /)"
assert_no_log 'neighbor-changed'

step "a flood: 20000 bad frames"
awk -v tcp="$(ipv4 0028 0000 06) $(tcp 5003)" -v udp="$(ipv4 0400 0000 11) 04d2 0050 03ec 0000 $zeros" \
    'BEGIN { for (i = 0; i < 10000; i++) { print tcp; print udp } }' >"$NET_DIR/flood"
inject <"$NET_DIR/flood"
assert_equal "page after it" web1 "$(fetch /)"
dump_dsrd
assert_at_least "malformed frames counted" 5000 "$(drop_count malformed)"

step "no bad frame reached the real server"
capture_end at-web1
assert_equal "frames with SYN and FIN at web1" 0 \
    "$(capture_count at-web1 'tcp[tcpflags] & (tcp-syn|tcp-fin) = (tcp-syn|tcp-fin)')"
assert_equal "fragments, UDP and ICMP at web1" 0 "$(capture_count at-web1 'icmp or udp or ip[6:2] & 0x3fff != 0')"
assert_at_least "good frames at web1" 6 "$(capture_count at-web1 tcp)"
stop_dsrd
