#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A server that dies gets no new connections and returns when it is back; weight 0 drains; a backup server is used only
# when no other one is available; every change is logged with its reason.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done

write_conf() { # WEIGHT-OF-WEB1
	conf_head >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1) weight=$1
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3) backup
	END
}

expect_pages() { # COUNT SHARES
	fetch_many "$1" "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "$2" "$(shares_of "$NET_DIR/pages")"
}

write_conf 1
start_dsrd
wait_servers_up web web1 web2 web3

step "the backup gets nothing while others are up"
expect_pages 40 "20 20 0"

step "web1's web server dies, a download on web2 continues"
hold_download one
hold_download two
survivor=one
[ "$(server_of one)" = web2 ] || survivor=two
assert_equal "server of the download that is to survive" web2 "$(server_of "$survivor")"
stop_nginx web1
wait_server down web/web1
assert_log 'server-state server=web/web1 from=up to=down reason="tcp/80: connection refused'
expect_pages 40 "0 40 0"

step "web2 dies: the backup serves"
stop_nginx web2
wait_server down web/web2
expect_pages 10 "0 0 10"

step "all are down: no answer, and a counter says why"
stop_nginx web3
wait_server down web/web3
if fetch / --connect-timeout 1 >/dev/null; then
	fail "a server answered, although all servers are down"
fi
dump_dsrd
assert_at_least "frames dropped for want of a server" 1 "$(drop_count no-server)"

step "they return"
for server in web1 web2 web3; do
	start_nginx "$server"
done
wait_servers_up web web1 web2 web3
assert_log 'server-state server=web/web1 from=down to=up'
expect_pages 40 "20 20 0"

step "a server that falls silent"
ip -n "$NET-web2" link set eth0 down
wait_server down web/web2
assert_log 'server-state server=web/web2 from=up to=down reason="tcp/80: \(timeout\|host or network unreachable\)"'
expect_pages 10 "10 0 0"
ip -n "$NET-web2" link set eth0 up
wait_server up web/web2
wait_until 10 expect_pages 20 "10 10 0" || fail "web2 is up again but does not get its share"

step "weight 0 drains: the connection stays, new ones go elsewhere"
hold_download three
hold_download four
stays=three
[ "$(server_of three)" = web1 ] || stays=four
assert_equal "server of the download that is to stay" web1 "$(server_of "$stays")"
write_conf 0
reload_dsrd ok
expect_pages 20 "0 20 0"
dump_dsrd
assert_equal "web1's state" draining "$(server_value web/web1 state)"
assert_equal "connections left on web1" 1 "$(server_value web/web1 active)"
is_running "$stays" || fail "the download on the draining server broke off"
stop_dsrd
