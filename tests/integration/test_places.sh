#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Clients that take all connections they can get, of the control socket and over HTTP, keep no one else out; and what a
# web page of another site may request is nothing.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require curl python3
net_up 2
here=$(dirname -- "$0")
DIRECTOR_IP=$SERVER_PREFIX.1

{
	conf_head | sed "s/^log = stderr/&\nhttp = 0.0.0.0:9190\nhttp-host = director.example.org\ncontrol-group = nogroup/"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	check = none
	vip-check = off
	END
	# Answers larger than a socket's buffer.
	for number in $(seq 150); do
		echo "server = a-server-with-a-long-name-$number $SERVER_PREFIX.$((number + 50))"
	done
} >"$NET_DIR/dsrd.conf"
chmod 711 "$NET_DIR"
start_dsrd
status_of() { # HOST
	run_in web1 curl -s -m 5 -o /dev/null -w '%{http_code}' -H "Host: $1" "http://$DIRECTOR_IP:9190/status.json"
}
wait_until 10 status_of "$DIRECTOR_IP" || fail "no answer over HTTP"

step "only requests for the director are answered"
assert_equal "its address" 200 "$(status_of "$DIRECTOR_IP:9190")"
assert_equal "its name" 200 "$(status_of director.example.org)"
assert_equal "localhost, as through ssh -L" 200 "$(status_of localhost:9190)"
assert_equal "a name of another site" 421 "$(status_of rebound.attacker.example)"
assert_equal "another address" 421 "$(status_of 203.0.113.1)"

step "a host that does not read its answers leaves room for others"
start_in web2 hold-http python3 "$here/hold.py" "$DIRECTOR_IP" 9190 100
wait_until 10 grep -q holding "$NET_DIR/hold-http.log" || fail "nothing is held: $(cat "$NET_DIR/hold-http.log")"
for _ in 1 2 3 4 5 6; do
	assert_equal "meanwhile" 200 "$(status_of "$DIRECTOR_IP")"
done
is_running hold-http || fail "it has left: $(cat "$NET_DIR/hold-http.log")"
stop hold-http

step "a user that may look holds the control socket, and root gets in each time"
start_in director hold python3 "$here/hold.py" "$SOCKET" 64
wait_until 10 grep -q holding "$NET_DIR/hold.log" || fail "nothing is held: $(cat "$NET_DIR/hold.log")"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	ctl 0 enable web/a-server-with-a-long-name-1
done
is_running hold || fail "it has left: $(cat "$NET_DIR/hold.log")"
stop hold

step "a change has its author"
ctl 0 weight web/a-server-with-a-long-name-1 3
assert_log 'admin server=web/a-server-with-a-long-name-1 action=weight weight=3 by=uid:0 user=root'
ctl 0 reload
assert_log 'reload by=uid:0 user=root'
stop_dsrd
