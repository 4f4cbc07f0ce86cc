#!/bin/sh
# SPDX-License-Identifier: ISC
#
# 802.1Q: client and real servers are in VLAN 5, and the director's port carries their frames with the tag. Requests are
# forwarded with their tag; ARP requests and pings are answered in the VLAN. The director's own ARP requests are
# untagged and do not reach the servers, so their MAC addresses are configured. Hosts do not see the tags: their switch
# ports add and remove them. access_port.py does this, because a kernel may lack 802.1Q.
#
# Hosts do not know of it: their ports of the switch tag and untag. access_port.py makes them, since a kernel may lack
# 802.1Q.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump ping python3
net_up 2

into_vlan() { # HOST
	ip -n "$NET-switch" link set "$1-eth0" nomaster
	ip -n "$NET-switch" link add "$1-trunk" type veth peer name "$1-lan"
	ip -n "$NET-switch" link set "$1-trunk" up
	ip -n "$NET-switch" link set "$1-lan" master lan up
	run_in "$1" ethtool -K eth0 tx off tso off gso off gro off >/dev/null
	start_in switch "$1-port" python3 "$(dirname -- "$0")/access_port.py" "$1-eth0" "$1-trunk" 5
	wait_until 10 grep -q ready "$NET_DIR/$1-port.log" || fail "the port of $1 does not start"
}
for host in client web1 web2; do
	into_vlan "$host"
done
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = none
	vip-check = off
	server = web1 $(server_ip 1) mac=$(server_mac 1)
	server = web2 $(server_ip 2) mac=$(server_mac 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
capture director wire "ether host $DIRECTOR_MAC"

step "pages"
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "10 10 0" "$(shares_of "$NET_DIR/pages")"

step "10 MB up and down"
head -c 10000000 /dev/urandom >"$NET_DIR/original"
for server in web1 web2; do
	cp "$NET_DIR/original" "$NET_DIR/$server/www/file"
done
run_in client curl -sS --max-time 30 -H 'Expect:' -T "$NET_DIR/original" -o /dev/null "http://$VIP/up/copy" ||
	fail "the upload broke off"
cat "$NET_DIR"/web?/www/up/copy | cmp "$NET_DIR/original" - || fail "the upload differs"
run_in client curl -sS --max-time 30 -o "$NET_DIR/back" "http://$VIP/file" || fail "the download broke off"
cmp "$NET_DIR/original" "$NET_DIR/back" || fail "the download differs"

step "pings of the VIP"
run_in client ping -q -c 3 -i 0.2 -W 2 "$VIP" >/dev/null || fail "no answer to pings"
dump_dsrd
assert_equal "pings answered" 3 "$(counter echo_answers)"
assert_at_least "ARP answers" 1 "$(counter arp_answers)"

step "every frame for the VIP had its tag, on its way in and out"
capture_end wire
assert_equal "MAC of the VIP at the client" "$DIRECTOR_MAC" \
    "$(ip -n "$NET-client" neighbor show to "$VIP" dev eth0 | sed 's/.*lladdr \([0-9a-f:]*\).*/\1/')"
out="ether src $DIRECTOR_MAC"
assert_at_least "tagged frames to web1" 20 \
    "$(capture_count wire "$out and ether dst $(server_mac 1) and vlan 5 and ip")"
assert_at_least "tagged frames to web2" 20 \
    "$(capture_count wire "$out and ether dst $(server_mac 2) and vlan 5 and ip")"
assert_equal "untagged frames to the VIP" 0 "$(capture_count wire "ip dst $VIP")"
stop_dsrd
