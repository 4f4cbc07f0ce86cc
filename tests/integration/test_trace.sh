#!/bin/sh
# SPDX-License-Identifier: ISC
#
# `dsrctl trace`: a line for each decision, filters, capture files that tshark reads, end by signal or count, and a slow
# reader that delays nothing.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tshark
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
CLIENT=$SERVER_PREFIX.100

# What the kernel carries does not come by the director.
DSRD_OFFLOAD=off conf_head >"$NET_DIR/dsrd.conf"
cat >>"$NET_DIR/dsrd.conf" <<-END

[service web]
listen = $VIP tcp/80
scheduler = rr
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END
start_dsrd
wait_servers_up web web1 web2

# Starts a trace and waits until the director has said that it watches.
start_trace() { # NAME ARGUMENT...
	trace_name=$1
	shift
	start_in director "$trace_name" "$DSRCTL" -s "$SOCKET" trace "$@"
	wait_line "$trace_name" '^dsrctl: tracing;'
}

has_line() { # NAME PATTERN
	grep -q -e "$2" "$NET_DIR/$1.log"
}

wait_line() { # NAME PATTERN
	wait_until 10 has_line "$1" "$2" || {
		cat "$NET_DIR/$1.log" >&2
		fail "the trace $1 has no line that matches '$2'"
	}
}

step "a line for each decision"
start_trace all "client=$CLIENT"
start_trace drops verdict=drop port=81
start_trace json -c 3 "client=$CLIENT" service=web
first=$(fetch / --local-port 41001)
wait_line all " verdict=forward protocol=tcp from=$CLIENT:41001 to=$VIP:80 server=web/$first state=syn new=yes in=eth0 in-mac=$CLIENT_MAC>$DIRECTOR_MAC out=eth0 out-mac=$DIRECTOR_MAC>02:"
wait_line all "from=$CLIENT:41001 .* state=established new=no "
run_in client curl -s --max-time 1 --connect-timeout 0.3 "http://$VIP:81/" || true
wait_line drops " verdict=drop reason=no-service protocol=tcp from=$CLIENT:.* to=$VIP:81 in=eth0"
if grep -v ' verdict=drop .* reason=no-service' "$NET_DIR/drops.log" | grep -q verdict=forward; then
	fail "the filter lets through what it should not"
fi
wait_until 10 pid_gone "$(pid_of json)" || fail "the trace does not end after its count"
assert_equal "decisions shown of -c 3" 3 "$(grep -c verdict= "$NET_DIR/json.log")"
for name in all drops; do
	stop "$name" INT
	assert_equal "status of a trace that was interrupted" 0 "$STOP_STATUS"
done

step "JSON, a line each"
start_in director lines "$DSRCTL" -s "$SOCKET" -j trace -c 4 "client=$CLIENT"
wait_line lines '^dsrctl: tracing;'
fetch / >/dev/null
wait_until 10 pid_gone "$(pid_of lines)" || fail "the trace does not end after its count"
assert_equal "lines" 4 "$(grep -c '^{.*}$' "$NET_DIR/lines.log")"
wait_line lines "^{\"time\":[0-9.]*,\"verdict\":\"forward\",\"reason\":null,\"protocol\":\"tcp\",\"server\":\"web/web.\",\"state\":\"syn\",.*\"new\":true"

step "words that are wrong"
for wrong in "clientt=$CLIENT" verdict=forwards port=0 state=syn; do
	status=0
	"$DSRCTL" -s "$SOCKET" trace "$wrong" >"$NET_DIR/said" 2>&1 || status=$?
	assert_equal "status of trace $wrong" 2 "$status"
	grep -q "\`$wrong\`" "$NET_DIR/said" || fail "the word $wrong is not named: $(cat "$NET_DIR/said")"
done

