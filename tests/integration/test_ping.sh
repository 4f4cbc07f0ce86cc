#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The VIP answers pings, IPv4 and IPv6, while a server of it is up, and not when all are down.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl ping
net_up 2
net_up6
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	listen = $VIP6 tcp/80
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

expect_answers() { # PING-OPTION...
	run_in client ping -q -c 3 -i 0.2 -W 2 "$@" >"$NET_DIR/ping" || fail "ping $*: $(cat "$NET_DIR/ping")"
	grep -q ' 3 received, 0% packet loss' "$NET_DIR/ping" || fail "ping $*: $(cat "$NET_DIR/ping")"
}
expect_silence() { # PING-OPTION...
	! run_in client ping -q -c 2 -i 0.2 -W 1 "$@" >/dev/null ||
		fail "ping $* has an answer, although no server is up"
}

step "small, empty and large ones"
for vip in "$VIP" "$VIP6"; do
	expect_answers "$vip"
	expect_answers -s 0 "$vip"
	# Filled with a pattern that ping compares; 1452 bytes fill a frame of IPv6.
	expect_answers -s 1452 -p c0ffee "$vip"
done
dump_dsrd
assert_equal "pings answered" 18 "$(counter echo_answers)"
assert_equal "answers from the director's MAC" "$DIRECTOR_MAC" \
    "$(ip -n "$NET-client" neighbor show to "$VIP" | sed 's/.*lladdr \([0-9a-f:]*\).*/\1/')"

step "one server is enough"
stop_nginx web1
wait_server down web/web1
expect_answers "$VIP"

step "other pings are not"
stop_nginx web2
wait_server down web/web2
expect_silence "$VIP"
expect_silence "$VIP6"

step "and again"
start_nginx web2
wait_server up web/web2
expect_answers "$VIP"
expect_answers "$VIP6"
stop_dsrd
