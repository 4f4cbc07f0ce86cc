#!/bin/sh
# SPDX-License-Identifier: ISC
#
# UDP requests of 4000 bytes in fragments: as sent by the kernel, and in order, reversed and interleaved by hand, over
# IPv4 and IPv6. A server answers only a reassembled request, so every answer proves that all fragments reached the same
# server.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require python3 tcpdump
HELPER=$(dirname -- "$0")/fragments.py
net_up 3
net_up6
for server in web1 web2 web3; do
	start_in "$server" "$server-udp" python3 "$HELPER" serve "$server" 5300
	wait_until 10 grep -q ready "$NET_DIR/$server-udp.log" || fail "the server on $server does not start"
done
{
	conf_head
	cat <<-END

	[service big]
	listen = $VIP udp/5300
	listen = $VIP6 udp/5300
	scheduler = rr
	check = none
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip6 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
for server in web1 web2 web3; do
	wait_log 10 "neighbor-found server=big/$server"
done
capture director in "(ip[6:2] & 0x1fff != 0 or ip6[6] = 44) and ether dst $DIRECTOR_MAC"

ask() { # SOURCE VIP ORDER: 30 requests, ten for each server
	run_in client python3 "$HELPER" ask eth0 "$DIRECTOR_MAC" "$1" "$2" 5300 "$3" 30 >"$NET_DIR/answers" ||
		fail "$3, to $2: $(cat "$NET_DIR/answers")"
	assert_equal "answers from web1 web2 web3 ($3, to $2)" "10 10 10" "$(shares_of "$NET_DIR/answers")"
}

# The kernel's own come last: the numbers it gives them may be any, also those of the others.
for order in in-order reversed interleaved whole; do
	step "$order"
	ask "$SERVER_PREFIX.100" "$VIP" "$order"
	ask "$SERVER_PREFIX6:100" "$VIP6" "$order"
	dump_dsrd
	assert_equal "fragments dropped" 0 "$(drop_count fragment)"
	case $order in
	in-order) waited=0 ;;
	reversed) waited=120 ;;                # two of each request
	interleaved | whole) waited=180 ;;     # and two of every second one
	esac
	assert_equal "fragments that had to wait for their first one so far" "$waited" "$(counter held)"
done
assert_equal "fragments sent on after their first one" 180 "$(counter fragments_released)"

step "they did come in fragments"
capture_end in
assert_at_least "later fragments that tcpdump saw at the director, busy or not" 240 "$(capture_count in)"
assert_equal "fragments given up" 0 "$(counter fragments_expired)"
stop_dsrd
