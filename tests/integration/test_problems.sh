#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The director's own problems begin and end while it runs: its kernel gets a VIP, forwarding, no link, an interface that
# is removed, a failed reload. Each appears in the log, show, /healthz, the status, the metrics and the doctor within
# seconds, and disappears from all of them when it is solved. dsrd -n warns of what does not fit the host.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 1
start_nginx web1
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
HTTP=http://127.0.0.1:9190

write_conf() { # [LINE [LINE]]
	{
		conf_head | sed 's/^log = stderr/&\nhttp = 127.0.0.1:9190/'
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		vip-check = off
		server = web1 $(server_ip 1)
		${1:-}
		${2:-}
		END
	} >"$NET_DIR/dsrd.conf"
}

# A pipe would make the writer's status the pipe's.
get() { # PATH
	run_in director curl -s --max-time 2 -o "$NET_DIR/body" -w '%{http_code}' "$HTTP$1" >"$NET_DIR/code" || true
	cat "$NET_DIR/body"
}

healthz_is() { # CODE
	get /healthz >/dev/null
	[ "$(cat "$NET_DIR/code")" = "$1" ]
}

metric_is() { # ID SEVERITY SUBJECT
	get /metrics | grep -q "^dsrd_problem{id=\"$1\",severity=\"$2\",subject=\"$3\".*} 1$"
}

# All readers of the list show it.
begins() { # ID error|warning SUBJECT
	wait_log 3 "$1 problem=begin subject=$3"
	sed -n '/Problems of this director/,/^$/p' >"$NET_DIR/table" <<-END
	$("$DSRCTL" -s "$SOCKET" show)
	END
	grep -q "^$2  *$3 " "$NET_DIR/table" || fail "dsrctl show does not have $1: $(cat "$NET_DIR/table")"
	metric_is "$1" "$2" "$3" || fail "the metrics do not have $1"
	get /status.json | grep -q "\"id\":\"$1\",\"severity\":\"$2\",\"subject\":\"$3\"" ||
		fail "the status does not have $1"
	get /status.json | grep -q '"advice":\[{"severity"' || fail "the status advises nothing"
	case $2 in
	error) healthz_is 503 || fail "/healthz does not have $1" ;;
	warning) healthz_is 200 || fail "/healthz says 503 because of $1" ;;
	esac
	"$DSRCTL" -s "$SOCKET" doctor >"$NET_DIR/doctor" && fail "the doctor finds all well in spite of $1"
	grep -q "^WRONG  *director: .*\[$1\]" "$NET_DIR/doctor" ||
		fail "the doctor does not have $1: $(cat "$NET_DIR/doctor")"
}

shows_none() {
	! "$DSRCTL" -s "$SOCKET" show | grep -q 'Problems of this director'
}

ends() { # ID SUBJECT
	wait_log 3 "$1 problem=end subject=$2"
	wait_until 3 shows_none || fail "dsrctl show still has a problem after $1"
	get /metrics | grep -q '^dsrd_problem{' && fail "the metrics still have $1"
	get /metrics | grep -q -x 'dsrd_problems{severity="error"} 0' || fail "the metrics still count $1"
	get /status.json | grep -q '"problems":\[\]' || fail "the status still has $1"
}

recovers() {
	wait_until 10 healthz_is 200 || fail "/healthz does not recover: $(cat "$NET_DIR/body")"
}

page_comes() {
	[ "$(fetch / --max-time 1)" = web1 ]
}

write_conf
start_dsrd
wait_servers_up web web1
recovers

step "the kernel gets the VIP"
ip -n "$NET-director" address add "$VIP/32" dev lo
begins vip-held error "$VIP"
assert_log "vip-held problem=begin .*fix=\"ip address delete $VIP dev lo\""
ip -n "$NET-director" address delete "$VIP/32" dev lo
ends vip-held "$VIP"
recovers

step "a local route has it, which no event reports: the look every few seconds does"
ip -n "$NET-director" route add local "$VIP/32" dev lo
wait_until 8 metric_is vip-held error "$VIP" || fail "the local route is not noticed"
assert_log "vip-held problem=begin .*fix=\"ip route delete local $VIP/32 dev lo\""
run_in director ip route delete local "$VIP/32" dev lo
wait_until 8 healthz_is 200 || fail "the end of the local route is not noticed"

step "forwarding is switched on"
run_in director sysctl -q -w net.ipv4.ip_forward=1
begins forwarding error eth0
run_in director sysctl -q -w net.ipv4.ip_forward=0
ends forwarding eth0
recovers

step "the link is pulled, which is no fault of the server"
link_set switch director-eth0 down
begins no-link error eth0
get /metrics | grep -q -x 'dsrd_interface_up{interface="eth0"} 0' || fail "dsrd_interface_up is not 0"
"$DSRCTL" -s "$SOCKET" show >"$NET_DIR/shown"
grep -q '^eth0  *no link ' "$NET_DIR/shown" || fail "dsrctl show does not have the link"
grep -q "^web/web1  *unknown .*the director's interface to it has no link" "$NET_DIR/shown" ||
	fail "the server's state is not unknown: $(cat "$NET_DIR/shown")"
