#!/bin/sh
# SPDX-License-Identifier: ISC
#
# `dsrctl why` predicts the server of connections and the reasons why others are not chosen, and changes nothing.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
CLIENT=$SERVER_PREFIX.100

write_conf() { # SCHEDULER [LINE-OF-SERVICE]
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = $1
	${2:-}
	server = web1 $(server_ip 1) weight=3
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3) backup
	END
}

why() { # STATUS PORT
	why_got=0
	"$DSRCTL" -s "$SOCKET" why tcp "$CLIENT:$2" "$VIP:80" >"$NET_DIR/said" 2>&1 || why_got=$?
	[ "$why_got" = "$1" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsrctl why: expected status $1, got $why_got"
	}
}

said() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || {
		cat "$NET_DIR/said" >&2
		fail "no line of the above matches '$1'"
	}
}

foretold() {
	sed -n 's|^verdict: forwarded to web/\(web[0-9]\),.*|\1|p' "$NET_DIR/said"
}

write_conf wrr >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3

step "frames go where why says, however often it is used"
for port in 40001 40002 40003 40004 40005 40006; do
	why 0 "$port"
	why 0 "$port"
	expected=$(foretold)
	assert_equal "server of port $port" "$expected" "$(fetch / --local-port "$port")"
	said '^scheduler: wrr; 2 of 3 servers take new connections'
	said '^flow: not in the flow table'
	said '^web/web3  *backup .*waits until no other'
	said "^web/$expected  *candidate .* taken$"
done

step "a flow that is known"
hold_download long
known=$(server_of long)
port=$(run_in client ss -Htn state established dst "$VIP" | awk '{ sub(/.*:/, "", $3); print $3; exit }')
why 0 "$port"
said "^flow: web/$known, established, .* old, forgotten in "
said "^verdict: forwarded to web/$known, MAC 02:.* out of eth0: the flow is known"
"$DSRCTL" -s "$SOCKET" -j why tcp "$CLIENT:$port" "$VIP:80" >"$NET_DIR/said"
said "\"flow_known\":true.*\"flow_state\":\"established\".*\"verdict\":\"forward\",\"reason\":null,\"server\":\"web/$known\".*\"way\":\"known\""
stop long KILL

step "servers that are drained, disabled and down; a port without service"
"$DSRCTL" -s "$SOCKET" drain web/web1 >/dev/null
why 0 40010
said '^web/web1  *draining '
"$DSRCTL" -s "$SOCKET" disable web/web1 >/dev/null
why 0 40010
said '^web/web1  *disabled '
assert_equal "server taken" web2 "$(foretold)"
stop_nginx web2
wait_server down web/web2
why 0 40010
said '^web/web2  *\(down\|vip-refused\) .*connection refused'
said '^web/web3  *candidate .* taken$'
stop_nginx web3
wait_server down web/web3
why 1 40010
said '^verdict: dropped (no-server): '
status=0
"$DSRCTL" -s "$SOCKET" why tcp "$CLIENT:40010" "$VIP:81" >"$NET_DIR/said" || status=$?
assert_equal "status for a port without service" 1 "$status"
said '^verdict: dropped (no-service): '
for wrong in "icmp 1.2.3.4:5 $VIP:80" "tcp 1.2.3.4 $VIP:80" "tcp 1.2.3.4:5 [::1]:80" "tcp [1.2.3.4]:5 $VIP:80"; do
	status=0
	# shellcheck disable=SC2086 # words
	"$DSRCTL" -s "$SOCKET" why $wrong >"$NET_DIR/said" 2>&1 || status=$?
	assert_equal "status of why $wrong" 2 "$status"
	said '^dsrctl: `.*'
done
start_nginx web2
start_nginx web3
wait_server up web/web2

step "persistence"
write_conf rr 'persist = 5m' >"$NET_DIR/dsrd.conf"
"$DSRCTL" -s "$SOCKET" enable web/web1 >/dev/null
reload_dsrd ok
wait_servers_up web web1 web2
first=$(fetch / --local-port 40020)
why 0 40021
said "^persistence: web/$first, .* old, forgotten in "
assert_equal "server that persistence foretells" "$first" "$(foretold)"
assert_equal "server that persistence gives" "$first" "$(fetch / --local-port 40021)"
stop_dsrd
