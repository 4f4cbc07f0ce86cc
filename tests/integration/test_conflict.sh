#!/bin/sh
# SPDX-License-Identifier: ISC
#
# VIP conflicts: a server that answers ARP for the VIP, announces it or uses it as sender, and another machine that has
# it. Each is reported by its MAC address, logged once with the fix, and handled as vip-conflict says. A correct setup
# has no conflicts.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump arping
net_up 2
STRANGER_MAC=02:00:00:00:00:66
PROBE=$SERVER_PREFIX.250
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
SOCKET=$NET_DIR/dsrd.sock
vip_hex=$(printf '0x%02x%02x%02x%02x' 192 0 2 10)
for server in web1 web2; do
	start_nginx "$server"
done
net_host_add stranger
net_attach stranger eth0 lan "$STRANGER_MAC" "$SERVER_PREFIX.66/24"

write_conf() { # REACTION
	{
		conf_head | sed "s/^log = .*/&\\nprobe-address = $PROBE/"
		cat <<-END
		vip-conflict = $1

		[service web]
		listen = $VIP tcp/80
		scheduler = rr
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2)
		END
	} >"$NET_DIR/dsrd.conf"
}

conflict() { # KIND MAC SERVER
	echo "vip-conflict kind=$1 vip=$VIP mac=$2 server=$3 interface=eth0"
}

step "a correct setup: no conflicts"
write_conf log
capture client asked arp
start_dsrd
wait_servers_up web web1 web2
fetch_many 10 "$NET_DIR/pages"
# By then it has sent three probes.
wait_until 10 capture_has asked 3 \
    "arp[6:2] = 1 and arp[14:4] = 0 and arp[24:4] = $vip_hex and ether src $DIRECTOR_MAC" ||
	fail "the director did not probe for other hosts that have the VIP"
dump_dsrd
assert_no_log 'conflict kind='

step "a server that sends requests with the VIP as sender: arp_announce = 0, and a neighbor that it does not know yet"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=0
run_in web1 ip neigh flush dev eth0
fetch_many 4 "$NET_DIR/pages"
wait_log 10 "$(conflict requests-as "$(server_mac 1)" web/web1).*arp_announce=2"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=2
run_in web1 ip neigh flush dev eth0

step "a server that announces the VIP"
run_in web2 arping -q -U -c 1 -I eth0 -s "$VIP" "$VIP" || true
wait_log 10 "$(conflict announces "$(server_mac 2)" web/web2)"

step "another machine announces it, and is not taken for a server"
ip -n "$NET-stranger" address add "$VIP/32" dev eth0
run_in stranger arping -q -A -c 1 -I eth0 -s "$VIP" "$VIP" || true
wait_log 10 "$(conflict announces "$STRANGER_MAC" unknown).*Find the machine with MAC"
ip -n "$NET-stranger" address delete "$VIP/32" dev eth0

step "each is logged once"
run_in web2 arping -q -U -c 2 -I eth0 -s "$VIP" "$VIP" || true
sleep 1.5
assert_equal "lines about web2" 1 "$(log_count "$(conflict announces "$(server_mac 2)" web/web2)")"
dump_dsrd
grep -q " conflict kind=announces vip=$VIP mac=$(server_mac 2) server=web/web2 interface=eth0 count=[3-9]" \
    "$NET_DIR/dump" ||
	fail "the dump does not count web2's announcements"
stop_dsrd

step "a server that answers ARP for the VIP is found by asking"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
start_dsrd
wait_log 10 "$(conflict answers "$(server_mac 1)" web/web1).*arp_ignore=1"
assert_equal "web1's state" up "$(server_state web/web1)"
stop_dsrd

step "a machine that has the VIP too, likewise"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1
ip -n "$NET-stranger" address add "$VIP/32" dev eth0
start_dsrd
wait_log 10 "$(conflict answers "$STRANGER_MAC" unknown)"

step "it loses the VIP: the director notices, announces the VIP again, and shows the conflict no longer"
run_in client ip neigh replace "$VIP" lladdr "$STRANGER_MAC" dev eth0 nud reachable
"$DSRCTL" -s "$SOCKET" show | grep -q "$STRANGER_MAC" || fail "dsrctl show does not have the conflict"
ip -n "$NET-stranger" address delete "$VIP/32" dev eth0
wait_log 12 "vip-conflict-end kind=answers vip=$VIP mac=$STRANGER_MAC"
knows_director() {
	ip -n "$NET-client" neigh show "$VIP" | grep -q "$DIRECTOR_MAC"
}
wait_until 3 knows_director || fail "the VIP was not announced again after the conflict"
"$DSRCTL" -s "$SOCKET" show | grep "$STRANGER_MAC.*answers for" && fail "dsrctl show still has the conflict"
stop_dsrd

step "vip-conflict = announce: the VIP is announced again"
write_conf announce
start_dsrd
wait_servers_up web web1 web2
sleep 3.5 # the announcements of the start
capture client announced "arp and ether src $DIRECTOR_MAC and arp[14:4] = $vip_hex and arp[24:4] = $vip_hex"
run_in web2 arping -q -U -c 1 -I eth0 -s "$VIP" "$VIP" || true
wait_until 10 capture_has announced 2 arp || fail "the VIP was not announced again"
assert_equal "the client's idea of the VIP" "$DIRECTOR_MAC" \
    "$(fetch / >/dev/null; ip -n "$NET-client" neigh show "$VIP" | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p')"
capture_end announced
stop_dsrd

step "vip-conflict = remove: the server is taken out until it is quiet"
write_conf remove
start_dsrd
wait_servers_up web web1 web2
run_in web2 arping -q -U -c 1 -I eth0 -s "$VIP" "$VIP" || true
wait_log 10 'server-state server=web/web2 from=up to=down reason="it answers ARP for the VIP or announces it (vip-conflict = remove)"'
# The client believed web2, until the director announced the VIP again.
only_web1() {
	fetch_many 4 "$NET_DIR/pages"
	[ "$(shares_of "$NET_DIR/pages")" = "4 0 0" ]
}
wait_until 5 only_web1 || fail "clients still reach web2"
back() {
	server_is up web/web2
}
wait_until 70 back || fail "web2 did not come back after a minute of silence"
stop_dsrd
