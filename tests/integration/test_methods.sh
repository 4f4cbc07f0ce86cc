#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real servers behind a router, by each method: L3DSR with nftables as the receiver, tunnels with a program of the test
# (decap.bpf.c) where this kernel lacks the modules. Answers return to the client without passing the director.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl tcpdump nft clang tc
net_up 0
near_prefix=$SERVER_PREFIX
SERVER_PREFIX=198.51.100
net_host_add router
forwarding_set router on
net_bridge_add far
net_attach router eth0 lan 02:00:00:00:00:97 "$near_prefix.254/24"
net_attach router eth1 far 02:00:00:00:00:98 "$SERVER_PREFIX.254/24"
for number in 1 2; do
	net_server_add "$number" far
	net_route_default "web$number" "$SERVER_PREFIX.254"
	start_nginx "web$number"
done
net_route_default director "$near_prefix.254"

compile_decap decap.o
for server in web1 web2; do
	run_in "$server" tc qdisc add dev eth0 clsact
	run_in "$server" tc filter add dev eth0 ingress bpf da obj "$NET_DIR/decap.o" sec tc
	run_in "$server" nft -f - <<-END
	table inet l3dsr {
		chain in {
			type filter hook prerouting priority -300
			ip daddr $SERVER_PREFIX.0/24 ip dscp 5 ip daddr set $VIP
		}
	}
	END
done

write_conf() { # METHOD [SERVER-OPTION [LISTEN-OPTION]]
	conf_head | sed "s/^\[dsrd\]\$/&\nprobe-address = $near_prefix.250/"
	cat <<-END

	[service web]
	listen = $VIP tcp/80${3:-}
	method = $1
	scheduler = rr
	server = web1 $(server_ip 1) ${2:-}
	server = web2 $(server_ip 2) ${2:-}
	END
}

# Pages from both servers, an upload that fills every packet, and no answer by way of the director.
try_method() { # METHOD OUTER-FILTER OUTER-IN-TRACE
	start_dsrd
	wait_servers_up web web1 web2
	start_in director trace "$DSRCTL" -s "$SOCKET" trace -c 1 verdict=forward protocol=tcp
	wait_until 10 grep -q '^dsrctl: tracing;' "$NET_DIR/trace.log" || fail "dsrctl trace does not begin"
	capture director out "ether src $DIRECTOR_MAC and $2"
	capture director back "ip src $VIP and ip dst $CLIENT_IP and tcp"
	fetch_many 20 "$NET_DIR/pages"
	assert_equal "pages by $1 from web1 web2" "10 10 0" "$(shares_of "$NET_DIR/pages")"
	head -c 3000000 /dev/zero >"$NET_DIR/upload"
	wait_until 10 pid_gone "$(pid_of trace)" || fail "the trace by $1 has no decision"
	grep -E " method=$1 gateway=$near_prefix\.254 outer=$3( |\$)" "$NET_DIR/trace.log" >"$NET_DIR/traced" ||
		fail "the trace does not show the method $1: $(cat "$NET_DIR/trace.log")"
	[ "$1" = dscp ] || grep -q " inner-protocol=tcp inner=$CLIENT_IP:[0-9]*>$VIP:80\$" "$NET_DIR/traced" ||
		fail "the trace does not show what is in the tunnel: $(cat "$NET_DIR/traced")"
	run_in client curl -s --max-time 20 -T "$NET_DIR/upload" "http://$VIP/up/$1" || fail "the upload by $1 failed"
	cmp "$NET_DIR/upload" "$NET_DIR"/web?/www/up/"$1" || fail "the upload by $1 arrived damaged"
	rm -f "$NET_DIR"/web?/www/up/"$1"
	capture_end out
	capture_end back
	assert_at_least "frames sent by $1" 40 "$(capture_count out)"
	assert_equal "answers that passed the director" 0 "$(capture_count back)"
	dump_dsrd
	step "$1: $(counter path_mtu_answers) packets answered with the tunnel's MTU, $(counter frames_split) super-frames split"
	stop_dsrd
}

director="$(echo "$near_prefix" | sed 's/\./\\./g')\.[0-9]+"
far="$(echo "$SERVER_PREFIX" | sed 's/\./\\./g')\.[0-9]+"

step "without a way of its own, method mac explains itself"
write_conf mac >"$NET_DIR/dsrd.conf"
start_dsrd
ctl 0 show
said "use .method = ipip"
stop_dsrd

step "dscp: addressed to the server, the VIP in its DSCP"
write_conf dscp "" " dscp=5" >"$NET_DIR/dsrd.conf"
try_method dscp "ip dst net $SERVER_PREFIX.0/24 and ip[1] == 20" "$CLIENT_IP:[0-9]+>$far:80 dscp=5"

step "ipip, the way found in the director's routing table"
write_conf ipip >"$NET_DIR/dsrd.conf"
try_method ipip "ip proto 4" "$director>$far"

step "gre, with a gateway in the configuration"
ip -n "$NET-director" route del default
write_conf gre "gateway=$near_prefix.254" >"$NET_DIR/dsrd.conf"
# Health checks are the host's own packets: they need the route.
ip -n "$NET-director" route add "$SERVER_PREFIX.0/24" via "$near_prefix.254"
try_method gre "ip proto 47" "$director>$far"

step "gue and gue1"
write_conf gue >"$NET_DIR/dsrd.conf"
try_method gue "udp dst port 6080 and udp[8] == 0" "$director:[0-9]+>$far:6080"
write_conf gue1 >"$NET_DIR/dsrd.conf"
try_method gue1 "udp dst port 6080 and udp[8] == 0x45" "$director:[0-9]+>$far:6080"

step "a server that does not decapsulate, and one that lacks the VIP, get nothing; both come back"
write_conf ipip >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
run_in web1 tc filter del dev eth0 ingress
vip_remove web2 "$VIP"
wait_server down web/web1
wait_server down web/web2
run_in web1 tc filter add dev eth0 ingress bpf da obj "$NET_DIR/decap.o" sec tc
vip_add web2 "$VIP"
wait_servers_up web web1 web2
stop_dsrd

step "mixed methods in one service; the route is gone: said, and back when it comes back"
{
	write_conf mac " dscp=5" | sed '/^method/d;/^server/d'
	echo "listen = $VIP tcp/8080 dscp=5"
	echo "server = web1 $(server_ip 1) method=dscp"
	echo "server = web2 $(server_ip 2) method=ipip"
} | sed "s|^listen = $VIP tcp/80\$|listen = $VIP tcp/80 dscp=5|" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web1 web2" "10 10 0" "$(shares_of "$NET_DIR/pages")"
ip -n "$NET-director" route del "$SERVER_PREFIX.0/24"
wait_server down web/web1
ctl 0 show
said 'no route'
ip -n "$NET-director" route add "$SERVER_PREFIX.0/24" via "$near_prefix.254"
wait_servers_up web web1 web2
fetch >"$NET_DIR/page" || fail "no page after the route came back"
stop_dsrd
