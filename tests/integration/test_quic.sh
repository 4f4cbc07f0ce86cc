#!/bin/sh
# SPDX-License-Identifier: ISC
#
# QUIC: clients whose port and address change. Nothing helps without a setting; `sh` helps with a new port; quic-lb with
# a new address too. With offload the same, since connections of such a service are not offloaded.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
here=$(dirname -- "$0")
net_require python3
net_up 3
for number in 1 2 3; do
	start_in "web$number" "web$number-quic" python3 "$here/quic.py" server "$VIP" 443 "0a0$number" "web$number"
done
OTHER_IP=$SERVER_PREFIX.101
vip_add client "$OTHER_IP"

configure() { # SCHEDULER [KEY = VALUE]
	conf_head
	cat <<-END

	[service quic]
	listen = $VIP udp/443
	check = none
	timeout-udp = 2m
	server = web1 $(server_ip 1) quic-id=0a01
	server = web2 $(server_ip 2) quic-id=0a02
	server = web3 $(server_ip 3) quic-id=0a03
	scheduler = $1
	${2:-}
	END
}

# Ports are not used twice: a flow in the table stays where it is.
clients() { # COUNT FIRST-PORT
	run_in client python3 "$here/quic.py" client "$VIP" 443 "$1" "$2" "$CLIENT_IP" "$OTHER_IP"
}

survivors() { # WHAT TEXT
	echo "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

step "connections by addresses and ports alone"
without_ids() {
	sed 's/ quic-id=.*//'
}
configure maglev | without_ids >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up quic web1 web2 web3
seen=$(clients 40 10000)
echo "maglev: $seen of 40"
assert_equal "handshakes that are completed" 40 "$(survivors handshake "$seen")"
assert_at_most "connections that survive a new port" 30 "$(survivors port "$seen")"
assert_at_most "connections that survive a new address" 30 "$(survivors "$OTHER_IP" "$seen")"

step "scheduler = sh: a new port makes no difference"
configure sh | without_ids >"$NET_DIR/dsrd.conf"
reload_dsrd ok
seen=$(clients 20 11000)
echo "sh: $seen of 20"
assert_equal "connections that survive a new port" 20 "$(survivors port "$seen")"

step "quic-lb: nor does a new address"
configure rr "quic-lb = 0:2" >"$NET_DIR/dsrd.conf"
reload_dsrd ok
seen=$(clients 40 12000)
echo "quic-lb: $seen of 40"
assert_equal "the connections" "servers=3 handshake=40 port=40 $OTHER_IP=40" "$seen"
dump_dsrd
assert_at_least "packets sent by connection ID alone" 40 "$(counter quic_by_id)"
assert_equal "packets without a valid connection ID" 0 "$(counter quic_invalid)"

step "a drained server takes no new connections"
ctl 0 drain quic/web2
seen=$(clients 20 13000)
assert_equal "the connections" "servers=2 handshake=20 port=20 $OTHER_IP=20" "$seen"
stop_dsrd
