#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A real server that lacks the VIP and forwards packets sends every frame for the VIP back. The director drops and
# counts it as a bounce. (With the VIP check such a server would get no traffic.)

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
vip_remove web1 "$VIP"
forwarding_set web1 on

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

capture web1 at-web1 "ip dst $VIP"
step "twelve tries, of which web1 gets half"
tries=0 served=0
while [ "$tries" -lt 12 ]; do
	if [ "$(fetch / --connect-timeout 0.5)" = web2 ]; then
		served=$((served + 1))
	fi
	tries=$((tries + 1))
done
assert_equal "pages served, all by web2" 6 "$served"

dump_dsrd
bounced=$(drop_count bounce)
step "$bounced frames came back, none went out again"
assert_at_least "frames counted as bounced" 6 "$bounced"
capture_end at-web1
to_web1=$(capture_count at-web1 "ether src $DIRECTOR_MAC")
from_web1=$(capture_count at-web1 "ether src $(server_mac 1)")
assert_at_least "frames that web1 sent back" 6 "$from_web1"
# A storm would be a frame out for each that comes back, until its time to live is used up: 64 of them.
assert_at_most "frames for the VIP that web1 got" 24 "$to_web1"
assert_equal "frames counted as bounced, and those seen" "$from_web1" "$bounced"
stop_dsrd
