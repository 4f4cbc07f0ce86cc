#!/bin/sh
# SPDX-License-Identifier: ISC
#
# VIPs are announced to routers: by routes to a device, by blackhole routes, by a program and to ExaBGP. They are
# withdrawn when servers fail, when dsrd is killed, hangs, is drained or is stopped, and when the holder of the routes is
# killed. `arp = off`: dsrd neither answers for the VIP nor announces it by ARP, and clients reach it by a route.

# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require ip arping python3

ROUTED=203.0.113.10 ROUTED6=2001:db8:113::10 SECOND=203.0.113.20
net_up 2
net_up6
for number in 1 2; do
	vip_add "web$number" "$ROUTED"
	vip_add "web$number" "$SECOND"
	vip6_add "web$number" "$ROUTED6"
	start_nginx "web$number"
done
ip -n "$NET-client" route add 203.0.113.0/24 via "$SERVER_PREFIX.1"

write_conf() { # LINE...: of [dsrd]
	{
		conf_head | sed -n '1,/^\[defaults\]/p' | sed '$d'
		printf '%s\n' "$@"
		conf_head | sed -n '/^\[defaults\]/,$p'
		cat <<-END
		arp = off
		vip-check = off
		[service one]
		listen = $ROUTED tcp/80
		listen = $ROUTED6 tcp/80
		server = web1 192.0.2.11
		[service two]
		listen = $SECOND tcp/80
		server = web2 192.0.2.12
		END
	} >"$NET_DIR/dsrd.conf"
}

# The routes of protocol 64, one a line, "203.0.113.10 100".
routes() {
	{
		ip -n "$NET-director" -4 route show table all proto 64
		ip -n "$NET-director" -6 route show table all proto 64
	} | sed -n 's/^\(blackhole \)\{0,1\}\([^ ]*\).* metric \([0-9]*\).*/\2 \3/p' | sort
}

routes_are() { # LINE...
	[ "$(routes)" = "$(printf '%s\n' "$@" | sed '/^$/d' | sort)" ]
}

wait_routes() { # SECONDS WHAT LINE...
	net_seconds=$1 net_what=$2
	shift 2
	wait_until "$net_seconds" routes_are "$@" || {
		"$DSRCTL" -s "$SOCKET" show announce >&2 || true
		fail "$net_what: waited $net_seconds s for the routes '$*', there are '$(routes)'"
	}
}

milliseconds() {
	date +%s%3N
}

# How long until there is no route left.
withdrawn_after() { # WHAT SECONDS COMMAND...
	withdrawn_what=$1 withdrawn_most=$2
	shift 2
	withdrawn_begin=$(milliseconds)
	"$@"
	NET_PAUSE=0.01 wait_routes "$withdrawn_most" "$withdrawn_what" ""
	step "measured: $withdrawn_what: withdrawn after $(($(milliseconds) - withdrawn_begin)) ms"
}

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

step "blackhole routes in a table, and what was left of an earlier process"
ip -n "$NET-director" route add blackhole 203.0.113.99/32 proto 64 table 77 metric 5
write_conf "announce = route table=77 metric=20"
start_dsrd
wait_routes 10 "blackhole routes" "$ROUTED 20" "$ROUTED6 20" "$SECOND 20"
[ "$(ip -n "$NET-director" route show table 77 type blackhole | wc -l)" -eq 2 ] ||
	fail "table 77 has not the two blackhole routes"
withdrawn_after "dsrd killed, blackhole routes" 2 kill -KILL "$(pid_of dsrd)"
stop dsrd

