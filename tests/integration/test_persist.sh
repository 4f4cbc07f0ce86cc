#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Persistence: clients of one /24 stay with one server for all connections and ports until they have been silent for the
# configured time; others are scheduled normally.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
# Clients of RFC 2544's networks, all of them the one host.
for network in 1 2 3 4 5 6; do
	for host in 1 2 3; do
		ip -n "$NET-client" address add "198.18.$network.$host/32" dev eth0
	done
done
for server in web1 web2 web3; do
	ip -n "$NET-$server" route add 198.18.0.0/15 dev eth0
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80,8080
	scheduler = rr
	persist = 4s /24
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3

ask() { # NETWORK HOST [PORT]
	run_in client curl -sS --max-time 5 --interface "198.18.$1.$2" "http://$VIP:${3:-80}/"
}

step "six networks go around, each stays where it went"
for network in 1 2 3 4 5 6; do
	ask "$network" 1
done >"$NET_DIR/first"
assert_equal "networks of web1 web2 web3" "2 2 2" "$(shares_of "$NET_DIR/first")"
for _ in 1 2; do
	for network in 1 2 3 4 5 6; do
		server=$(sed -n "${network}p" "$NET_DIR/first")
		for host in 1 2 3; do
			assert_equal "server of 198.18.$network.$host" "$server" "$(ask "$network" "$host")"
			assert_equal "server of 198.18.$network.$host, port 8080" "$server" \
			    "$(ask "$network" "$host" 8080)"
		done
	done
done

step "a server that is down is left, and its clients stay with the next one"
stop_nginx web1
wait_server down web/web1
for network in 1 2 3 4 5 6; do
	server=$(ask "$network" 1)
	[ "$server" != web1 ] || fail "web1 is down, and answers"
	assert_equal "server of 198.18.$network.2" "$server" "$(ask "$network" 2)"
	was=$(sed -n "${network}p" "$NET_DIR/first")
	[ "$was" = web1 ] || assert_equal "server of 198.18.$network.1, whose server did not die" "$was" "$server"
done

step "silence ends it"
sleep 5
changed=0
for network in 1 2 3 4 5 6 1 2 3 4 5 6; do
	was=$(sed -n "${network}p" "$NET_DIR/first")
	[ "$(ask "$network" 1)" = "$was" ] || changed=$((changed + 1))
	sleep 0.4 # each has been silent for 4 s when its turn comes again
done
# Two servers in turn, six networks: had they been kept, only web1's two had changed.
assert_at_least "changes of server" 5 "$changed"
stop_dsrd
