#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Jumbo frames: an MTU of 9000 everywhere, and no offload that merges or splits on the senders. Frames of 9014 bytes are
# forwarded unchanged, including IPv4 options.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump sha256sum ping
net_up 1
start_nginx web1
for host in client director web1; do
	ip -n "$NET-switch" link set "$host-eth0" mtu 9000
	ip -n "$NET-$host" link set eth0 mtu 9000
done
run_in client ethtool -K eth0 tso off gso off

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server up web/web1

step "20 MB in jumbo frames"
head -c 20000000 /dev/urandom >"$NET_DIR/original"
capture web1 at-web1 "ip dst $VIP and greater 9000"
run_in client curl -sS --max-time 30 -T "$NET_DIR/original" -o /dev/null -H 'Expect:' "http://$VIP/up/copy" ||
	fail "the upload broke off"
assert_equal "SHA-256 of what arrived" "$(sha256sum <"$NET_DIR/original")" \
    "$(sha256sum <"$NET_DIR/web1/www/up/copy")"
capture_end at-web1
assert_at_least "jumbo frames that tcpdump saw at web1" 500 "$(capture_count at-web1)"
dump_dsrd
assert_equal "frames split" 0 "$(counter frames_split)"
assert_equal "frames dropped as too big" 0 "$(drop_count too-big)"

step "IPv4 options"
# A recorded route: pings with options are answered by the director itself.
run_in client ping -q -c 2 -W 2 -R "$VIP" >"$NET_DIR/ping" || fail "$(cat "$NET_DIR/ping")"
stop_dsrd
