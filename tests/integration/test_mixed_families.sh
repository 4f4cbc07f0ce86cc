#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The director reaches servers by their MAC addresses, so the family of a server's own address does not matter: an IPv6
# VIP with servers known by IPv4, an IPv4 VIP with a server known by IPv6, and a service with both.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
net_up6
for server in web1 web2 web3; do
	start_nginx "$server"
done

{
	conf_head
	cat <<-END

	[service six]
	listen = $VIP6 tcp/80
	scheduler = rr
	server = one $(server_ip 1)
	server = two $(server_ip 2)

	[service four]
	listen = $VIP tcp/80
	scheduler = rr
	server = three $SERVER_PREFIX6:13

	[service both]
	listen = $VIP tcp/8080
	listen = $VIP6 tcp/8080
	scheduler = rr
	server = one $(server_ip 1)
	server = three $SERVER_PREFIX6:13
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up six one two
wait_servers_up four three
wait_servers_up both one three

step "a VIP of IPv6, servers known by IPv4"
fetch_many 10 "$NET_DIR/pages" "[$VIP6]"
assert_equal "pages of six from web1 web2 web3" "5 5 0" "$(shares_of "$NET_DIR/pages")"

step "a VIP of IPv4, a server known by IPv6"
fetch_many 4 "$NET_DIR/pages" "$VIP"
assert_equal "pages of four from web1 web2 web3" "0 0 4" "$(shares_of "$NET_DIR/pages")"

step "one service on VIPs of both, with servers known by either"
fetch_many 6 "$NET_DIR/pages" "$VIP:8080"
assert_equal "pages of both by IPv4 from web1 web2 web3" "3 0 3" "$(shares_of "$NET_DIR/pages")"
fetch_many 6 "$NET_DIR/pages" "[$VIP6]:8080"
assert_equal "pages of both by IPv6 from web1 web2 web3" "3 0 3" "$(shares_of "$NET_DIR/pages")"
stop_dsrd
