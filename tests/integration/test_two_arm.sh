#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two arms: clients on one interface, real servers on another, whose answers return through a router. A server's
# interface is found by its address, or configured.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
net_up 3 two-arm
for server in web1 web2 web3; do
	start_nginx "$server"
done

write_conf() { # SERVER-OPTION
	conf_head >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wrr
	server = web1 $(server_ip 1) weight=2 $1
	server = web2 $(server_ip 2) weight=1 $1
	server = web3 $(server_ip 3) weight=1 $1
	END
}

try_pages() {
	start_dsrd
	wait_servers_up web web1 web2 web3
	fetch_many 200 "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "100 50 50" "$(shares_of "$NET_DIR/pages")"
	stop_dsrd
}

step "servers are found by their address"
write_conf ''
# Without the director's own VIP probe, whose answers are for the director.
capture director front "ip host $VIP and host $CLIENT_IP" eth0
capture director back "ip host $VIP and host $CLIENT_IP or arp host $VIP" eth1
capture router way-home "ip src $VIP and dst $CLIENT_IP" eth0
try_pages
for name in front back way-home; do
	capture_end "$name"
done

step "in by the front, out by the back with the back's MAC, answers by the router"
assert_at_least "frames to the VIP on the client side" 400 "$(capture_count front "dst $VIP")"
assert_equal "frames to the VIP on the server side that lack the director's MAC there" 0 \
    "$(capture_count back "ip dst $VIP and not ether src 02:00:00:00:00:02")"
assert_at_least "frames to the VIP on the server side" 400 "$(capture_count back "ip dst $VIP")"
assert_equal "answers at the director" 0 "$(($(capture_count front "src $VIP") + $(capture_count back "ip src $VIP")))"
assert_at_least "answers at the router" 400 "$(capture_count way-home "src $VIP")"

step "no host on the server side learns of the VIP"
assert_equal "ARP for the VIP on the server side" 0 "$(capture_count back "arp")"

step "servers with interface=eth1"
write_conf interface=eth1
try_pages
