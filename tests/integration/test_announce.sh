#!/bin/sh
# SPDX-License-Identifier: ISC
#
# VIPs are announced to routers by routes to a device. They are withdrawn when servers fail, when dsrd is killed, hangs or
# is drained, and when the holder of the routes is killed. `arp = off`: dsrd neither answers for the VIP nor announces it
# by ARP, and clients reach it by a route.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=lib_announce.sh
. "$(dirname -- "$0")/lib_announce.sh"

step "routes to a device"
write_conf "announce = device when=all"
start_dsrd
wait_servers_up one web1
wait_servers_up two web2
wait_routes 10 "all servers up" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"
ip -n "$NET-director" route show proto 64 | grep -q "dev dsrd-vips" || fail "the routes do not lead to the device"
ip -n "$NET-director" -6 address show dev dsrd-vips | grep -q inet6 && fail "the device has an IPv6 address"
ctl 0 show announce
said "^$ROUTED  *main  *device  *announced .* 100  *1 of 1"
ctl 0 --json show announce
is_json
ctl 0 show process
said 'route-holder .*net_admin'
[ "$(run_in client curl -s -m 5 -o "$NET_DIR/page" -w '%{http_code}' "http://$ROUTED/")" = 200 ] ||
	fail "no page through the routed VIP"

step "arp = off: nothing answers for the VIP"
if run_in client arping -c 1 -w 1 -I eth0 "$ROUTED" >/dev/null; then
	fail "something answers ARP for the VIP"
fi
dump_dsrd
assert_equal "announcements by ARP" 0 "$(counter announcements)"

step "a service without a server withdraws its VIPs alone"
stop_nginx web2
wait_routes 5 "web2 is down" "$ROUTED 100" "$ROUTED6 100"
ctl 0 show announce
said "^$SECOND .*withdrawn .*too few"
begin=$(milliseconds)
start_nginx web2
wait_server up two/web2
[ "$(routes | wc -l)" -eq 2 ] || [ $(($(milliseconds) - begin)) -gt 3000 ] ||
	fail "the VIP was announced at once, not after three seconds of health"
wait_routes 8 "web2 is back" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"

step "a route that another program removes comes back"
ip -n "$NET-director" route delete "$SECOND" proto 64
wait_routes 5 "after the removal" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"
wait_log 3 "announce vip=$SECOND result=restored"

step "the holder is killed: withdrawn, and announced again by another one"
holder=$("$DSRCTL" -s "$SOCKET" --json show process | python3 -c '
import json, sys
print([p["pid"] for p in json.load(sys.stdin)["processes"] if p["name"] == "route-holder"][0])')
withdrawn_after "route holder killed" 3 kill -KILL "$holder"
wait_routes 10 "with a new holder" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"

step "dsrd hangs"
withdrawn_after "dsrd stopped" 2 kill -STOP "$(pid_of dsrd)"
kill -CONT "$(pid_of dsrd)"
wait_routes 12 "after the hang" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"

step "dsrctl drain director"
ctl 0 drain director
said "^$ROUTED .* last-choice .* 1100"
wait_routes 2 "at first the last choice" "$ROUTED 1100" "$ROUTED6 1100" "$SECOND 1100"
ctl 0 drain director --wait 20s
said "^0 VIPs announced, 0 frames/s.*quiet"
routes_are "" || fail "there are routes after the drain: $(routes)"
ctl 0 show announce
said "^drain: no frames arrive any more"
[ "$(run_in client curl -s -m 5 -o "$NET_DIR/page" -w '%{http_code}' "http://$ROUTED/")" = 200 ] ||
	fail "a drained director does not forward what arrives"
ctl 0 enable director
wait_routes 2 "after the drain" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"

step "dsrd is killed"
withdrawn_after "dsrd killed" 2 kill -KILL "$(pid_of dsrd)"
stop dsrd
