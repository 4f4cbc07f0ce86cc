#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The director's interface loses its link, recovers, and gets another MAC address: the system notifies dsrd immediately,
# which logs it, announces the VIP again, and continues to forward.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
net_up 1
start_nginx web1

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1
assert_equal "page" web1 "$(fetch /)"
assert_no_log "interface-news result=failed"

page_comes() {
	[ "$(fetch / --max-time 1)" = web1 ]
}

# Within two seconds, where looking in intervals would take up to five.
step "the switch's side goes down: the director has no link"
capture client announced "arp and src host $VIP"
link_set switch director-eth0 down
wait_log 2 "no-link problem=begin subject=eth0"
step "and comes back: the VIP is announced again"
link_set switch director-eth0 up
wait_log 2 "no-link problem=end subject=eth0"
wait_until 3 capture_has announced 1 "ether src $DIRECTOR_MAC" ||
	fail "the VIP was not announced when the link came back"
wait_until 10 page_comes || fail "no page after the link came back"

step "another MAC address: clients learn it immediately"
mac_set director eth0 02:00:00:00:00:a1
wait_log 2 "interface-changed interface=eth0 mac=02:00:00:00:00:a1"
wait_until 3 capture_has announced 1 "ether src 02:00:00:00:00:a1" || fail "the new MAC was not announced"
capture_end announced
wait_until 10 page_comes || fail "no page by the new MAC"

step "down by its own administrator: down, up, served"
link_set director eth0 down
wait_log 2 "interface-down problem=begin subject=eth0 .*fix=\"ip link set dev eth0 up\""
link_set director eth0 up
wait_log 3 "interface-down problem=end subject=eth0"
wait_until 15 page_comes || fail "no page after the interface was up again"
assert_no_log "filter .*result=failed"
stop_dsrd