assert_no_log "server-state server=web/web1 from=[a-z]* to=down"
link_set switch director-eth0 up
ends no-link eth0
get /metrics | grep -q -x 'dsrd_interface_up{interface="eth0"} 1' || fail "dsrd_interface_up is not 1"
recovers

step "a reload fails"
write_conf "no-such-key = 1"
reload_dsrd failed
begins reload-failed warning director
grep -q 'reload-failed problem=begin .*dsrd.conf:[0-9]*: ' "$NET_DIR/dsrd.log" ||
	fail "the log does not say why the reload failed"
write_conf
reload_dsrd ok
ends reload-failed director
wait_until 10 page_comes || fail "no page after all of that"

step "the interface is removed, and another one takes its name"
ip -n "$NET-switch" link delete director-eth0
begins interface-gone error eth0
net_attach director eth0 lan "$DIRECTOR_MAC" "$SERVER_PREFIX.1/24"
ends interface-gone eth0
recovers
wait_until 10 page_comes || fail "no page after the interface is back"
stop_dsrd

step "what a reload would bring, before it does: ports and servers that do not answer, and what does not fit"
start_dsrd
wait_servers_up web web1
plan_says() { # PATTERN
	grep -q -e "$1" "$NET_DIR/plan" || fail "reload --plan does not say '$1': $(cat "$NET_DIR/plan")"
}
"$DSRCTL" -s "$SOCKET" reload --plan >"$NET_DIR/plan" || fail "reload --plan fails"
grep -q WARNING "$NET_DIR/plan" && fail "reload --plan warns of what runs well: $(cat "$NET_DIR/plan")"
write_conf "server = self $SERVER_PREFIX.1" "server = off $SERVER_PREFIX.77"
cat >>"$NET_DIR/dsrd.conf" <<-END

[service more]
listen = $VIP tcp/8099
server = web1 $(server_ip 1)
END
"$DSRCTL" -s "$SOCKET" reload --plan >"$NET_DIR/plan" || fail "reload --plan fails"
plan_says '^more  *-*  *no server answers on tcp/8099 yet (web1: refused)'
plan_says '^web  *off  *it does not serve tcp/80: '
plan_says "^web  *self  *$SERVER_PREFIX.1 is this host's own address"
"$DSRCTL" -s "$SOCKET" -j reload --plan | grep -q '"warnings":\[{"service":"web","server":"self",' ||
	fail "no warnings in JSON"
write_conf "server = self $SERVER_PREFIX.1 no-such-option=1"
"$DSRCTL" -s "$SOCKET" reload --plan >"$NET_DIR/plan" 2>&1 && fail "a file with errors is planned"
plan_says 'dsrd.conf:[0-9]*: '
assert_no_log "reload-failed problem=begin"
write_conf
stop_dsrd

step "what does not fit the host"
check() { # STATUS [OPTION...]
	expected=$1
	shift
	status=0
	run_in director "$DSRD" -n -f "$NET_DIR/dsrd.conf" "$@" >"$NET_DIR/said" 2>&1 || status=$?
	[ "$status" -eq "$expected" ] || fail "dsrd -n ends with $status, not $expected: $(cat "$NET_DIR/said")"
}
said() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || fail "dsrd -n does not say '$1': $(cat "$NET_DIR/said")"
}
check 0 --strict
said ': no errors$'
ip -n "$NET-director" address add "$VIP/32" dev lo
write_conf "server = self $SERVER_PREFIX.1" "server = far 203.0.113.7"
check 0
said ": warning: web: the VIP $VIP is this host's own address, on lo"
said ": warning: web/self: $SERVER_PREFIX.1 is this host's own address, on eth0, so dsrd does not start"
said ': warning: web/far: 203.0.113.7 is in none of this host.s networks'
said ': no errors; 3 warnings about this host$'
check 78 --strict
check 0 -i nosuch0
said ': warning: web: this host has no interface nosuch0, so dsrd does not start here: its Ethernet interfaces are eth0'
ip -n "$NET-director" address delete "$VIP/32" dev lo
write_conf "server = far 203.0.113.7"
start_dsrd
assert_log "server-address server=web/far reason=\"203.0.113.7 is in none of this host's networks"
stop_dsrd

step "a key of the peers that is missing, or too short"
write_conf
sed 's|^\[dsrd\]|&\npeer = lb2 10.9.0.2\npeer-listen = 10.9.0.1\nsync-key-file = '"$NET_DIR"'/peers-key|' \
    "$NET_DIR/dsrd.conf" >"$NET_DIR/peers.conf"
check 0 -f "$NET_DIR/peers.conf"
said ": warning: dsrd does not start: sync-key-file $NET_DIR/peers-key: No such file or directory"
(umask 077; echo short >"$NET_DIR/peers-key")
check 0 -f "$NET_DIR/peers.conf"
said "peers-key: it has fewer than 16 bytes"
