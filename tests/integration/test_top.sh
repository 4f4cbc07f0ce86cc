#!/bin/sh
# SPDX-License-Identifier: ISC
#
# `dsrctl top`: a live screen on a terminal, otherwise repeated output.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl python3
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

conf_head >"$NET_DIR/dsrd.conf"
cat >>"$NET_DIR/dsrd.conf" <<-END

[service web]
listen = $VIP tcp/80
scheduler = rr
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END

step "without a director"
status=0
"$DSRCTL" -s "$SOCKET" top -c 1 >"$NET_DIR/said" 2>&1 </dev/null || status=$?
assert_equal "status of top without a director" 3 "$status"
status=0
"$DSRCTL" -s "$SOCKET" top -c none >"$NET_DIR/said" 2>&1 </dev/null || status=$?
assert_equal "status of top with a wrong count" 2 "$status"

start_dsrd
wait_servers_up web web1 web2

step "printed, where there is no terminal"
fetch / >/dev/null
"$DSRCTL" -s "$SOCKET" top -c 2 >"$NET_DIR/said" </dev/null
assert_equal "looks" 2 "$(grep -c '^dsrd [0-9].* flows [0-9]* of ' "$NET_DIR/said")"
assert_equal "lines of a server" 2 "$(grep -c '^web/web1  *up  *1 ' "$NET_DIR/said")"
if grep -q "$(printf '\033')" "$NET_DIR/said"; then
	fail "escape sequences, though this is no terminal"
fi

step "a live screen"
run_in director python3 "$(dirname -- "$0")/live_screen.py" "$DSRCTL" "$SOCKET" \
    "ip netns exec $NET-client curl -s --max-time 10 http://$VIP/" >"$NET_DIR/screen.log" 2>&1 || {
	cat "$NET_DIR/screen.log" >&2
	fail "the live screen, see above"
}
stop_dsrd
