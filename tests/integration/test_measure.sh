#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The director's measurements of answers that it never sees, compared with what the servers report.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl nft python3 ethtool
net_up 2
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
start_nginx web1
start_nginx web2
for size in 0 1 1000 100000 3000000; do
	head -c "$size" /dev/zero >"$NET_DIR/web1/www/$size"
	cp "$NET_DIR/web1/www/$size" "$NET_DIR/web2/www/$size"
done

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	; A server is not to leave because it is made slow or dumb.
	check = none
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"

wait_found() {
	wait_log 10 'neighbor-found server=web/web1'
	wait_log 10 'neighbor-found server=web/web2'
}
start_dsrd
wait_found # Servers without checks are not logged as up.

traffic() { # SERVICE/SERVER NAME
	"$DSRCTL" -j -s "$NET_DIR/dsrd.sock" show | python3 -c '
import json, sys
row = [row for row in json.load(sys.stdin)["traffic"] if row["server"] == sys.argv[1]][0]
print(row[sys.argv[2]])' "$1" "$2"
}

# Checks go to the server's own address, so all that nginx sent to the client came through the VIP.
sent_by() { # HOST
	awk '{ sum += $1 } END { print sum + 0 }' "$NET_DIR/$1/sent.log"
}

within_one_percent() { # WHAT EXPECTED GOT
	awk -v a="$2" -v b="$3" 'BEGIN { exit !(b >= a * 0.99 && b <= a * 1.01) }' ||
		fail "$1: expected $2 within 1 %, got $3"
}

step "files of all sizes, many requests a connection and one, several at a time"
run_in client timeout 60 curl -s --max-time 30 \
    "http://$VIP/0?[1-20]" "http://$VIP/1000?[1-20]" "http://$VIP/100000?[1-20]" >/dev/null ||
	fail "many requests a connection"
run_in client timeout 60 curl -s --max-time 30 -H 'Connection: close' \
    "http://$VIP/1?[1-20]" "http://$VIP/1000?[1-20]" >/dev/null || fail "one request a connection"
run_in client timeout 60 curl -s --parallel --max-time 30 "http://$VIP/3000000?[1-6]" >/dev/null 2>&1 ||
	fail "in parallel"

same_as_sent() { # HOST
	[ "$(traffic "web/$1" response_bytes)" -ge "$(($(sent_by "$1") * 99 / 100))" ]
}
for server in web1 web2; do
	wait_until 10 same_as_sent "$server" || fail "web/$server: nginx sent $(sent_by "$server"), acknowledged were" \
	    "$(traffic "web/$server" response_bytes)"
	step "$server sent $(sent_by "$server") bytes, the director says $(traffic "web/$server" response_bytes)"
	within_one_percent "$server's bytes" "$(sent_by "$server")" "$(traffic "web/$server" response_bytes)"
	assert_equal "$server's handshakes that were completed" "$(traffic "web/$server" handshakes)" \
	    "$(traffic "web/$server" completed)"
	assert_at_least "$server's connections" 20 "$(traffic "web/$server" completed)"
	assert_equal "$server's partial flows" 0 "$(traffic "web/$server" partial)"
done

step "a server far away is seen to be slow"
ip -n "$NET-switch" link set web2-eth0 nomaster
ip -n "$NET-switch" link add web2-far type veth peer name web2-lan
ip -n "$NET-switch" link set web2-far up
ip -n "$NET-switch" link set web2-lan master lan up
run_in web2 ethtool -K eth0 tx off tso off gso off gro off >/dev/null
# The slow port forgets which checksums are unfinished, and so must not get such: the kernel's path leaves them so.
run_in client ethtool -K eth0 tx off tso off gso off >/dev/null
start_in switch web2-port python3 "$(dirname -- "$0")/slow_port.py" web2-eth0 web2-far 30
wait_until 10 grep -q ready "$NET_DIR/web2-port.log" || fail "the slow port does not start"
run_in client timeout 60 curl -s --max-time 10 -H 'Connection: close' "http://$VIP/1?[1-40]" >/dev/null ||
	fail "a slow server's pages"
slow=$(traffic web/web2 handshake_microseconds)
fast=$(traffic web/web1 handshake_microseconds)
step "web1 takes $fast us, web2 takes $slow us"
assert_at_least "the slow server's handshake, in us" 20000 "$slow"
assert_at_most "the fast server's handshake, in us" $((slow / 2)) "$fast"

step "connections that come to nothing, and SYNs that were sent again"
both() { # NAME
	echo "$(($(traffic web/web1 "$1") + $(traffic web/web2 "$1")))"
}
repeated=$(both retransmits)
for server in web1 web2; do
	run_in "$server" nft "add table ip lost; add chain ip lost out { type filter hook output priority 0; };
	    add rule ip lost out ip saddr $VIP tcp sport 80 drop"
done
run_in client curl -s --max-time 3 -o /dev/null "http://$VIP/" && fail "answers came although all were lost"
incomplete() {
	[ "$(both handshakes)" -gt "$(both completed)" ]
}
wait_until 5 incomplete || fail "all handshakes count as completed"
assert_at_least "repeated SYNs" $((repeated + 1)) "$(both retransmits)"
for server in web1 web2; do
	run_in "$server" nft delete table ip lost
done

step "a connection older than the director is partial"
hold_download old
stop_dsrd
start_dsrd
wait_found
partial() {
	[ "$(($(traffic web/web1 partial) + $(traffic web/web2 partial)))" -ge 1 ]
}
wait_until 10 partial || fail "a flow that was picked up in the middle is not marked partial"
assert_equal "handshakes of it" 0 "$(($(traffic web/web1 handshakes) + $(traffic web/web2 handshakes)))"
stop old
stop_dsrd
