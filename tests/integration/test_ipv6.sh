#!/bin/sh
# SPDX-License-Identifier: ISC
#
# An IPv6 VIP: web servers with IPv6 and IPv4 addresses, and an IPv4 VIP with the same servers. Only the director
# answers neighbor solicitations for the VIP, multicast and unicast; it announces the VIP and defends it against a host
# that claims it. Downloads over IPv6 arrive complete.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump bridge
net_up 2
net_up6
# A switch that sends a group's frames only to members, and knows no members at first: it queries each second.
ip -n "$NET-switch" link set lan type bridge mcast_snooping 1 mcast_querier 1 mcast_query_interval 100 \
    mcast_startup_query_interval 25 mcast_query_response_interval 20 || skip "this kernel's bridge knows no snooping"
for server in web1 web2; do
	start_nginx "$server"
done
capture client nd icmp6

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP6 tcp/80
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip6 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"

# Advertisements of the VIP: type 136, target 2001:db8::10.
about_vip='ip6[48:4] = 0x20010db8 and ip6[52:4] = 0 and ip6[56:4] = 0 and ip6[60:4] = 0x10'
advertised="icmp6 and ip6[40] = 136 and $about_vip"
asked="icmp6 and ip6[40] = 135 and $about_vip"

step "no host has the VIP before the director runs"
run_in client ping -q -c 1 -W 1 "$VIP6" >/dev/null && fail "a host answers for $VIP6 although no director runs"

start_dsrd
step "the start is announced to all hosts"
# Let all six pass, that none of them answers what is asked below.
wait_until 10 capture_has nd 6 "$advertised and ether src $DIRECTOR_MAC and ip6 dst ff02::1" ||
	fail "the VIP was not announced six times"
wait_servers_up web web1 web2

step "the switch knows the members of the VIP's group"
joined() {
	bridge -n "$NET-switch" mdb show dev lan | grep -q 'port director-eth0 grp ff02::1:ff00:10'
}
wait_until 10 joined || fail \
    "the director did not join the VIP's solicited-node group: $(bridge -n "$NET-switch" mdb show)"

step "pages over IPv6 and IPv4"
ip -n "$NET-client" -6 neighbor flush dev eth0
fetch_many 20 "$NET_DIR/pages" "[$VIP6]"
assert_equal "pages from web1 web2 web3 over IPv6" "10 10 0" "$(shares_of "$NET_DIR/pages")"
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3 over IPv4" "10 10 0" "$(shares_of "$NET_DIR/pages")"

vip_is() { # STATE: so the client knows the VIP, at the director's MAC
	ip -n "$NET-client" -6 neighbor show to "$VIP6" dev eth0 | grep -q "lladdr $DIRECTOR_MAC.* $1"
}

step "the client knows the director's MAC, and makes sure of it by unicast"
vip_is '' || fail "the client has another MAC for $VIP6, or none"
unicast="$asked and ether src $CLIENT_MAC and ether dst $DIRECTOR_MAC"
before=$(capture_count nd "$unicast")
ip -n "$NET-client" -6 neighbor replace "$VIP6" lladdr "$DIRECTOR_MAC" dev eth0 nud probe
wait_until 5 vip_is REACHABLE || fail "a unicast solicitation was not answered"
wait_until 5 capture_has nd $((before + 1)) "$unicast" || fail "no unicast solicitation was seen, so nothing was tested"

step "a host that claims the VIP is informed that it is taken"
run_in client sysctl -q -w net.ipv6.conf.all.accept_dad=1 net.ipv6.conf.eth0.accept_dad=1
# The answer goes to all hosts, because the sender has no address yet.
answered="$advertised and ether src $DIRECTOR_MAC and ip6 dst ff02::1"
before=$(capture_count nd "$answered")
ip -n "$NET-client" address add "$VIP6/64" dev eth0
dad_failed() {
	ip -n "$NET-client" -6 address show dev eth0 dadfailed | grep -q "$VIP6/64"
}
wait_until 5 dad_failed || fail "the client took $VIP6: its duplicate address detection had no answer"
wait_until 5 capture_has nd $((before + 1)) "$answered" || fail "the director did not say that it has the VIP"
ip -n "$NET-client" address delete "$VIP6/64" dev eth0

step "10 MB down over IPv6, unfinished checksums and super-frames included"
head -c 10000000 /dev/urandom >"$NET_DIR/original"
for server in web1 web2; do
	cp "$NET_DIR/original" "$NET_DIR/$server/www/file"
done
for try in 1 2; do
	run_in client curl -sS --max-time 30 -o "$NET_DIR/copy" "http://[$VIP6]/file" || fail "download $try broke off"
	cmp "$NET_DIR/original" "$NET_DIR/copy" || fail "download $try differs"
done
step "and 10 MB up"
for try in 1 2; do
	run_in client curl -sS --max-time 30 -H 'Expect:' -T "$NET_DIR/original" -o /dev/null \
	    "http://[$VIP6]/up/copy$try" ||
		fail "upload $try broke off"
	cat "$NET_DIR"/web?/www/up/copy$try | cmp "$NET_DIR/original" - || fail "upload $try differs"
done
dump_dsrd
# Split where the wire begins.
if [ "${DSRD_OFFLOAD:-off}" = off ]; then
	assert_at_least "super-frames that went out whole" 10 "$(counter frames_whole)"
else
	assert_at_least "offloaded frames" 10 "$(counter offloaded)"
fi
assert_equal "frames dropped as too big" 0 "$(drop_count too-big)"
assert_at_least "advertisements given: multicast, unicast, detection" 3 "$(counter ndp_answers)"

step "a stopped director is silent"
stop_dsrd
ip -n "$NET-client" -6 neighbor flush dev eth0
run_in client ping -q -c 1 -W 1 "$VIP6" >/dev/null && fail "a host still answers for $VIP6"

step "no other host advertised the VIP"
capture_end nd
assert_equal "advertisements of the VIP by others" 0 "$(capture_count nd "$advertised and not ether src $DIRECTOR_MAC")"
assert_at_least "advertisements of the VIP by the director" 3 \
    "$(capture_count nd "$advertised and ether src $DIRECTOR_MAC")"
