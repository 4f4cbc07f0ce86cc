#!/bin/sh
# SPDX-License-Identifier: ISC
# The kernel selects the server of new connections by hash: as the daemon does without offload, every frame once, counted,
# and none to a server that was drained.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"

DSRD_STATE=off
net_require nginx curl nft tc
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
run_in director ethtool -K eth0 rxvlan off
# Ports are used again.
run_in client sysctl -qw net.ipv4.tcp_max_tw_buckets=0

write_conf() { # MODE [SERVER3-OPTION...]
	export DSRD_OFFLOAD="$1"
	shift
	{
		conf_head | sed 's/^log = stderr/&\nhash-key = of this test/'
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		scheduler = maglev
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2)
		server = web3 $(server_ip 3) $*
		END
	} >"$NET_DIR/dsrd.conf"
}

# The servers of connections from given ports.
servers_of_ports() { # FIRST LAST
	port=$1
	while [ "$port" -le "$2" ]; do
		fetch / --local-port "$port" || fail "no answer to port $port"
		port=$((port + 1))
	done
}

run_in client nft "add table ip seen; add chain ip seen vip { type filter hook output priority 0; };
    add rule ip seen vip ip daddr $VIP tcp dport 80 counter"
sent() {
	run_in client nft list chain ip seen vip | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

counted() {
	dump_dsrd
	echo $(($(server_value web/web1 packets) + $(server_value web/web2 packets) + $(server_value web/web3 packets)))
}

all_counted() {
	[ "$(($(sent) - first))" -eq "$(counted)" ]
}

connections() {
	echo $(($(server_value web/web1 connections) + $(server_value web/web2 connections) +
	    $(server_value web/web3 connections)))
}

step "the servers of 24 connections without offload"
write_conf off
start_dsrd
wait_servers_up web web1 web2 web3
servers_of_ports 50001 50024 >"$NET_DIR/without"
stop_dsrd

for mode in tc xdp; do
	step "$mode: the same ones"
	write_conf "$mode"
	rm -f "$NET_DIR"/state*
	start_dsrd
	if grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
		step "this machine cannot: the daemon selects"
		servers_of_ports 51001 51010 >/dev/null
		exit 0
	fi
	wait_servers_up web web1 web2 web3
	first=$(sent)
	servers_of_ports 50001 50024 >"$NET_DIR/with"
	cmp "$NET_DIR/without" "$NET_DIR/with" || fail "$mode: the kernel selects other servers than the daemon"
	wait_until 5 all_counted || fail "$mode: $(($(sent) - first)) frames sent, $(counted) counted"
	step "$mode: $(counter selected) selected, $(counter unrecorded) without record, $(connections) connections"
	assert_at_least "$mode: frames of which the kernel selected the server" 24 "$(counter selected)"
	assert_equal "$mode: records lost" 0 "$(counter unrecorded)"
	assert_equal "$mode: connections" 24 "$(connections)"

	step "$mode: web3 is drained: it keeps its download, and gets no new connection"
	hold_download "held-$mode"
	write_conf "$mode" weight=0
	reload_dsrd ok
	servers_of_ports 50101 50115 >"$NET_DIR/drained"
	assert_equal "$mode: connections to web3" 0 "$(count_lines web3 "$NET_DIR/drained")"
	is_running "held-$mode" || fail "$mode: the download ended"
	stop "held-$mode" KILL
	stop_dsrd
done
