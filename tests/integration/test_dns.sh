#!/bin/sh
# SPDX-License-Identifier: ISC
#
# UDP: a DNS service on three real servers. Queries are distributed, a client's port stays with its server, and the
# answers come from the VIP.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require dnsmasq dig
net_up 3
for server in web1 web2 web3; do
	start_in "$server" "$server-dns" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
	    --user=root --pid-file= --log-facility=- --txt-record=who.example,"$server"
	wait_until 10 run_in "$server" dig +short +time=1 +tries=1 @127.0.0.1 who.example TXT ||
		fail "dnsmasq on $server does not answer"
done

{
	conf_head
	cat <<-END

	[service dns]
	listen = $VIP udp/53 tcp/53
	scheduler = rr
	check = tcp port=53
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up dns web1 web2 web3

ask() { # [DIG-OPTION...]: the name of the server that answers
	# dig takes an answer from the address that it asked only.
	run_in client dig +short +time=2 +tries=1 "$@" "@$VIP" who.example TXT | tr -d '"'
}

step "90 queries, round robin"
number=0
while [ "$number" -lt 90 ]; do
	ask -b "$SERVER_PREFIX.100#$((20000 + number))"
	number=$((number + 1))
done >"$NET_DIR/answers"
assert_equal "answers from web1 web2 web3" "30 30 30" "$(shares_of "$NET_DIR/answers")"

step "a client's port keeps its server"
first=$(ask -b "$SERVER_PREFIX.100#30000")
for again in 1 2 3 4 5; do
	assert_equal "the server that answered question $again of the same port" "$first" \
	    "$(ask -b "$SERVER_PREFIX.100#30000")"
done

step "the same service over TCP"
run_in client dig +tcp +short +time=3 +tries=1 "@$VIP" who.example TXT | grep -q '^"web[123]"$' ||
	fail "no answer over TCP"
stop_dsrd
