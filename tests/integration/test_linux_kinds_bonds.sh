#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A bond as the director's interface: active-backup and 802.3ad, whose first cable is pulled, and a VLAN on a bond. Each
# forwards,
# answers ARP with its own MAC address and is no problem. A port of a bond is reported, by the doctor and by dsrd -n,
# with what
# to use instead. Runs in user-mode-linux where this kernel lacks bonds.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=linux_kinds.sh
. "$(dirname -- "$0")/linux_kinds.sh"
DSRD_STATE=off
net_require nginx curl
net_kernel bond vlan
net_up 1
net_attach director eth1 lan 02:00:00:00:00:02 none
ip -n "$NET-director" address flush dev eth0
start_nginx web1

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