step "a capture file with comments"
start_trace file --pcapng "$NET_DIR/trace.pcapng" "client=$CLIENT" protocol=tcp
second=$(fetch / --local-port 41002)
shark() { # FILTER FIELD...
	shark_filter=$1
	shift
	# shellcheck disable=SC2046 # words
	set -- $(printf -- '-e %s ' "$@")
	tshark -r "$NET_DIR/trace.pcapng" -Y "$shark_filter" -T fields "$@" 2>/dev/null
}
shark_has() { # COUNT FILTER
	[ "$(shark "$2" frame.number | wc -l)" -ge "$1" ]
}
wait_until 15 shark_has 2 'tcp.srcport == 41002 && tcp.flags.syn == 1' || fail "the SYN is not there twice"
stop file TERM
assert_equal "status of a trace that was ended" 0 "$STOP_STATUS"
assert_equal "interfaces of the SYN" "in out" \
    "$(shark 'tcp.srcport == 41002 && tcp.flags.syn == 1' frame.interface_name | tr '\n' ' ' | sed 's/ $//')"
assert_equal "where the SYN was sent" "$(server_mac "${second#web}")" \
    "$(shark 'frame.interface_name == "out" && tcp.srcport == 41002 && tcp.flags.syn == 1' eth.dst)"
shark 'tcp.srcport == 41002 && tcp.flags.syn == 1' frame.comment >"$NET_DIR/comments"
grep -q "^dsrd: verdict=forward protocol=tcp from=$CLIENT:41002 to=$VIP:80 server=web/$second state=syn new=yes out=eth0$" \
    "$NET_DIR/comments" || fail "the frame that came has not its comment: $(cat "$NET_DIR/comments")"
grep -q "^dsrd: sent for the frame before it, server=web/$second out=eth0$" "$NET_DIR/comments" ||
	fail "the frame that left has not its comment: $(cat "$NET_DIR/comments")"
assert_equal "frames that tshark finds malformed" 0 "$(shark _ws.malformed frame.number | wc -l | tr -d ' ')"

step "a reader that is too slow"
start_trace slow --pcapng "$NET_DIR/slow.pcapng" "client=$CLIENT"
kill -STOP "$(pid_of slow)"
truncate -s 8M "$NET_DIR/big"
assert_equal "status of an upload past a reader that stands still" 201 "$(run_in client \
    curl -s --max-time 30 -o /dev/null -w '%{http_code}' -T "$NET_DIR/big" "http://$VIP/up/big")"
slow_frames() {
	tshark -r "$NET_DIR/slow.pcapng" -Y 'tcp.dstport == 80' -T fields -e frame.number 2>/dev/null | wc -l
}
# The upload may be a hundred super-frames, of which the socket holds a few.
before=$(slow_frames)
kill -CONT "$(pid_of slow)"
slow_caught_up() {
	[ "$(slow_frames)" -gt "$before" ]
}
wait_until 10 slow_caught_up || fail "the slow reader gets nothing any more"
# Within about a second the director reports what was left out; later frames follow.
third=$(fetch / --local-port 41003)
late_one_came() {
	tshark -r "$NET_DIR/slow.pcapng" -Y 'tcp.srcport == 41003' -T fields -e frame.comment 2>/dev/null | grep -q "web/$third"
}
wait_until 15 late_one_came || fail "the slow reader does not get what comes later"
stop slow INT
wait_line slow '^dsrctl: [1-9][0-9]* not shown: they arrived faster'

step "four at a time"
for name in one two three four; do
	start_trace "$name"
done
status=0
"$DSRCTL" -s "$SOCKET" trace >"$NET_DIR/said" 2>&1 || status=$?
assert_equal "status of a fifth trace" 1 "$status"
grep -q '4 clients trace already' "$NET_DIR/said" || fail "the fifth trace gets no reason: $(cat "$NET_DIR/said")"
stop_dsrd
for name in one two three four; do
	wait_until 10 pid_gone "$(pid_of "$name")" || fail "the trace $name does not end with the director"
done