step "a program, through a reload to another group, and at the end"
cat >"$NET_DIR/program" <<-END
#!/bin/sh
echo "\$1 \$2 \$DSRD_METRIC \$DSRD_GROUP" >>"$NET_DIR/told"
END
: >"$NET_DIR/told"
chmod 755 "$NET_DIR/program"
chmod 666 "$NET_DIR/told"
write_conf "announce = program $NET_DIR/program"
start_dsrd
told() { # LINE: the last that was told about its VIP
	[ "$(grep -e "^${1%% *} " "$NET_DIR/told" | tail -n 1)" = "$1" ]
}
wait_until 10 told "$ROUTED up 100 main" || fail "the program was not told: $(cat "$NET_DIR/told")"
[ "$(grep -e "^$ROUTED " "$NET_DIR/told" | head -n 1)" = "$ROUTED down 0 main" ] ||
	fail "the program does not learn at the start that the VIP is not announced yet"
wait_until 10 told "$SECOND up 100 main" || fail "the program was not told: $(cat "$NET_DIR/told")"
ctl 0 drain director
wait_until 5 told "$ROUTED drain 1100 main" || fail "the program was not told of the drain: $(cat "$NET_DIR/told")"
wait_until 5 told "$ROUTED down 0 main" || fail "the program was not told of the end: $(cat "$NET_DIR/told")"
ctl 0 enable director
wait_until 5 told "$ROUTED up 100 main" || fail "the program was not told of the drain's end: $(cat "$NET_DIR/told")"
write_conf "announce = device"
reload_dsrd ok
wait_until 5 told "$ROUTED down 0 main" || fail "the program was not told after the reload: $(cat "$NET_DIR/told")"
wait_routes 5 "after the reload" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"
write_conf "announce = program $NET_DIR/program"
reload_dsrd ok
wait_routes 5 "after the second reload" ""
wait_until 10 told "$SECOND up 100 main" || fail "the program was not told: $(cat "$NET_DIR/told")"
stop_dsrd
for vip in "$ROUTED" "$ROUTED6" "$SECOND"; do
	told "$vip down 0 main" || fail "the program was not told at the end: $(cat "$NET_DIR/told")"
done

step "dsrctl announce --exabgp, without any announce in the file"
write_conf
start_dsrd
ctl 1 drain director
complained "announces nothing"
start_in director feed "$DSRCTL" -s "$SOCKET" announce --exabgp
feed_ends() { # LINE...
	[ "$(tail -n "$#" "$NET_DIR/feed.log" | sort)" = "$(printf '%s\n' "$@" | sort)" ]
}
wait_until 10 feed_ends "announce route $ROUTED/32 next-hop self med 100" \
    "announce route $ROUTED6/128 next-hop self med 100" "announce route $SECOND/32 next-hop self med 100" ||
	fail "ExaBGP is not told: $(cat "$NET_DIR/feed.log")"
stop_nginx web2
wait_until 5 feed_ends "withdraw route $SECOND/32 next-hop self" ||
	fail "ExaBGP is not told that the VIP has no server: $(cat "$NET_DIR/feed.log")"
begin=$(milliseconds)
kill -STOP "$(pid_of dsrd)"
NET_PAUSE=0.02 wait_until 3 feed_ends "withdraw route $ROUTED/32 next-hop self" \
    "withdraw route $ROUTED6/128 next-hop self" "dsrctl: dsrd gives no sign of life" ||
	fail "ExaBGP is not told that dsrd hangs: $(cat "$NET_DIR/feed.log")"
step "measured: dsrd stopped: ExaBGP is told after $(($(milliseconds) - begin)) ms"
kill -CONT "$(pid_of dsrd)"
stop feed
start_in director feed "$DSRCTL" -s "$SOCKET" announce --exabgp main
wait_until 10 feed_ends "announce route $ROUTED/32 next-hop self med 100" \
    "announce route $ROUTED6/128 next-hop self med 100" || fail "ExaBGP is not told: $(cat "$NET_DIR/feed.log")"
stop_dsrd
wait_until 3 feed_ends "withdraw route $ROUTED/32 next-hop self" "withdraw route $ROUTED6/128 next-hop self" ||
	fail "ExaBGP is not told that dsrd has ended: $(cat "$NET_DIR/feed.log")"
