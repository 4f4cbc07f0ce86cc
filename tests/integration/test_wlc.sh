#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Weighted least connections: long downloads are held open, and a new connection goes to the server with the least load
# for its weight.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wlc
	server = web1 $(server_ip 1) weight=2
	server = web2 $(server_ip 2) weight=1
	server = web3 $(server_ip 3) weight=1
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3

# How many of the downloads that were begun went to each server.
shares() { # NUMBER...
	for number; do
		server_of "download$number"
	done >"$NET_DIR/shares"
	shares_of "$NET_DIR/shares"
}

step "eight downloads, weights 2, 1, 1"
for number in 1 2 3 4 5 6 7 8; do
	hold_download "download$number"
done
assert_equal "downloads on web1 web2 web3" "4 2 2" "$(shares 1 2 3 4 5 6 7 8)"

step "web2's downloads end: the next two connections go there"
for number in 1 2 3 4 5 6 7 8; do
	if [ "$(server_of "download$number")" = web2 ]; then
		stop "download$number"
	fi
done
hold_download download9
hold_download download10
assert_equal "the two new downloads on web1 web2 web3" "0 2 0" "$(shares 9 10)"

step "the director counts them as active"
dump_dsrd
assert_equal "web1's connections that carry data" 4 "$(server_value web/web1 active)"
assert_equal "web2's connections that carry data" 2 "$(server_value web/web2 active)"
stop_dsrd
