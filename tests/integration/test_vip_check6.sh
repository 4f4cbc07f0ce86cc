#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The VIP check and conflicts over IPv6: from the director's own address and from a probe address, with servers known by
# IPv6 and by IPv4; a server with the VIP on its network card is reported; UDP services are tested by ping or payload.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl tcpdump nft dnsmasq
net_up 2
net_up6
PROBE6=2001:db8::250
for server in web1 web2; do
	start_nginx "$server"
	start_in "$server" "$server-dns" dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces \
	    --listen-address="$VIP6" \
	    --listen-address="$VIP" --address=/test.example/192.0.2.77 -u root -x "$NET_DIR/$server-dns.run"
done

write_conf() { # LINE of [dsrd]
	{
		conf_head | sed "s/^log = .*/&\\n$1/"
		cat <<-END

		[service web]
		listen = $VIP6 tcp/80
		scheduler = rr
		server = web1 $(server_ip6 1)
		server = web2 $(server_ip 2)

		[service dns]
		listen = $VIP6 udp/53
		check = none
		server = web1 $(server_ip6 1)

		[service names]
		listen = $VIP udp/53
		check = none
		vip-payload = "\\x00\\x01\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x04test\\x07example\\x00\\x00\\x01\\x00\\x01"
		server = web2 $(server_ip 2)
		END
	} >"$NET_DIR/dsrd.conf"
}

vip6_remove() {
	ip -n "$NET-$1" -6 address delete "$VIP6/128" dev lo
}

vip6_add() {
	ip -n "$NET-$1" -6 address add "$VIP6/128" dev lo nodad
}

expect_down() { # SERVER REASON
	wait_log 15 "server-state server=$1 .*to=down reason=\"[^\"]*$2"
	wait_server down "$1"
}

forget_log() {
	: >"$NET_DIR/dsrd.log"
}

causes() {
	step "$1: a correct setup"
	wait_servers_up web web1 web2
	wait_servers_up dns web1
	wait_servers_up names web2
	sleep 1
	assert_no_log 'vip-conflict\|to=down\|vip-check '
	forget_log

	step "$1: the VIP is missing"
	vip6_remove web1
	expect_down web/web1 'the VIP is not accepted: no answer, although'
	expect_down dns/web1 'the VIP is not accepted: no answer, although'
	vip6_add web1
	wait_server up web/web1
	wait_server up dns/web1
	forget_log

	step "$1: the VIP is missing, and the server, known by its IPv4 address, forwards"
	run_in web2 sysctl -q -w net.ipv6.conf.all.forwarding=1
	vip6_remove web2
	expect_down web/web2 'the VIP is not accepted: the server lacks it, and forwards its packets'
	vip6_add web2
	run_in web2 sysctl -q -w net.ipv6.conf.all.forwarding=0
	wait_server up web/web2
	forget_log

	step "$1: its firewall drops the port"
	run_in web1 nft add table inet guard
	run_in web1 nft add chain inet guard in '{ type filter hook input priority 0; }'
	run_in web1 nft add rule inet guard in ip6 daddr "$VIP6" tcp dport 80 drop
	expect_down web/web1 "the VIP is accepted, but the server's firewall drops its port"
	run_in web1 nft delete table inet guard
	wait_server up web/web1
	forget_log

	step "$1: the UDP program has ended, and the VIP's payload gets no answer"
	stop web2-dns
	expect_down names/web2 'connection refused'
	start_in web2 web2-dns dnsmasq -k -C /dev/null --no-resolv --no-hosts --bind-interfaces \
	    --listen-address="$VIP" \
	    --address=/test.example/192.0.2.77 -u root -x "$NET_DIR/web2-dns.run"
	wait_server up names/web2
	forget_log
}

write_conf ""
start_dsrd
causes "from the director's own address"
stop_dsrd

write_conf "probe-address = $PROBE6 $SERVER_PREFIX.250"
capture web1 asked "ip6 host $PROBE6 or icmp6"
start_dsrd
wait_log 10 "probe-address result=ok address=$PROBE6"
causes "from the probe address"
capture_end asked
assert_at_least "SYNs from it" 1 "$(capture_count asked "ip6 src $PROBE6 and ip6 dst $VIP6 and tcp")"

step "a server that has the VIP on its network card is named"
ip -n "$NET-web1" -6 address add "$VIP6/128" dev eth0 nodad
wait_log 40 "vip-conflict kind=an.* vip=$VIP6 mac=$(server_mac 1) server=web/web1 interface=eth0"
stop_dsrd
