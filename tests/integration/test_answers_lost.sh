#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Faults between servers and clients, which no check can detect: clients' retransmissions show which server's answers
# are lost, or that all forwarded packets are lost.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
net_require nginx curl nft
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"

requests() { # COUNT, at the same time; those that hang do so for a second and a half
	started=
	for _ in $(seq "$1"); do
		run_in client curl -s --max-time 1.5 "http://$VIP/" >>"$NET_DIR/pages" 2>/dev/null &
		started="$started $!"
	done
	for request in $started; do
		wait "$request" || true
	done
}

doctor() { # STATUS
	doctor_got=0
	"$DSRCTL" -s "$SOCKET" doctor >"$NET_DIR/said" 2>&1 || doctor_got=$?
	[ "$doctor_got" = "$1" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsrctl doctor: expected status $1, got $doctor_got"
	}
}

says() { # PATTERN...
	for pattern; do
		grep -q -e "$pattern" "$NET_DIR/said" || {
			cat "$NET_DIR/said" >&2
			fail "no line of the above matches '$pattern'"
		}
	done
}

start_dsrd
wait_servers_up web web1 web2 web3

step "all is well"
requests 6
doctor 0

step "a firewall on web1 drops the clients, not the director"
run_in web1 nft add table inet guard
run_in web1 nft add chain inet guard in '{ type filter hook input priority 0; }'
run_in web1 nft add rule inet guard in ip saddr "$CLIENT_IP" drop
requests 18
sees() {
	"$DSRCTL" -s "$SOCKET" show | grep -q '^web/web1 .* answers get lost: [1-9]'
}
wait_until 5 sees || {
	"$DSRCTL" -s "$SOCKET" show >&2
	fail "show does not say that web1's answers get lost"
}
doctor 1
says "$(server_ip 1): clients get no answer from this server, .* with its peers 0 of .*\[handshakes-lost\]" \
    "ip route get $CLIENT_IP from $VIP"
[ "$(grep -c 'WRONG' "$NET_DIR/said")" -eq 1 ] || {
	cat "$NET_DIR/said" >&2
	fail "more than that is found"
}
"$DSRCTL" -j -s "$SOCKET" show | grep -q '"answers_lost":"handshakes"' || fail "JSON does not have it"
run_in web1 nft delete table inet guard
stop_dsrd

step "the director's switch port lets nothing out whose source is not the director's"
start_dsrd
wait_servers_up web web1 web2 web3
run_in switch nft add table bridge guard
run_in switch nft add chain bridge guard through '{ type filter hook prerouting priority -200; }'
run_in switch nft add rule bridge guard through iifname director-eth0 ip saddr "$CLIENT_IP" drop
requests 6
found() {
	"$DSRCTL" -s "$SOCKET" doctor >"$NET_DIR/said" 2>&1
	grep -q 'all-handshakes-lost' "$NET_DIR/said"
}
wait_until 10 found || {
	cat "$NET_DIR/said" >&2
	fail "the doctor does not see that no client gets through"
}
doctor 1
says "suspect the director's own switch port" 'allowed-address-pairs'
run_in switch nft delete table bridge guard
stop_dsrd

step "with outlier = eject the server gets no new connections, and comes back"
sed -i 's/^scheduler = rr$/&\noutlier = eject/' "$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3
run_in web1 nft add table inet guard
run_in web1 nft add chain inet guard in '{ type filter hook input priority 0; }'
run_in web1 nft add rule inet guard in ip saddr "$CLIENT_IP" drop
requests 18
ejected() {
	"$DSRCTL" -s "$SOCKET" show | grep -q '^web/web1 *draining .* ejected (outlier = eject): [1-9]'
}
wait_until 5 ejected || {
	"$DSRCTL" -s "$SOCKET" show >&2
	fail "web1 is not ejected"
}
assert_log 'server-state server=web/web1 from=up to=draining reason="ejected: clients get no answer from it"'
: >"$NET_DIR/pages"
requests 6
answered=$(grep -o 'web[0-9]' "$NET_DIR/pages" | grep -c '[23]') || true
[ "$answered" -eq 6 ] || fail "of 6 requests $answered were answered by web2 and web3 after the ejection"
doctor 1
says '\[handshakes-lost\]'
run_in web1 nft delete table inet guard
wait_until 40 server_is up web/web1 || fail "web1 is not back 40 s later"
stop_dsrd
