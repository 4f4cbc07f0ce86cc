#!/bin/sh
# SPDX-License-Identifier: ISC
#
# max-connections: a full server is skipped; when all are full, new connections are dropped and counted; when one has
# ended there is room again. Open connections continue.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	timeout-fin = 1s
	timeout-closed = 1s
	timeout-syn = 1s
	server = web1 $(server_ip 1) max-connections=1
	server = web2 $(server_ip 2) max-connections=2
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

step "three downloads fill both servers"
for name in one two three; do
	hold_download "$name"
	server_of "$name"
done >"$NET_DIR/servers"
assert_equal "downloads at web1 web2 web3" "1 2 0" "$(shares_of "$NET_DIR/servers")"

step "a fourth finds no room"
if fetch / --connect-timeout 1 >/dev/null; then
	fail "a fourth connection was served"
fi
dump_dsrd
assert_at_least "frames dropped as servers-full" 1 "$(drop_count servers-full)"
for name in one two three; do
	is_running "$name" || fail "the download $name broke off"
done

step "one ends, and its server has room again"
freed=$(server_of two)
stop two
served() {
	[ "$(fetch / --connect-timeout 1)" = "$freed" ]
}
wait_until 10 served || fail "$freed takes no connection, although one of its connections has ended"
for name in one three; do
	is_running "$name" || fail "the download $name broke off"
done
stop_dsrd
