#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The checker, the process that makes attempts of checks, is killed, stopped for a moment and stopped for good while
# clients send requests: none fails, no server goes DOWN, another process takes its place, and a server that does fail is
# still noticed. The director reports a checker that ends again and again, and one that cannot be replaced.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
[ "$net_os" = linux ] || skip "only on Linux the checker is a process of its own"
net_require nginx curl python3 jq
here=$(dirname -- "$0")
net_up 2
start_nginx web1
start_nginx web2
SOCKET=$NET_DIR/dsrd.sock
HTTP=127.0.0.1:9190
# One failed check takes a server down, so each false one shows.
{
	conf_head | sed "s/^log = stderr/&\nhttp = $HTTP/"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = tcp
	check = http path=/health
	check = icmp
	interval = 300ms
	timeout = 250ms
	fall = 1
	rise = 1
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

process() { # NAME: its number, or nothing
	run_in director "$DSRCTL" -s "$SOCKET" --json show process |
		jq -r ".processes[] | select(.name == \"$1\").pid"
}

is_replaced() { # PID
	now=$(process checker)
	[ -n "$now" ] && [ "$now" != "$1" ]
}

metrics() {
	run_in director curl -s --max-time 2 "http://$HTTP/metrics"
}

problem_is() { # ID
	metrics | grep -q "^dsrd_problem{id=\"$1\""
}

healthz_is() { # CODE
	[ "$(run_in director curl -s -o /dev/null -w '%{http_code}' "http://$HTTP/healthz")" = "$1" ]
}

checks_of() { # SERVER: how many have succeeded
	metrics | sed -n "s/^dsrd_server_checks_total{.*server=\"$1\".*result=\"success\".*} //p"
}

more_checks() { # SERVER COUNT
	[ "$(checks_of "$1")" -gt "$2" ]
}

harm() {
	echo "$(log_count 'server-state .*to=down') servers down, $(wc -l <"$NET_DIR/errors") requests failed"
}

no_harm() { # WHAT
	assert_equal "harm: $1" "$harmless" "$(harm)"
}

run_in client python3 "$here/pace.py" measure "$VIP" 80 60 >"$NET_DIR/times" 2>"$NET_DIR/errors" &
requests=$!

harmless='0 servers down, 0 requests failed'

step "it is killed"
before=$(process checker)
[ -n "$before" ] || fail "there is no checker: $("$DSRCTL" -s "$SOCKET" show process)"
kill -KILL "$before"
wait_until 3 is_replaced "$before" || fail "no checker takes the place of $before"
assert_log "error checker pid=$before result=lost reason=\"it ended\""
wait_log 3 "notice checker pid=$(process checker) result=started before=\"signal 9 (Killed)\""
done_before=$(checks_of web1)
wait_until 3 more_checks web1 "$done_before" || fail "no checks after the checker was killed"
no_harm "killed"

step "it is stopped for longer than a check may take, and goes on: the servers are not to blame"
before=$(process checker)
for _ in 1 2 3; do
	kill -STOP "$before"
	sleep 0.8
	kill -CONT "$before"
	sleep 0.3
done
assert_equal "the checker" "$before" "$(process checker)"
no_harm "stopped for a moment"

step "it is stopped for good"
kill -STOP "$before"
wait_until 6 is_replaced "$before" || fail "no checker takes the place of $before"
assert_log "error checker pid=$before result=lost reason=\"it does not answer in time\""
kill -0 "$before" 2>/dev/null && fail "the stopped checker $before is still there"
no_harm "stopped"

step "a server that fails is noticed, and comes back"
stop_nginx web2
wait_server down web/web2
start_nginx web2
wait_server up web/web2
harmless=$(harm)

step "it ends again and again"
problem_is checker-unstable && fail "two ends are a problem"
before=$(process checker)
kill -KILL "$before"
wait_until 5 is_replaced "$before" || fail "no checker takes the place of $before"
wait_until 3 problem_is checker-unstable || fail "three ends are no problem"
assert_log 'warning checker-unstable problem=begin subject=director'
healthz_is 200 || fail "a warning makes the director unhealthy"
no_harm "killed three times"

step "it cannot be replaced"
before=$(process checker)
kill -KILL "$(process privileged)"
kill -KILL "$before"
wait_until 10 problem_is checker-lost || fail "a missing checker is no problem"
wait_log 10 'error checker result=failed'
healthz_is 200 || fail "/healthz would take the VIPs away"
run_in director curl -s "http://$HTTP/healthz" >"$NET_DIR/healthz"
grep -q "the process that checks servers does not work" "$NET_DIR/healthz" ||
	fail "/healthz says: $(cat "$NET_DIR/healthz")"
"$DSRCTL" -s "$SOCKET" doctor >"$NET_DIR/doctor" && fail "the doctor finds nothing wrong"
grep -q '^WRONG  *director: .*\[checker-lost\]' "$NET_DIR/doctor" || fail "the doctor says: $(cat "$NET_DIR/doctor")"
no_harm "without a checker"
kill "$requests"
wait "$requests" || true
count=$(wc -l <"$NET_DIR/times")
echo "    $count requests"
assert_at_least "requests" 500 "$count"
stop_dsrd
