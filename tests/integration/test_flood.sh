#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two million forged SYNs while curl fetches pages: no request fails, an earlier download continues, half-open flows
# keep to their share of the flow table, and the director's memory does not grow.
#
# Alone: two million frames take a processor from whatever else runs, and requests may fail when they share it.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
FLOOD=$BUILD_DIR/tests/integration/flood
[ -x "$FLOOD" ] || fail "there is no $FLOOD: type make"
CONNECTIONS=16384 # an eighth, 2048, for half-open ones
# The VIP probe's answers come by the capture, whose ring overflows in a flood: what is lost there takes no server down.
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head | sed "s/^log = stderr/&\\nconnections = $CONNECTIONS/"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wlc
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
hold_download before

flows() {
	sed -n 's/.*flows count=\([0-9]*\).*/\1/p' "$NET_DIR/dump" | tail -n 1
}
memory() { # in KiB
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(pid_of dsrd)/status"
}

step "100 000 SYNs fill the share of half-open flows"
run_in client "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 100000 100000
dump_dsrd
assert_at_least "flows" 2048 "$(flows)"
assert_at_most "flows: an eighth of the table and a few" 2100 "$(flows)"
assert_at_least "SYNs sent by hash" 10000 "$(counter by_hash)"
hashed=$(counter by_hash)
memory=$(memory)

step "1 000 000 SYNs and as many ACKs while curl asks"
start_in client flood "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 2000000 100000 acks
asked=0
while is_running flood; do
	# Each page is a new connection, half-open itself until its ACK. TCP sends again what a full queue loses.
	run_in client timeout 60 curl -sS --max-time 30 -H 'Connection: close' "http://$VIP/?[1-20]" >>"$NET_DIR/pages" ||
		fail "a request failed in the flood, after $asked pages"
	asked=$((asked + 20))
done
stop flood
assert_equal "exit status of the flood" 0 "$STOP_STATUS"
step "$(cat "$NET_DIR/flood.log"); $asked pages"
assert_at_least "pages asked for meanwhile" 40 "$asked"
assert_equal "pages from web1 and web2 together" "$asked" "$(grep -c -x 'web[12]' "$NET_DIR/pages")"
is_running before || fail "the download that began before the flood broke off"

assert_no_log 'server-state .*from=up to=down'
dump_dsrd
assert_equal "frames without a server" 0 "$(drop_count no-server)"
step "$(counter by_hash) frames by hash, $(flows) flows, $(memory) KiB (before: $memory)"
assert_at_least "SYNs sent by hash" $((hashed + 500000)) "$(counter by_hash)"
# Pages leave flows that have ended, for two minutes.
assert_at_most "flows: both shares, and pages" $((2 * 2048 + 100 + asked)) "$(flows)"
assert_at_most "KiB of memory grown in the flood" 1024 $(($(memory) - memory))
stop_dsrd
