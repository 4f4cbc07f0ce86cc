#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The HTTP listener: metrics that promtool accepts, health, status; misbehaving clients delay neither other clients nor
# frames.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl python3 promtool
net_up 2
start_nginx web1
start_nginx web2
# All the characters that names may have.
ODD=A.b_c-D012345678901234567890123

configure() { # HTTP
	conf_head | sed "s/^log = stderr/&\nhttp = $1/"
	cat <<-END

	[service $ODD]
	listen = $VIP tcp/80
	scheduler = rr
	check = http path=/health
	vip-check = off
	server = web1 $(server_ip 1)
	server = $ODD $(server_ip 2)
	END
}
configure 127.0.0.1:9190 >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server up "$ODD/web1"
wait_server up "$ODD/$ODD"

ask() { # PATH [CURL-OPTION...]
	ask_path=$1
	shift
	run_in director curl -s -S --max-time 20 "$@" "http://127.0.0.1:9190$ask_path"
}
status_of() { # PATH [CURL-OPTION...]
	status_path=$1
	shift
	ask "$status_path" -o /dev/null -w '%{http_code}' "$@"
}
metric() { # SERIES
	ask /metrics >"$NET_DIR/metrics"
	# A fixed text at the beginning of a line.
	awk -v series="$1 " 'index($0, series) == 1 { print substr($0, length(series) + 1) }' "$NET_DIR/metrics"
}
metric_is() { # SERIES VALUE
	[ "$(metric "$1")" = "$2" ]
}

step "the metrics are what Prometheus takes, before and after traffic"
ask /metrics >"$NET_DIR/before"
promtool check metrics <"$NET_DIR/before" >"$NET_DIR/promtool" 2>&1 || fail "promtool: $(cat "$NET_DIR/promtool")"
[ ! -s "$NET_DIR/promtool" ] || fail "promtool complains: $(cat "$NET_DIR/promtool")"
fetch_many 20 "$NET_DIR/pages"
both="service=\"$ODD\",server=\"$ODD\""
wait_until 10 metric_is "dsrd_service_connections_total{service=\"$ODD\"}" 20 ||
	fail "20 connections were made, the metrics say $(metric "dsrd_service_connections_total{service=\"$ODD\"}")"
# Frames that wait in the director's ring are counted when their turn comes.
wait_until 10 metric_is "dsrd_server_handshake_seconds_count{$both}" 10 ||
	fail "10 handshakes were made, the metrics say" \
    "$(metric "dsrd_server_handshake_seconds_count{$both}")"
sent_enough() {
	[ "$(metric "dsrd_server_response_bytes_total{$both}")" -ge 500 ]
}
wait_until 10 sent_enough || fail "the second server sent 10 pages, the metrics say" \
    "$(metric "dsrd_server_response_bytes_total{$both}") bytes"
promtool check metrics <"$NET_DIR/metrics" >"$NET_DIR/promtool" 2>&1 || fail "promtool: $(cat "$NET_DIR/promtool")"
assert_equal "connections of the second server" 10 "$(metric "dsrd_server_connections_total{$both}")"
assert_equal "is it up?" 1 "$(metric "dsrd_server_up{$both}")"
# The same series from the beginning: a rate needs something to begin with.
series() { # FILE
	sed -e '/^#/d' -e 's/ [^ ]*$//' "$1" | sort
}
series "$NET_DIR/before" >"$NET_DIR/series-before"
series "$NET_DIR/metrics" >"$NET_DIR/series-after"
cmp -s "$NET_DIR/series-before" "$NET_DIR/series-after" || fail "traffic made series come or go"

step "Prometheus takes the alerts, they say what they should, and it understands the dashboard"
contrib=$(CDPATH='' cd -- "$(dirname -- "$0")/../../contrib" && pwd)
promtool check rules "$contrib/prometheus/dsrd.rules.yml" >"$NET_DIR/promtool" 2>&1 || fail "$(cat "$NET_DIR/promtool")"
(cd "$contrib/prometheus" && promtool test rules dsrd.test.yml) >"$NET_DIR/promtool" 2>&1 ||
	fail "$(cat "$NET_DIR/promtool")"
# The dashboard's questions as rules: JSON is YAML.
python3 - "$contrib/grafana/dsrd.json" >"$NET_DIR/dashboard.yml" <<-'END'
	import json, sys
	def questions(node):
	    if isinstance(node, dict):
	        if isinstance(node.get("expr"), str):
	            yield node["expr"].replace("$__rate_interval", "5m")
	        node = list(node.values())
	    if isinstance(node, list):
	        for child in node:
	            yield from questions(child)
	found = list(questions(json.load(open(sys.argv[1]))))
	assert len(found) > 10, found
	print(json.dumps({"groups": [{"name": "dashboard", "rules": [{"record": "a:%d" % number, "expr": question}
	    for number, question in enumerate(found)]}]}))
END
promtool check rules "$NET_DIR/dashboard.yml" >"$NET_DIR/promtool" 2>&1 ||
	fail "the dashboard: $(cat "$NET_DIR/promtool")"

