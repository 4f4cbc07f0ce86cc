#!/bin/sh
# SPDX-License-Identifier: ISC
# What dsrd sends by each method, as tshark reads it: nothing malformed, all checksums right, and in each tunnel the
# packets that were put there. Needs neither privileges nor a network; configure finds tshark.
set -u

here=${SOURCE_DIR:+$SOURCE_DIR/tests/golden}
here=${here:-$(cd "$(dirname "$0")" && pwd)}
dsrd=${DSRD:-${BUILD_DIR:-.}/dsrd}
work=$(mktemp -d "${TMPDIR:-/tmp}/tshark.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

fail() {
	echo "FAILED: $*" >&2
	failed=1
}

# The payload of the packets is no DNS and no HTTP.
shark() { # FILE ARGUMENT...
	file=$1
	shift
	tshark -r "$file" -X "lua_script:$here/gue.lua" --disable-protocol dns --disable-protocol http \
	    -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "$@" 2>"$work/stderr" || {
		cat "$work/stderr" >&2
		return 1
	}
}

# The number of packets that are malformed or have a wrong checksum. An ICMP error quotes less than a checksum covers.
faults_in() {
	shark "$1" -T fields -e frame.number -Y '_ws.malformed || ip.checksum.status == 0 || udp.checksum.status == 0 ||
	    (tcp.checksum.status == 0 && !icmp && !icmpv6) || icmp.checksum.status == 0 || icmpv6.checksum.status == 0' |
	    wc -l | tr -d ' '
}

replay() { # CASE
	"$dsrd" -f "$here/$1/dsrd.conf" -r "$here/$1/in.pcap" -w "$work/$1.pcap" >/dev/null 2>&1 || fail "$1: dsrd -r"
}

expect() { # CASE WHAT STACK... : all protocol stacks of the case's frames, each at least once
	case=$1 between=$2
	replay "$case"
	faults=$(faults_in "$work/$case.pcap")
	[ "$faults" = 0 ] || fail "$case: $faults packets are malformed or have a wrong checksum"
	shark "$work/$case.pcap" -T fields -e frame.protocols -Y '!(icmp || icmpv6)' >"$work/stacks" || fail "$case: tshark"
	total=$(wc -l <"$work/stacks" | tr -d ' ')
	sum=0
	for outer in ip ipv6; do
		for inner in ip ipv6; do
			count=$(grep -cE "^eth:ethertype:$outer:$between$inner(:tcp|:udp|:data)" "$work/stacks")
			[ "$count" -gt 0 ] || fail "$case: no $inner in $outer"
			sum=$((sum + count))
		done
	done
	[ "$total" = "$sum" ] || {
		fail "$case: $((total - sum)) of $total packets are something else:"
		sort "$work/stacks" | uniq -c >&2
	}
	echo "$case: $total packets"
}

expect method-ipip ""
expect method-gre "gre:"
expect method-gue "udp:gue:"
expect method-gue1 "udp:gue:"

replay method-dscp
faults=$(faults_in "$work/method-dscp.pcap")
[ "$faults" = 0 ] || fail "method-dscp: $faults packets are malformed or have a wrong checksum"
total=$(shark "$work/method-dscp.pcap" -T fields -e frame.number | wc -l)
marked=$(shark "$work/method-dscp.pcap" -T fields -e frame.number -Y '(ip.dst == 203.0.113.11 && ip.dsfield.dscp == 5) ||
    (ipv6.dst == 2001:db8:9::12 && ipv6.tclass.dscp == 44)' | wc -l)
[ "$total" -gt 10 ] || fail "method-dscp: only $total packets"
[ "$total" = "$marked" ] || fail "method-dscp: $marked of $total packets are for the servers"
echo "method-dscp: $((total)) packets"

# A fault would be found: another time to live in the first packet in the first tunnel.
printf '\001' | dd of="$work/method-ipip.pcap" bs=1 seek=$((24 + 16 + 14 + 20 + 8)) conv=notrunc 2>/dev/null
[ "$(faults_in "$work/method-ipip.pcap")" = 1 ] || fail "a wrong checksum is not found"

exit "$failed"
