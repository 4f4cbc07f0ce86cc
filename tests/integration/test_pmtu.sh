#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Path MTU discovery through the VIP: a client behind a router whose link to it takes 1280 bytes. The servers' large
# answers do not fit, and the router reports this to their source address, the VIP. The download continues only if the
# director forwards the error to the right server.
#
#   far 198.51.100.100 --- 1280 bytes --- edge 192.0.2.254 --- switch --- director, web1, web2

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
FAR=198.51.100.100
FAR6=2001:db8:1::100
net_up 2
net_bridge_add away
net_host_add edge
net_host_add far
run_in edge sysctl -q -w net.ipv4.ip_forward=1
net_attach edge eth0 lan 02:00:00:00:00:97 "$SERVER_PREFIX.254/24"
net_attach edge eth1 away 02:00:00:00:00:98 198.51.100.254/24
net_attach far eth0 away 02:00:00:00:00:96 "$FAR/24"
net_up6
run_in edge sysctl -q -w net.ipv6.conf.all.forwarding=1
ip -n "$NET-edge" address add "$SERVER_PREFIX6:254/64" dev eth0 nodad
ip -n "$NET-edge" address add 2001:db8:1::254/64 dev eth1 nodad
ip -n "$NET-far" address add "$FAR6/64" dev eth0 nodad
# The client does not know: its own end announces segments for 1500 bytes.
ip -n "$NET-edge" link set eth1 mtu 1280
ip -n "$NET-far" route add default via 198.51.100.254
ip -n "$NET-far" route add default via 2001:db8:1::254
for server in web1 web2; do
	ip -n "$NET-$server" route add default via "$SERVER_PREFIX.254"
	ip -n "$NET-$server" route add default via "$SERVER_PREFIX6:254"
	start_nginx "$server"
	head -c 10000000 /dev/urandom >"$NET_DIR/$server/www/file"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	listen = $VIP6 tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
capture edge too-big "icmp or icmp6"

mtu_known() { # SERVER CLIENT VIP: what the server knows about the path
	ip -n "$NET-$1" route get "$2" from "$3" | sed -n 's/.* mtu \([0-9]*\).*/\1/p'
}

download() { # VIP-IN-URL: twice, so that each server has its turn
	for try in 1 2; do
		server=$(run_in far curl -sS --max-time 20 -o "$NET_DIR/copy" -D - "http://$1/file" |
		    sed -n 's/^X-Server: \([a-z0-9]*\).*/\1/p') || fail "download $try from $1 broke off"
		[ -n "$server" ] || fail "download $try from $1 has no answer"
		cmp "$NET_DIR/$server/www/file" "$NET_DIR/copy" ||
			fail "download $try from $1 differs from the file of $server"
		echo "$server"
	done | sort | tr '\n' ' '
}

step "10 MB from each server over IPv4"
assert_equal "servers of the downloads" "web1 web2 " "$(download "$VIP")"
dump_dsrd
assert_at_least "errors handed on" 2 "$(counter icmp_errors)"
before=$(counter icmp_errors)
for server in web1 web2; do
	assert_equal "MTU towards the client that $server knows" 1280 "$(mtu_known "$server" "$FAR" "$VIP")"
done

step "10 MB from each server over IPv6"
assert_equal "servers of the downloads" "web1 web2 " "$(download "[$VIP6]")"
dump_dsrd
assert_at_least "errors handed on" $((before + 2)) "$(counter icmp_errors)"
for server in web1 web2; do
	assert_equal "MTU towards the client that $server knows" 1280 "$(mtu_known "$server" "$FAR6" "$VIP6")"
done

step "the router did complain, to the VIP"
capture_end too-big
assert_at_least "fragmentation needed" 2 \
    "$(capture_count too-big "icmp[0] = 3 and ip src $SERVER_PREFIX.254 and ip dst $VIP")"
assert_at_least "packet too big" 2 "$(capture_count too-big "icmp6 and ip6[40] = 2 and ip6 dst $VIP6")"
stop_dsrd
