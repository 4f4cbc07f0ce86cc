#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Groups of VIPs whose routes go to one table: none disturbs another, a reload moves VIPs between groups, and what could
# not be made is not made when it is no longer wanted.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=lib_announce.sh
. "$(dirname -- "$0")/lib_announce.sh"

THIRD=203.0.113.30
vip_add web2 "$THIRD"

write_groups() { # GROUP-OF-SECOND LINE...: of [dsrd]
	groups_second=$1
	shift
	write_conf "$@"
	sed -i '/^\[service two\]/a group = '"$groups_second" "$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END
	[service three]
	group = left
	listen = $THIRD tcp/80
	server = web2 192.0.2.12
	END
}

in_table() { # TABLE
	ip -n "$NET-director" -4 route show table "$1" proto 64 2>/dev/null | sed -n 's/^blackhole \([^ ]*\).*/\1/p' | xargs
}

tables_have() { # OF-77 OF-78
	[ "$(in_table 77)" = "$1" ] && [ "$(in_table 78)" = "$2" ]
}

step "the routes of a group that comes later leave those of others alone"
write_groups left "announce = route table=77" "announce = route table=77 group=left"
sed -i "s/192.0.2.12$/192.0.2.99/" "$NET_DIR/dsrd.conf"
start_in director monitor ip monitor route
start_dsrd
wait_routes 10 "the first group" "$ROUTED 100" "$ROUTED6 100"
write_groups left "announce = route table=77" "announce = route table=77 group=left"
reload_dsrd ok
wait_routes 10 "both groups" "$ROUTED 100" "$ROUTED6 100" "$SECOND 100" "$THIRD 100"
[ "$(grep -c Deleted "$NET_DIR/monitor.log")" -eq 0 ] || fail "routes were removed: $(cat "$NET_DIR/monitor.log")"

step "a reload moves a VIP to a group with another table, and to one without routes"
write_groups left "announce = route table=77" "announce = route table=78 group=left"
reload_dsrd ok
wait_until 10 tables_have "$ROUTED" "$SECOND $THIRD" ||
	fail "table 77 has '$(in_table 77)', table 78 '$(in_table 78)'"
write_groups main "announce = route table=77" "announce = route table=78 group=left"
reload_dsrd ok
wait_until 10 tables_have "$ROUTED $SECOND" "$THIRD" ||
	fail "table 77 has '$(in_table 77)', table 78 '$(in_table 78)'"
write_groups left "announce = off" "announce = route table=78 group=left"
reload_dsrd ok
wait_routes 10 "two of group left" "$SECOND 100" "$THIRD 100"
write_groups main "announce = off" "announce = route table=78 group=left"
reload_dsrd ok
wait_routes 10 "one of group left" "$THIRD 100"
write_groups left "announce = off" "announce = route table=78 group=left"
reload_dsrd ok
wait_routes 10 "two of group left again" "$SECOND 100" "$THIRD 100"

step "a VIP that lost its servers while its device was down stays withdrawn"
write_groups left "announce = off" "announce = device device=vips group=left"
reload_dsrd ok
wait_routes 10 "a device" "$SECOND 100" "$THIRD 100"
ip -n "$NET-director" link set vips down
wait_until 10 grep -q 'group=left result=failed' "$NET_DIR/dsrd.log" || fail "a device that is down is not reported"
ctl 0 disable three/web2
wait_until 5 grep -q "announce vip=$THIRD group=left to=withdrawn" "$NET_DIR/dsrd.log" || fail "it is not withdrawn"
ip -n "$NET-director" link set vips up
wait_routes 10 "the device is up" "$SECOND 100"
# It looks after all routes at the same time.
ip -n "$NET-director" route del "$SECOND" dev vips
wait_until 5 grep -q "announce vip=$SECOND result=restored" "$NET_DIR/dsrd.log" || fail "a route is not restored"
routes_are "$SECOND 100" || fail "there are the routes '$(routes)'"
stop_dsrd
