#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Weighted least connections: long downloads are held open, and a new connection goes where the load is least for the
# server's weight.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
	head -c 2000000 /dev/zero >"$NET_DIR/$server/www/long"
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
for server in web1 web2 web3; do
	wait_server up "web/$server"
done

# One download that goes on for a minute; the file NUMBER.head names its server.
hold_download() { # NUMBER
	start_in client "download$1" curl -sN -H 'Connection: close' -D "$NET_DIR/$1.head" -o /dev/null "http://$VIP/slow/long"
	wait_until 5 grep -q '^X-Server:' "$NET_DIR/$1.head" || fail "download $1 does not begin"
}

server_of() { # NUMBER
	sed -n 's/^X-Server: \([a-z0-9]*\).*/\1/p' "$NET_DIR/$1.head"
}

# How many of the downloads that were begun went to each server.
shares() { # NUMBER...
	for number; do
		server_of "$number"
	done >"$NET_DIR/shares"
	echo "$(count_lines web1 "$NET_DIR/shares") $(count_lines web2 "$NET_DIR/shares") $(count_lines web3 "$NET_DIR/shares")"
}

step "eight downloads, weights 2, 1, 1"
for number in 1 2 3 4 5 6 7 8; do
	hold_download "$number"
done
assert_equal "downloads on web1 web2 web3" "4 2 2" "$(shares 1 2 3 4 5 6 7 8)"

step "web2's downloads end: the next two connections go there"
for number in 1 2 3 4 5 6 7 8; do
	if [ "$(server_of "$number")" = web2 ]; then
		stop "download$number"
	fi
done
hold_download 9
hold_download 10
assert_equal "the two new downloads on web1 web2 web3" "0 2 0" "$(shares 9 10)"

step "the director counts them as active"
dump_dsrd
assert_equal "web1's connections that carry data" 4 "$(server_value web/web1 active)"
assert_equal "web2's connections that carry data" 2 "$(server_value web/web2 active)"
stop_dsrd
