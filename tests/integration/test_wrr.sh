#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Weights are followed exactly, connection by connection, and the answers go directly from the servers to the client.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done

write_conf() { # SCHEDULER WEIGHT1 WEIGHT2 WEIGHT3
	conf_head >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = $1
	server = web1 $(server_ip 1) weight=$2
	server = web2 $(server_ip 2) weight=$3
	server = web3 $(server_ip 3) weight=$4
	END
}

expect_shares() { # SHARE1 SHARE2 SHARE3
	fetch_many $(($1 + $2 + $3)) "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "$1 $2 $3" "$(shares_of "$NET_DIR/pages")"
}

step "wrr with weights 5, 1, 1: 400 connections"
write_conf wrr 5 1 1
start_dsrd
wait_servers_up web web1 web2 web3
# Without the director's own VIP probe, whose answers are for the director.
capture director at-director "ip host $VIP and host $CLIENT_IP"
capture client at-client "ip src $VIP"
# 400 = 57 rounds of seven and one more, which is web1's.
expect_shares 286 57 57
capture_end at-director
capture_end at-client

step "the answers bypass the director"
assert_at_least "answers that the client saw from web1's MAC" 286 \
    "$(capture_count at-client "ether src $(server_mac 1)")"
assert_equal "frames from the VIP that came from another MAC than the servers'" 0 \
    "$(capture_count at-client "not ether src $(server_mac 1) and not ether src $(server_mac 2) and
	not ether src $(server_mac 3)")"
assert_at_least "frames to the VIP at the director" 800 "$(capture_count at-director "dst $VIP")"
# It sends VIP checks to the servers itself: their answers come to it.
assert_equal "frames from the VIP to the client at the director" 0 \
    "$(capture_count at-director "src $VIP and dst $CLIENT_IP")"
stop_dsrd

step "the order is smooth: a a b a c a a, then again"
start_dsrd
wait_servers_up web web1 web2 web3
fetch_many 14 "$NET_DIR/pages"
assert_equal "order of servers" "1121311 1121311 " "$(tr -d 'web\n' <"$NET_DIR/pages" | sed 's/......./& /g')"
stop_dsrd

step "rr ignores weights: 402 connections"
write_conf rr 5 1 1
start_dsrd
wait_servers_up web web1 web2 web3
expect_shares 134 134 134
stop_dsrd

step "weight 0 gets nothing"
write_conf wrr 3 0 1
start_dsrd
wait_servers_up web web1 web3
expect_shares 300 0 100
stop_dsrd
