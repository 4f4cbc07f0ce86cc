#!/bin/sh
# SPDX-License-Identifier: ISC
#
# VIPs are announced to routers by blackhole routes, by a program, and to ExaBGP: through reloads, drains, a hang and the
# end of dsrd.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=lib_announce.sh
. "$(dirname -- "$0")/lib_announce.sh"

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
echo "\$1 \$2 \$DSRD_METRIC \$DSRD_GROUP" >>"$NET_DIR/runs"
END
: >"$NET_DIR/runs"
chmod 755 "$NET_DIR/program"
chmod 666 "$NET_DIR/runs"
write_conf "announce = program $NET_DIR/program"
start_dsrd
ran() { # LINE: the last run for its VIP
	[ "$(grep -e "^${1%% *} " "$NET_DIR/runs" | tail -n 1)" = "$1" ]
}
wait_until 10 ran "$ROUTED up 100 main" || fail "the program did not run: $(cat "$NET_DIR/runs")"
[ "$(grep -e "^$ROUTED " "$NET_DIR/runs" | head -n 1)" = "$ROUTED down 0 main" ] ||
	fail "the program does not learn at the start that the VIP is not announced yet"
wait_until 10 ran "$SECOND up 100 main" || fail "the program did not run: $(cat "$NET_DIR/runs")"
ctl 0 drain director
wait_until 5 ran "$ROUTED drain 1100 main" || fail "the program did not run for the drain: $(cat "$NET_DIR/runs")"
wait_until 5 ran "$ROUTED down 0 main" || fail "the program did not run for the withdrawal: $(cat "$NET_DIR/runs")"
ctl 0 enable director
wait_until 5 ran "$ROUTED up 100 main" || fail "the program did not run at the end of the drain: $(cat "$NET_DIR/runs")"
write_conf "announce = device"
reload_dsrd ok
wait_until 5 ran "$ROUTED down 0 main" || fail "the program did not run after the reload: $(cat "$NET_DIR/runs")"
wait_routes 5 "after the reload" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100"
write_conf "announce = program $NET_DIR/program"
reload_dsrd ok
wait_routes 5 "after the second reload" ""
wait_until 10 ran "$SECOND up 100 main" || fail "the program did not run: $(cat "$NET_DIR/runs")"
stop_dsrd
for vip in "$ROUTED" "$ROUTED6" "$SECOND"; do
	ran "$vip down 0 main" || fail "the program did not run at the end: $(cat "$NET_DIR/runs")"
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
	fail "ExaBGP does not get the route: $(cat "$NET_DIR/feed.log")"
stop_nginx web2
wait_until 5 feed_ends "withdraw route $SECOND/32 next-hop self" ||
	fail "ExaBGP does not learn that the VIP has no server: $(cat "$NET_DIR/feed.log")"
begin=$(milliseconds)
kill -STOP "$(pid_of dsrd)"
NET_PAUSE=0.02 wait_until 3 feed_ends "withdraw route $ROUTED/32 next-hop self" \
    "withdraw route $ROUTED6/128 next-hop self" "dsrctl: dsrd gives no sign of life" ||
	fail "ExaBGP does not learn that dsrd hangs: $(cat "$NET_DIR/feed.log")"
step "measured: dsrd stopped: ExaBGP knows after $(($(milliseconds) - begin)) ms"
kill -CONT "$(pid_of dsrd)"
wait_until 15 feed_ends "announce route $ROUTED/32 next-hop self med 100" \
    "announce route $ROUTED6/128 next-hop self med 100" || fail "ExaBGP does not get the route: $(cat "$NET_DIR/feed.log")"
stop_dsrd
grep -v '^dsrctl' "$NET_DIR/feed.log" | tail -n 2 >"$NET_DIR/last"
[ "$(grep -c '^withdraw' "$NET_DIR/last")" -eq 2 ] ||
	fail "ExaBGP does not learn that dsrd has ended: $(cat "$NET_DIR/feed.log")"
step "the same process goes on with the next director; of another group it says that there is none"
start_nginx web2
start_dsrd
wait_until 15 feed_ends "announce route $ROUTED/32 next-hop self med 100" \
    "announce route $ROUTED6/128 next-hop self med 100" "announce route $SECOND/32 next-hop self med 100" ||
	fail "no announcement by the next director: $(cat "$NET_DIR/feed.log")"
ctl 2 announce --exabgp nothing
complained "no group"
stop feed
stop_dsrd
