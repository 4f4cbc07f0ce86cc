#!/bin/sh
# SPDX-License-Identifier: ISC
#
# max-connections: a full server is skipped; when all are full, new connections are dropped and counted; when one has
# ended there is room again. Open connections continue. limit-new: new connections beyond the limit are dropped, and open
# ones continue; a reload takes the limit away.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
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

step "limit-new: of ten connections at once one begins, and the downloads continue"
sed -i 's/ max-connections=.*//; s/^scheduler = .*/&\nlimit-new = 1\/s per-client=1\/s/' "$NET_DIR/dsrd.conf"
reload_dsrd ok
run_in client curl -s -Z --parallel-immediate --parallel-max 10 --max-time 1 -o /dev/null "http://$VIP/?[1-10]" 2>"$NET_DIR/progress" || :
dump_dsrd
assert_at_least "frames dropped as limit-new" 8 "$(drop_count limit-new)"
for name in one three; do
	is_running "$name" || fail "the download $name broke off"
done
wait_log 5 'limit-new problem=begin subject=web'
run_in director "$DSRCTL" -s "$NET_DIR/dsrd.sock" doctor >"$NET_DIR/said" || :
grep -q 'service web drops new connections' "$NET_DIR/said" || fail "doctor: $(cat "$NET_DIR/said")"
run_in director "$DSRCTL" -s "$NET_DIR/dsrd.sock" -j show >"$NET_DIR/said"
grep -q '"limit_new":1,"limited":[1-9]' "$NET_DIR/said" || fail "show: $(cat "$NET_DIR/said")"

step "a reload without it: connections begin, and the downloads continue"
sed -i '/^limit-new/d' "$NET_DIR/dsrd.conf"
reload_dsrd ok
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages" 20 "$(wc -l <"$NET_DIR/pages")"
for name in one three; do
	is_running "$name" || fail "the download $name broke off"
done
stop_dsrd
