#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What is wrong with a tunnel, each fault staged and named by the doctor with the command that fixes it: no
# decapsulation, no GUE port, a strict reverse path filter, a missing VIP, a missing DSCP rule, segments that do not fit,
# a silent gateway. And a router with a small MTU on the way: the clients are told, and forged errors are not believed.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl nft clang tc
net_up 0
near=$SERVER_PREFIX
SERVER_PREFIX=198.51.100
net_host_add router
forwarding_set router on
net_bridge_add far
net_attach router eth0 lan 02:00:00:00:00:97 "$near.254/24"
net_attach router eth1 far 02:00:00:00:00:98 "$SERVER_PREFIX.254/24"
net_server_add 1 far
net_route_default web1 "$SERVER_PREFIX.254"
start_nginx web1
net_route_default director "$near.254"

decapsulate() { # OBJECT
	run_in web1 tc filter add dev eth0 ingress bpf da obj "$NET_DIR/$1" sec tc
}

no_decapsulation() {
	run_in web1 tc filter del dev eth0 ingress
}

compile_decap decap.o
run_in web1 tc qdisc add dev eth0 clsact

begin() { # METHOD [LISTEN-OPTION [SERVER-OPTION]]
	{
		conf_head | sed "s/^\[dsrd\]\$/&\nprobe-address = $near.250/"
		cat <<-END

		[service web]
		listen = $VIP tcp/80${2:-}
		method = $1
		server = web1 $(server_ip 1) ${3:-}
		END
	} >"$NET_DIR/dsrd.conf"
	start_dsrd
}

names() { # FINDING PATTERN...: the doctor has it
	wait_until 10 has_finding "$1" || {
		cat "$NET_DIR/said"
		fail "the doctor does not find $1"
	}
	finding=$1
	shift
	for pattern; do
		said "$pattern"
	done
	step "  $finding: $(grep -m 1 "$finding" "$NET_DIR/said")"
}

has_finding() {
	"$DSRCTL" -s "$SOCKET" doctor >"$NET_DIR/said" 2>&1 || true
	grep -q "\[$1\]" "$NET_DIR/said"
}

step "the server does not decapsulate: protocol unreachable, and port unreachable with gue"
begin ipip
names no-decapsulation 'dsr-realserver apply --vip .* --method ipip'
stop_dsrd
begin gue
names no-tunnel-port 'dsr-realserver apply --vip .* --method gue' 'ip fou show'

step "it decapsulates and lacks the VIP"
decapsulate decap.o
vip_remove web1 "$VIP"
names vip-ignored 'dsr-realserver apply --vip'
vip_add web1 "$VIP"
wait_servers_up web web1

step "segments that do not fit the tunnel"
names no-advmss '--method gue'
run_in web1 ip route change default via "$SERVER_PREFIX.254" advmss 1428
wait_until 10 eval '! has_finding no-advmss' || fail "the doctor does not see advmss"
run_in web1 ip route change default via "$SERVER_PREFIX.254"

step "a router with a small MTU: the path's MTU is learned, and the client is told"
ip -n "$NET-router" link set eth1 mtu 1400
ip -n "$NET-web1" link set eth0 mtu 1400
head -c 300000 /dev/zero >"$NET_DIR/upload"
run_in client curl -s --max-time 15 -T "$NET_DIR/upload" "http://$VIP/up/a" || fail "the upload failed"
cmp "$NET_DIR/upload" "$NET_DIR/web1/www/up/a" || fail "the upload arrived damaged"
dump_dsrd
step "  $(counter tunnel_errors) errors believed, $(counter path_mtu_answers) packets answered"
assert_at_least "errors about packets in the tunnel" 1 "$(counter tunnel_errors)"
assert_at_least "packets answered with the tunnel's MTU" 1 "$(counter path_mtu_answers)"
ctl 0 -j show web/web1
said '"path_mtu":1400'
ip -n "$NET-router" link set eth1 mtu 1500
ip -n "$NET-web1" link set eth0 mtu 1500
stop_dsrd

step "the tunnel's interface has a strict reverse path filter"
no_decapsulation
ip -n "$NET-web1" link add tun9 type veth peer name tun9peer
ip -n "$NET-web1" link set tun9 address "$(server_mac 1)" up
ip -n "$NET-web1" link set tun9peer up
run_in web1 sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tun9.rp_filter=1
compile_decap tun9.o "-DTUNNEL_IFINDEX=$(run_in web1 cat /sys/class/net/tun9/ifindex)"
decapsulate tun9.o
begin ipip
names tunnel-silent 'rp_filter' 'dsr-realserver apply --vip .* --method ipip'
run_in web1 sysctl -q -w net.ipv4.conf.tun9.rp_filter=0
wait_servers_up web web1
stop_dsrd

step "no rule restores the VIP from the DSCP"
begin dscp " dscp=5"
names dscp-ignored '--method dscp --dscp 5'
realserver() {
	DSR_REALSERVER_STATE=$NET_DIR/realserver.state run_in web1 sh \
	    "$(dirname -- "$0")/../../contrib/realserver/dsr-realserver" "$@" >"$NET_DIR/applied" 2>&1 ||
		fail "dsr-realserver $*: $(cat "$NET_DIR/applied")"
}
realserver apply --vip "$VIP" --method dscp --dscp 5
realserver check
wait_servers_up web web1
fetch >"$NET_DIR/page" || fail "no page by dscp"
realserver undo
sed -i 's/^method = dscp/method = gue/; s/ dscp=5//' "$NET_DIR/dsrd.conf"
"$DSRCTL" -s "$SOCKET" reload --plan >"$NET_DIR/said" 2>&1 || true
said 'the method changes from dscp to gue: its [0-9]* connections stay'
stop_dsrd

step "the gateway is silent"
begin ipip "" "gateway=$near.253"
names gateway-unreachable "$near.253"
ctl 0 show
said "gateway $near.253"
stop_dsrd
