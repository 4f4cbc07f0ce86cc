#!/bin/sh
# SPDX-License-Identifier: ISC
# Frames for a VIP are kept from the director's own network stack: with IP forwarding on, none is routed a second time,
# and the withheld addresses follow the VIPs. However the daemon ends, the stack sees these frames again.
#
# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"

net_require nginx curl nft tc
net_up 1
start_nginx web1

write_conf() { # WITHHOLD
	{
		conf_head | sed "s/^offload.*/&\\nwithhold = $1/"
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		server = web1 $(server_ip 1)
		END
	} >"$NET_DIR/dsrd.conf"
}

# What the director's stack gets to see of the VIP, and routes: counted where it begins and where it ends.
run_in director nft "add table ip seen; add chain ip seen begin { type filter hook prerouting priority 0; };
    add rule ip seen begin ip daddr $VIP counter; add chain ip seen routed { type filter hook forward priority 0; };
    add rule ip seen routed ip daddr $VIP counter"
run_in director sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.eth0.forwarding=1 net.ipv4.conf.all.send_redirects=0 \
    net.ipv4.conf.eth0.send_redirects=0

count_of() { # begin|routed
	run_in director nft list chain ip seen "$1" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

director_answers() {
	run_in client ping -q -c 1 -W 1 "$SERVER_PREFIX.1"
}

step "without it, the stack routes a second copy of each frame, and dsrd warns of that"
write_conf no
start_dsrd
wait_servers_up web web1
fetch >"$NET_DIR/page" || true
assert_at_least "frames that the director's stack saw" 1 "$(count_of begin)"
assert_at_least "frames that it routed" 1 "$(count_of routed)"
assert_log 'forwarding problem=begin subject=eth0'
stop_dsrd

step "with it, the stack sees no frames, and everything else continues"
write_conf yes
start_dsrd
if grep -q 'withhold result=failed' "$NET_DIR/dsrd.log"; then
	skip "this machine cannot: $(grep 'withhold result=failed' "$NET_DIR/dsrd.log")"
fi
assert_log 'withhold interface=eth0 result=on'
assert_no_log 'forwarding problem=begin'
wait_servers_up web web1
before=$(count_of begin) routed=$(count_of routed)
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages" 20 "$(count_lines web1 "$NET_DIR/pages")"
assert_equal "frames that the director's stack saw" 0 $(($(count_of begin) - before))
assert_equal "frames that it routed" 0 $(($(count_of routed) - routed))
director_answers || fail "the director's own address does not answer"
run_in client ping -q -c 1 -W 1 "$VIP" >/dev/null || fail "the VIP does not answer pings"

step "in every moment of some seconds"
for round in 1 2 3 4 5 6 7 8; do
	fetch_many 100 "$NET_DIR/pages"
	assert_equal "pages in round $round" 100 "$(count_lines web1 "$NET_DIR/pages")"
	sleep 0.1 # not in step with the heartbeat of a second
done
assert_equal "frames that the director's stack saw" 0 $(($(count_of begin) - before))
if [ "${DSRD_OFFLOAD:-off}" != off ] && ! grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
	dump_dsrd
	assert_at_least "offloaded frames" 800 "$(counter offloaded)"
fi

step "an address that is no VIP any longer is withheld no longer"
sed -i "s/$VIP tcp/$SERVER_PREFIX.20 tcp/" "$NET_DIR/dsrd.conf"
reload_dsrd ok
run_in client ip neighbour replace "$VIP" lladdr "$DIRECTOR_MAC" dev eth0
before=$(count_of begin)
fetch / --max-time 1 >"$NET_DIR/page" || true
assert_at_least "frames that the director's stack saw" 1 $(($(count_of begin) - before))
sed -i "s/$SERVER_PREFIX.20 tcp/$VIP tcp/" "$NET_DIR/dsrd.conf"
reload_dsrd ok
before=$(count_of begin)
fetch >"$NET_DIR/page" || fail "the page does not come"
assert_equal "frames that the director's stack saw" 0 $(($(count_of begin) - before))

stack_sees() {
	fetch / --max-time 1 >"$NET_DIR/page" || true
	[ "$(count_of begin)" -gt "$before" ]
}

step "a daemon that hangs withholds nothing after some seconds"
signal_dsrd STOP
wait_until 10 stack_sees || fail "a stopped daemon still withholds"
signal_dsrd CONT
serves() {
	[ "$(fetch)" = web1 ]
}
wait_until 10 serves || fail "the daemon does not forward after it was continued"

step "killed, it leaves nothing behind"
stop dsrd KILL
before=$(count_of begin)
wait_until 10 stack_sees || fail "frames are withheld after the daemon's end"

step "an end in peace neither"
start_dsrd
wait_servers_up web web1
stop_dsrd
before=$(count_of begin)
wait_until 5 stack_sees || fail "frames are withheld after the daemon's end"
[ -z "$(run_in director tc filter show dev eth0 ingress)" ] || fail "a filter stays at tc"
