#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Kinds of interfaces that Linux has for a director: bonds (active-backup and 802.3ad) whose first cable is pulled, a VLAN, a
# VLAN on a bond, a bridge with a real server of its own, macvlan. Each forwards, answers ARP with its own MAC address and
# is no problem. A port of a bond or of a bridge, and ipvlan, are reported with what to use instead, by the
# doctor and by dsrd -n. Runs in user-mode-linux where this kernel lacks bonds.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
DSRD_STATE=off
net_require nginx curl
net_kernel bond vlan macvlan ipvlan
net_up 1
net_attach director eth1 lan 02:00:00:00:00:02 none
ip -n "$NET-director" address flush dev eth0
start_nginx web1

director_ip() {
	ip -n "$NET-director" "$@"
}

switch_ip() {
	ip -n "$NET-switch" "$@"
}

# The director's address is on that interface, which is up.
with_address() { # INTERFACE
	director_ip address add "$SERVER_PREFIX.1/24" dev "$1"
	director_ip link set "$1" up
}

start_on() { # INTERFACE SERVERS
	{
		conf_head | sed "s/^interface = eth0/interface = $1/"
		printf '\n[service web]\nlisten = %s tcp/80\nscheduler = rr\nserver = web1 %s\n' "$VIP" "$(server_ip 1)"
		[ "$2" = 1 ] || printf 'server = web2 %s\n' "$(server_ip 2)"
	} >"$NET_DIR/dsrd.conf"
	ip -n "$NET-client" neighbor flush all
	start_dsrd
	wait_server up web/web1
}

pages() { # PAGES OF WEB1 AND WEB2
	fetch_many 10 "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "$1" "$(shares_of "$NET_DIR/pages")"
}

can_fetch() {
	fetch "" --max-time 1
}

# It forwards, answers for the VIP with its own address, and nothing is wrong.
works_on() { # INTERFACE [SERVERS]
	start_on "$1" "${2:-1}"
	[ "${2:-1}" = 1 ] || wait_server up web/web2
	if [ "${2:-1}" = 1 ]; then pages "10 0 0"; else pages "5 5 0"; fi
	assert_equal "the VIP's MAC address at the client" "$(director_ip -o link show "$1" | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')" \
	    "$(ip -n "$NET-client" neighbor show to "$VIP" dev eth0 | sed 's/.*lladdr \([0-9a-f:]*\).*/\1/')"
	assert_no_log 'problem=begin'
	assert_no_log 'server-state .* to=down'
}

# Neither the doctor nor dsrd -n has anything to say.
is_well() { # the interface in the configuration
	ctl 0 doctor
	run_in director "$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/fit" 2>&1 || fail "dsrd -n refuses $1"
	! grep warning "$NET_DIR/fit" >&2 || fail "dsrd -n warns of $1"
}

# That is reported, by the log, the doctor and -n, and with that advice.
is_refused() { # INTERFACE PROBLEM ADVICE
	wait_log 10 " $2 problem=begin subject=$1 "
	ctl 1 doctor
	said "^WRONG .*\\[$2\\]\$"
	run_in director "$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/fit" 2>&1 || true
	tr -s '\n ' '  ' <"$NET_DIR/said" | grep -q -e "$3" || fail "the doctor does not say '$3'"
	grep -q -e "$3" "$NET_DIR/fit" || {
		cat "$NET_DIR/fit" >&2
		fail "dsrd -n does not say '$3'"
	}
	stop_dsrd
}

step "active-backup: the active cable is pulled"
director_ip link set eth0 down
director_ip link set eth1 down
director_ip link add bond0 type bond mode active-backup miimon 50
director_ip link set eth0 master bond0
director_ip link set eth1 master bond0
with_address bond0
works_on bond0
link_set switch director-eth0 down
wait_until 10 can_fetch || fail "nothing is forwarded by the other cable"
assert_no_log 'no-link problem=begin'
is_well bond0
link_set switch director-eth0 up
stop_dsrd

step "a port of it"
start_on eth1 1
is_refused eth1 interface-port 'interface = bond0'

step "a VLAN on it"
director_ip address flush dev bond0
director_ip link add link bond0 name bond0.5 type vlan id 5
for end in director-eth0 director-eth1; do
	switch_ip link set "$end" nomaster
	switch_ip link add link "$end" name "$end.5" type vlan id 5
	switch_ip link set "$end.5" master lan up
done
with_address bond0.5
works_on bond0.5
stop_dsrd
director_ip link delete bond0.5

step "802.3ad: a bond at both ends"
director_ip link delete bond0
director_ip link set eth0 down
director_ip link set eth1 down
director_ip link add bond0 type bond mode 802.3ad miimon 50 lacp_rate fast
director_ip link set eth0 master bond0
director_ip link set eth1 master bond0
switch_ip link add trunk type bond mode 802.3ad miimon 50 lacp_rate fast
for end in director-eth0 director-eth1; do
	switch_ip link delete "$end.5"
	switch_ip link set "$end" down
	switch_ip link set "$end" master trunk
done
switch_ip link set trunk master lan up
with_address bond0
aggregated() {
	[ "$(run_in director grep -c 'port state: 63' /proc/net/bonding/bond0)" -eq 4 ]
}
wait_until 20 aggregated || {
	run_in director cat /proc/net/bonding/bond0 >&2
	fail "the two ends do not agree on the aggregate"
}
works_on bond0
link_set switch director-eth0 down
wait_until 10 can_fetch || fail "nothing is forwarded by the other cable"
link_set switch director-eth0 up
stop_dsrd
director_ip link delete bond0
switch_ip link delete trunk

step "a VLAN"
switch_ip link set director-eth0 up
switch_ip link add link director-eth0 name director-eth0.5 type vlan id 5
switch_ip link set director-eth0.5 master lan up
director_ip link set eth0 up
director_ip link add link eth0 name eth0.5 type vlan id 5
with_address eth0.5
works_on eth0.5
stop_dsrd
director_ip link delete eth0.5
switch_ip link delete director-eth0.5

step "a bridge, with a real server behind another of its ports"
switch_ip link set director-eth0 master lan up
director_ip link add br0 type bridge forward_delay 0
director_ip link set eth0 master br0
net_host_add web2
net_server_prepare web2
ip -n "$NET-web2" link add eth0 address "$(server_mac 2)" type veth peer name guest netns "$NET-director"
ip -n "$NET-web2" address add "$(server_ip 2)/24" dev eth0
ip -n "$NET-web2" link set eth0 up
vip_add web2 "$VIP"
director_ip link set guest master br0 up
start_nginx web2
with_address br0
works_on br0 2
is_well br0
stop_dsrd

step "a port of it"
start_on eth0 1
is_refused eth0 interface-port 'interface = br0'
director_ip link set eth0 nomaster
director_ip link delete br0

step "macvlan"
director_ip link add link eth0 name mv0 address 02:00:00:00:00:77 type macvlan mode bridge
with_address mv0
works_on mv0
stop_dsrd
director_ip link delete mv0

for mode in l2 l3; do
	step "ipvlan, $mode"
	director_ip link add link eth0 name iv0 type ipvlan mode "$mode"
	with_address iv0
	sed 's/^interface = .*/interface = iv0/' "$NET_DIR/dsrd.conf" >"$NET_DIR/iv0.conf"
	mv "$NET_DIR/iv0.conf" "$NET_DIR/dsrd.conf"
	start_dsrd
	is_refused iv0 interface-ipvlan 'use a macvlan, or the interface that it is on'
	director_ip link delete iv0
done
