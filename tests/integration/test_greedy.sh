#!/bin/sh
# SPDX-License-Identifier: ISC
#
# More stuck and greedy clients than the control socket serves request the largest answers: no datagram is lost, and
# other clients are served when these are gone.
#
# Alone: no datagram may be lost, so the director needs a processor at any time.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require python3
net_up 2
here=$(dirname -- "$0")
COUNT=1000

{
	conf_head
	cat <<-END

	[service bulk]
	listen = $VIP udp/9000
	scheduler = rr
	check = none
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
for server in web1 web2; do
	wait_log 10 "neighbor-found server=bulk/$server "
	start_in "$server" "$server-count" python3 "$here/datagrams.py" count "$VIP" 9000 $COUNT
	wait_until 10 grep -q ready "$NET_DIR/$server-count.log" || fail "no program counts on $server"
done

step "many flows are in the table"
run_in client python3 "$here/datagrams.py" flows "$VIP" 9000 3000
flows_known() {
	ctl 0 -j show connections limit=0
	[ "$(sed 's/.*"matched":\([0-9]*\).*/\1/' "$NET_DIR/said")" -ge 1200 ]
}
wait_until 15 flows_known || fail "not enough flows: $(cat "$NET_DIR/said")"

step "greedy clients, and datagrams all the while"
start_in director greedy python3 "$here/greedy.py" "$SOCKET"
wait_until 10 grep -q greedy "$NET_DIR/greedy.log" || fail "the greedy clients get nothing"
run_in client python3 "$here/datagrams.py" send "$VIP" 9000 $COUNT
complete() {
	grep -q complete "$NET_DIR/web1-count.log" "$NET_DIR/web2-count.log"
}
wait_until 20 complete || fail "datagrams are lost: of $COUNT have come, at least, $(cat "$NET_DIR"/web?-count.log)"
is_running greedy || fail "the greedy clients have given up: $(cat "$NET_DIR/greedy.log")"

step "when they are gone, others are served"
stop greedy KILL
served() {
	"$DSRCTL" -s "$SOCKET" -j show >"$NET_DIR/said" 2>&1
}
wait_until 15 served || fail "dsrctl is not served: $(cat "$NET_DIR/said")"
stop_dsrd
