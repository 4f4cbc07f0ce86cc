#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl doctor, in addition to test_doctor: faults that need more than one card or machine on the servers' side.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx sysctl
net_up 2
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

# Two more servers, behind a router that answers ARP for them.
net_bridge_add far
net_host_add router
run_in router sysctl -q -w net.ipv4.ip_forward=1
net_attach router eth0 lan 02:00:00:00:00:97 "$SERVER_PREFIX.254/24"
net_attach router eth1 far 02:00:00:00:00:98 none
run_in router sysctl -q -w net.ipv4.conf.eth0.proxy_arp=1 net.ipv4.conf.eth1.proxy_arp=1
for number in 21 22; do
	net_host_add "far$number"
	net_attach "far$number" eth0 far "02:00:00:00:00:$number" "$SERVER_PREFIX.$number/24"
	ip -n "$NET-router" route add "$SERVER_PREFIX.$number/32" dev eth1
	start_nginx "far$number"
done
start_nginx web1
start_nginx web2

{
	conf_head | sed "s|^log = stderr|&\\nprobe-address = $SERVER_PREFIX.250|"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)

	[service far]
	listen = $VIP tcp/81
	check = tcp port=80
	server = far21 $SERVER_PREFIX.21
	server = far22 $SERVER_PREFIX.22
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

names_of() { # SERVER: what the doctor finds wrong with it, by name
	"$DSRCTL" -s "$SOCKET" doctor "$1" >"$NET_DIR/said" 2>&1 || true
	sed -n 's/.*WRONG .*\[\([a-z0-9-]*\)\]$/\1/p' "$NET_DIR/said" | sort -u | tr '\n' ' '
}

expect_named() { # SERVER NAME
	case " $(names_of "$1")" in
	*" $2 "*) ;;
	*)
		cat "$NET_DIR/said" >&2
		fail "the doctor should say $2 of $1"
		;;
	esac
}

step "a correct setup in the same network"
assert_equal "what is wrong with web1" "" "$(names_of web/web1)"

step "a router answers ARP for the servers behind it"
expect_named far/far21 not-adjacent
expect_named far/far22 not-adjacent

step "a server answers by its second card"
# With its own address: a card without one uses another address of the host as sender, such as the VIP.
net_attach web1 eth1 lan 02:00:00:00:00:71 "$SERVER_PREFIX.71/24"
ip -n "$NET-web1" route delete "$SERVER_PREFIX.0/24" dev eth0
ip -n "$NET-web1" route replace "$SERVER_PREFIX.0/24" dev eth1 src "$(server_ip 1)"
run_in web1 ip neigh flush all
expect_named web/web1 other-mac
assert_equal "what is wrong with web2" "" "$(names_of web/web2)"
stop_dsrd
