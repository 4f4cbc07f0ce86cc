#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A real server's network card is replaced: the director follows the new MAC address, whether the server announces it or
# not.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump arping
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done

# No checks: the director's own kernel shall not resolve the server, and so help.
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = none
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_log 10 "neighbor-found server=web/web1 .*mac=$(server_mac 1)"
assert_equal "page" web1 "$(fetch /)"

# The client knows web1 by its old MAC too, which would spoil the measurement.
works_by() { # MAC
	capture web1 "by-$1" "ip dst $VIP and ether dst $1"
	assert_equal "page" web1 "$(fetch /)"
	wait_until 5 capture_has "by-$1" 3 "tcp" || fail "the request did not come to web1's new MAC"
	capture_end "by-$1"
}

step "a new MAC, announced by gratuitous ARP"
mac_set web1 eth0 02:00:00:00:00:a1
run_in web1 arping -q -U -c 2 -w 3 -I eth0 "$(server_ip 1)" || true
wait_log 5 "neighbor-changed server=web/web1 .*mac=02:00:00:00:00:a1 before=$(server_mac 1)"
works_by 02:00:00:00:00:a1

step "a new MAC address that is not announced: the director sends a new request within a minute"
mac_set web1 eth0 02:00:00:00:00:a2
wait_log 60 "neighbor-changed server=web/web1 .*mac=02:00:00:00:00:a2"
works_by 02:00:00:00:00:a2
stop_dsrd