step "OpenMetrics is for clients that request it"
ask /metrics -H 'Accept: application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' \
    -D "$NET_DIR/head" >"$NET_DIR/openmetrics"
grep -q '^Content-Type: application/openmetrics-text; version=1.0.0' "$NET_DIR/head" || fail "$(cat "$NET_DIR/head")"
assert_equal "its last line" '# EOF' "$(tail -n 1 "$NET_DIR/openmetrics")"
ask /metrics -D "$NET_DIR/head" >/dev/null
grep -q '^Content-Type: text/plain; version=0.0.4' "$NET_DIR/head" || fail "$(cat "$NET_DIR/head")"

step "the status is JSON"
status() { # EXPRESSION over the status
	ask /status.json | python3 -c 'import json, sys
s = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$1"
}
assert_equal "servers up" 2 "$(status 's["services"][0]["servers_up"]')"
assert_equal "what to see to" '[]' "$(status 's["advice"]')"

step "health: 200 while there is a server, 503 and the reason otherwise"
assert_equal "/healthz" ok "$(ask /healthz)"
stop_nginx web1
wait_server down "$ODD/web1"
assert_equal "/healthz with one of two" 200 "$(status_of /healthz)"
assert_equal "what to see to" "$ODD/web1 dsrctl doctor $ODD/web1" \
    "$(status '" ".join((s["advice"][0]["about"], s["advice"][0]["fix"]))')"
stop_nginx web2
wait_server down "$ODD/$ODD"
fetch / --connect-timeout 1 >/dev/null && fail "an answer without a server"
wait_log 10 'warning frames-dropped reason=no-server frames=[1-9]'
assert_equal "/healthz with none" 503 "$(status_of /healthz)"
assert_equal "its reason" "service $ODD has no server for new connections: web1: http :80/health: connection refused" \
    "$(ask /healthz)"
assert_equal "dsrd_service_up" 0 "$(metric "dsrd_service_up{service=\"$ODD\"}")"
start_nginx web1
start_nginx web2
wait_server up "$ODD/web1"
wait_server up "$ODD/$ODD"

step "what else is asked is refused"
assert_equal "a path that is not there" 404 "$(status_of /show)"
assert_equal "POST" 405 "$(status_of / -X POST)"
assert_equal "a head too large" 413 "$(status_of / -H "Cookie: $(head -c 9000 /dev/zero | tr '\0' a)")"
assert_equal "HEAD" 200 "$(status_of / -I)"
ask / -D "$NET_DIR/head" | grep -q '</html>' || fail "the page is not complete"
grep -q "^Content-Security-Policy: default-src 'none'" "$NET_DIR/head" || fail "the page has no policy"

step "clients that send nothing, send slowly or do not read delay no others"
start_in director rude python3 "$(dirname -- "$0")/rude_client.py" 127.0.0.1 9190 200
wait_log_of() { # NAME TEXT
	wait_until 20 grep -q "$2" "$NET_DIR/$1.log" || fail "$1: $(cat "$NET_DIR/$1.log")"
}
wait_log_of rude 'all are there'
# Meanwhile frames are forwarded, and requests are answered.
fetch_many 50 "$NET_DIR/pages"
assert_equal "pages while rude clients are connected" 50 "$(grep -c . "$NET_DIR/pages")"
wait_until 60 ask /healthz || fail "no answer while rude clients are connected"
descriptors=$(find "/proc/$(pid_of dsrd)/fd" -type l -lname 'socket:*' | wc -l)
assert_at_most "the director's sockets with 200 rude clients" 60 "$descriptors"
is_running rude || fail "the rude clients left: $(cat "$NET_DIR/rude.log")"
stop rude

step "a reload is counted, a failed one is reported, and the port does not change"
configure '127.0.0.1:9191' >"$NET_DIR/dsrd.conf"
reload_dsrd ok
assert_log 'reload key=http'
echo nonsense >>"$NET_DIR/dsrd.conf"
reload_dsrd failed
assert_equal "dsrd_config_last_reload_successful" 0 "$(metric dsrd_config_last_reload_successful)"
assert_equal "what to see to" director "$(status 's["advice"][0]["about"]')"
stop_dsrd

step "IPv6, and a port that is taken"
run_in director sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0
if run_in director ip -6 address show dev lo | grep -q ::1; then
	configure '[::1]:9190' >"$NET_DIR/dsrd.conf"
	start_dsrd
	run_in director curl -s --max-time 20 -o "$NET_DIR/six" 'http://[::1]:9190/metrics' || fail "no answer by IPv6"
	grep -q dsrd_build_info "$NET_DIR/six" || fail "no metrics by IPv6"
	stop_dsrd
fi
start_in director squatter python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 9191)); s.listen(); time.sleep(100)'
wait_until 10 run_in director sh -c 'ss -ltn | grep -q 127.0.0.1:9191' || fail "the port is not taken"
configure 127.0.0.1:9191 >"$NET_DIR/dsrd.conf"
start_dsrd
assert_log 'http result=failed reason="cannot listen on 127.0.0.1 port 9191: .*another program uses that port'
wait_server up "$ODD/web1"
stop_dsrd
