#!/bin/sh
# SPDX-License-Identifier: ISC
#
# --observe: the director captures, decides and counts, and sends nothing.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump arping
net_up 2
start_nginx web1
# Without checks the director's kernel has nothing to say: every frame of its MAC would be the daemon's.
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	check = none
	server = web1 $(server_ip 1) mac=$(server_mac 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"

capture switch said "ether src $DIRECTOR_MAC" director-eth0
# The switch does not know the port of the silent director and floods: only frames for web1's MAC address count.
capture web1 arrived "ip dst $VIP and ether dst $(server_mac 1)"
start_dsrd --observe
assert_log ' ready .*observe=yes'

step "no host answers ARP for the VIP"
if run_in client arping -q -c 2 -w 2 -I eth0 "$VIP"; then
	fail "the director answered"
fi

step "what another director would get is seen and counted"
ip -n "$NET-client" neigh replace "$VIP" lladdr "$DIRECTOR_MAC" dev eth0
if fetch / --connect-timeout 2 >/dev/null; then
	fail "the page was served, although the director only observes"
fi
dump_dsrd
assert_at_least "requests for connections that it saw and decided on" 1 "$(counter forwarded)"
assert_at_least "frames that web1 would have got" 1 "$(server_value web/web1 packets)"
assert_at_least "ARP frames that it took note of" 2 "$(counter consumed)"

step "nothing was sent"
capture_end said
capture_end arrived
assert_equal "frames of the director" 0 "$(capture_count said)"
assert_equal "frames for the VIP at web1" 0 "$(capture_count arrived)"
stop_dsrd

step "without --observe the same is served: the test tests something"
start_dsrd
assert_equal "page" web1 "$(fetch /)"
stop_dsrd
