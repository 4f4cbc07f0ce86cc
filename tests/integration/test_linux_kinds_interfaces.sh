#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Kinds of interfaces that a director on Linux may have: a VLAN, a bridge with a real server behind another port,
# macvlan. Each
# forwards, answers ARP with its own MAC address and is no problem. A port of a bridge and ipvlan are reported, by the
# doctor and
# by dsrd -n, with what to use instead. Runs in user-mode-linux where this kernel lacks VLANs.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=linux_kinds.sh
. "$(dirname -- "$0")/linux_kinds.sh"
DSRD_STATE=off
net_require nginx curl
net_kernel vlan macvlan ipvlan
net_up 1
ip -n "$NET-director" address flush dev eth0
start_nginx web1

step "a VLAN"
switch_ip link set director-eth0 nomaster
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
