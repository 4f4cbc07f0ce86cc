#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Whom dsrd believes about a real server's MAC address. A hostile host claims the servers' addresses as fast as it can,
# by
# ARP and neighbor discovery: no connection moves, and every frame goes to the real server. A server that moves to
# another
# port of the switch, gets another card, or whose address moves to another machine, is reached again within two seconds.
#
# Alone: it measures.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
DSRD_STATE=off
net_require nginx curl tcpdump arping python3
net_up 3
EVIL_MAC=02:00:00:00:00:66
net_host_add evil
net_attach evil eth0 lan "$EVIL_MAC" "$SERVER_PREFIX.66/24"
net_up6
net_ipv6_on evil
for server in web1 web2 web3; do
	start_nginx "$server"
done

# Checks by the director's kernel would use the kernel's own neighbor table, which believes every claim.
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	listen = $VIP6 tcp/80
	scheduler = rr
	check = none
	server = web1 $(server_ip 1)
	server = web2 $(server_ip6 2)

	[service one]
	listen = $VIP tcp/8080
	check = none
	vip-check = off
	server = web1 $(server_ip 1)

	[service six]
	listen = $VIP6 tcp/8080
	check = none
	vip-check = off
	server = web1 $(server_ip6 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
wait_log 10 "neighbor-found server=six/web1 .*mac=$(server_mac 1)"

step "a hostile host claims both addresses, as fast as it can"
# Two downloads, one from each server: a check's or a client's flow may come between.
held_servers() {
	for kept in $HELD; do
		server_of "$kept"
	done | sort -u | xargs
}
HELD=
for kept in kept1 kept2 kept3 kept4; do
	hold_download "$kept"
	HELD="$HELD $kept"
	[ "$(held_servers)" != "web1 web2" ] || break
done
# The director answers ARP requests of the hostile host, too.
capture director stolen "ether dst $EVIL_MAC and ((ip and dst host $VIP) or (ip6 and dst host $VIP6 and not icmp6))"
start_in evil forge python3 "$(dirname -- "$0")/forge.py" neighbor eth0 "$EVIL_MAC" "$DIRECTOR_MAC" "$(server_ip 1)" \
    "$(server_ip6 2)"
wait_log 10 "neighbor-conflict server=web/web1 address=$(server_ip 1) mac=$(server_mac 1) claimed-by=$EVIL_MAC .*decided=answers"
wait_log 10 "neighbor-conflict server=web/web2 .*mac=$(server_mac 2) claimed-by=.*decided=\\(answers\\|director\\)"
fetch_many 200 "$NET_DIR/pages"
fetch_many 200 "$NET_DIR/pages6" "[$VIP6]"
assert_equal "pages from web1 web2 web3, IPv4" "100 100 0" "$(shares_of "$NET_DIR/pages")"
assert_equal "pages from web1 web2 web3, IPv6" "100 100 0" "$(shares_of "$NET_DIR/pages6")"
ctl 0 show neighbors web/web1
said "$EVIL_MAC *answers"
ctl 0 why tcp "$CLIENT_IP:40000" "$VIP:8080"
said "MAC $EVIL_MAC claims the server's address too"
ctl 0 show web/web1
said "two machines claim its address"
ctl 1 doctor web/web1
said "two hosts claim the server's own address"
stop forge
for kept in $HELD; do
	is_running "$kept" || fail "the download $kept broke off"
done
assert_equal "servers of the downloads" "web1 web2" "$(held_servers)"
capture_end stolen
assert_equal "frames to the hostile host" 0 "$(capture_count stolen)"
assert_no_log "neighbor-changed"
assert_no_log "neighbor-lost"
assert_at_most "log lines of the conflicts" 12 "$(log_count 'neighbor-conflict server')"
dump_dsrd
echo "forged frames: $(sed -n 's/sent=//p' "$NET_DIR/forge.log"), requests of dsrd: $(counter neighbor_requests)"
for kept in $HELD; do
	stop "$kept"
done

# How long it takes from the change on until web1 answers there; in milliseconds. clock comes just before the change.
clock() {
	net_began=$(date +%s%N)
}

measure() { # WHAT URL
	wait_until 5 run_in client curl -gsf --max-time 0.1 -o /dev/null "$2" || fail "$1: no answer within 5 s"
	net_took=$((($(date +%s%N) - net_began) / 1000000))
	echo "$1: reached again after $net_took ms"
	assert_at_most "$1, milliseconds" 2000 "$net_took"
}

announce() { # HOST
	start_in "$1" announce arping -q -U -c 2 -w 2 -I eth0 "$(server_ip 1)"
}

# A claim of the hostile host may still be on trial, and would win against a server that is just being changed.
no_trial() {
	dump_dsrd
	net_requests=$(counter neighbor_requests)
	sleep 1 # a trial takes as long, and asks four times
	dump_dsrd
	[ "$(counter neighbor_requests)" = "$net_requests" ]
}
wait_until 20 no_trial || fail "the hostile host's claims are still on trial"

step "live migration: web1 is at another port of the switch, with its MAC address"
net_bridge_add far
ip -n "$NET-switch" link add far-lan type veth peer name lan-far
ip -n "$NET-switch" link set far-lan master far up
ip -n "$NET-switch" link set lan-far master lan up
clock
ip -n "$NET-switch" link set web1-eth0 master far
announce web1
measure "live migration" "http://$VIP:8080/"

step "web1 gets another network card, and announces it"
clock
mac_set web1 eth0 02:00:00:00:00:a1
announce web1
measure "another card, IPv4" "http://$VIP:8080/"
assert_log "neighbor-changed server=one/web1 .*mac=02:00:00:00:00:a1 before=$(server_mac 1) .*decided=old-mac-silent"

step "the same for IPv6, by an advertisement of its kernel"
ip -n "$NET-web1" address add "$(server_ip6 1)/64" dev eth0 nodad
run_in web1 sysctl -q -w net.ipv6.conf.eth0.ndisc_notify=1
clock
ip -n "$NET-web1" link set dev eth0 address 02:00:00:00:00:a2
measure "another card, IPv6" "http://[$VIP6]:8080/"
assert_log "neighbor-changed server=six/web1 .*mac=02:00:00:00:00:a2"

step "web1's address moves to web3, while web1 stays switched on"
clock
ip -n "$NET-web1" address delete "$(server_ip 1)/24" dev eth0
ip -n "$NET-web3" address add "$(server_ip 1)/24" dev eth0
announce web3
measure "another machine" "http://$VIP:8080/"
assert_log "neighbor-changed server=one/web1 .*mac=$(server_mac 3) before=02:00:00:00:00:a[12]"

step "neighbor = pin: web1 comes back, and an operator says so"
sed "s/^interval = .*/&\\nneighbor = pin/" "$NET_DIR/dsrd.conf" >"$NET_DIR/pinned.conf"
mv "$NET_DIR/pinned.conf" "$NET_DIR/dsrd.conf"
reload_dsrd ok
ip -n "$NET-web3" address delete "$(server_ip 1)/24" dev eth0
ip -n "$NET-web1" address add "$(server_ip 1)/24" dev eth0
announce web1
wait_log 5 "neighbor-conflict server=one/web1 .*mac=$(server_mac 3) claimed-by=02:00:00:00:00:a2 .*decided=pinned"
ctl 2 neighbor one/web1 "$DIRECTOR_MAC"
complained "the director's own MAC address"
clock
ctl 0 neighbor one/web1 02:00:00:00:00:a2
assert_log "admin server=one/web1 action=neighbor mac=02:00:00:00:00:a2 by=uid:0"
measure "an operator's word" "http://$VIP:8080/"
wait_log 5 "neighbor-conflict-end server=one/web1"
stop_dsrd
