#!/bin/sh
# SPDX-License-Identifier: ISC
#
# More SYNs than the director can handle, for a service whose scheduler is not a hash: the kernel selects by hash until the
# flood has ended, no page fails, and an earlier download continues.
#
# Alone: the flood takes all processors.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tc
FLOOD=$BUILD_DIR/tests/integration/flood
[ -x "$FLOOD" ] || fail "there is no $FLOOD: type make"
export DSRD_OFFLOAD=tc
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
run_in director ethtool -K eth0 rxvlan off
{
	conf_head
	cat <<-END
	[service web]
	listen = $VIP tcp/80
	scheduler = wlc
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
if grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
	step "this machine cannot: the daemon selects"
	fetch >/dev/null || fail "no page"
	exit 0
fi
wait_servers_up web web1 web2
hold_download held

step "SYNs as fast as they can be sent: the flood is the kernel's"
start_in client flood "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 8000000 400000 s
wait_until 10 grep -q ' flood state=begun ' "$NET_DIR/dsrd.log" || {
	dump_dsrd
	fail "no flood is seen: $(counter frames) frames, $(counter unproven_evicted) evicted, $(grep -o 'capture-dropped=[0-9]*' "$NET_DIR/dump")"
}
pages=0
while [ "$pages" -lt 30 ]; do
	fetch / --max-time 30 >/dev/null || fail "page $pages fails during the flood"
	pages=$((pages + 1))
done
is_running flood || fail "the flood ended before the pages were fetched"
is_running held || fail "the earlier download ended"
dump_dsrd
step "$pages pages; the kernel selected $(counter selected) of $(counter frames) frames"
assert_at_least "selected frames" 10000 "$(counter selected)"
stop flood KILL

step "it has ended: connections are scheduled again"
wait_log 20 ' flood state=ended ' || fail "the flood does not end"
fetch >/dev/null || fail "no page after the flood"
stop held KILL
