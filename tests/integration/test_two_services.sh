#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Several services in one director: two on one VIP, a third on another VIP, with a server in both. Ports without a
# service get no answer.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl arping
net_up 3
SECOND=$SERVER_PREFIX.20
for server in web1 web2 web3; do
	start_nginx "$server"
	vip_add "$server" "$SECOND"
done

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = one $(server_ip 1)

	[service admin]
	listen = $VIP tcp/8080
	scheduler = rr
	server = two $(server_ip 2)

	[service shop]
	listen = $SECOND tcp/80,8080
	scheduler = wrr
	server = two $(server_ip 2) weight=3
	server = three $(server_ip 3) weight=1
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web one
wait_servers_up admin two
wait_servers_up shop two three

step "each service has its own servers"
fetch_many 10 "$NET_DIR/pages"
assert_equal "pages of web from web1 web2 web3" "10 0 0" "$(shares_of "$NET_DIR/pages")"
fetch_many 10 "$NET_DIR/pages" "$VIP:8080"
assert_equal "pages of admin from web1 web2 web3" "0 10 0" "$(shares_of "$NET_DIR/pages")"
fetch_many 40 "$NET_DIR/pages" "$SECOND"
assert_equal "pages of shop from web1 web2 web3" "0 30 10" "$(shares_of "$NET_DIR/pages")"
# The two ports are one service, and one sequence.
fetch_many 40 "$NET_DIR/pages" "$SECOND:8080"
assert_equal "pages of shop's other port from web1 web2 web3" "0 30 10" "$(shares_of "$NET_DIR/pages")"

step "both VIPs are answered for by the director"
for vip in "$VIP" "$SECOND"; do
	run_in client arping -c 2 -w 2 -I eth0 "$vip" | grep -q "reply from $vip \\[$DIRECTOR_MAC\\]" ||
		fail "no answer from the director for $vip"
done

step "a port without a service"
if run_in client curl -s --connect-timeout 1 "http://$VIP:81/" >/dev/null; then
	fail "a server answered on port 81"
fi
dump_dsrd
assert_at_least "frames dropped for want of a service" 1 "$(drop_count no-service)"

step "one service's trouble is not another's"
stop_nginx web1
wait_server down web/one
if fetch / --connect-timeout 1 >/dev/null; then
	fail "a server answered for the service whose only server is down"
fi
fetch_many 8 "$NET_DIR/pages" "$SECOND"
assert_equal "pages of shop from web1 web2 web3" "0 6 2" "$(shares_of "$NET_DIR/pages")"
stop_dsrd
