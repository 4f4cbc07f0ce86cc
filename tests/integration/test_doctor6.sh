#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl doctor and IPv6: a correct setup has no findings; a VIP that is missing or on the network card, and another
# host that has it, are reported. The IPv4 VIP of the same servers works all the time.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl nft
net_up 2
net_up6
for server in web1 web2; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

conf_head >"$NET_DIR/dsrd.conf"
cat >>"$NET_DIR/dsrd.conf" <<-END

[service web]
listen = $VIP tcp/80
listen = $VIP6 tcp/80
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END

doctor() { # STATUS [ARGUMENT]
	doctor_status=$1
	shift
	doctor_got=0
	"$DSRCTL" -s "$SOCKET" doctor "$@" >"$NET_DIR/said" 2>&1 || doctor_got=$?
	[ "$doctor_got" = "$doctor_status" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsrctl doctor $*: expected status $doctor_status, got $doctor_got"
	}
}

expect() { # NAME PATTERN...: web1's IPv6 VIP has just that
	doctor 1 web/web1
	found=$(sed -n 's/.*WRONG *\([^ ]*\)[ :].*\[\([a-z0-9-]*\)\]$/\1 \2/p' "$NET_DIR/said" | sed 's/: / /' | sort -u)
	[ "$found" = "$VIP6 $1" ] || {
		cat "$NET_DIR/said" >&2
		fail "the doctor should find '$VIP6 $1', and finds '$found'"
	}
	shift
	for pattern; do
		grep -q -e "$pattern" "$NET_DIR/said" || {
			cat "$NET_DIR/said" >&2
			fail "no line of the above matches '$pattern'"
		}
	done
}

# Runs on web1 what the doctor says under "The same by hand".
by_hand() {
	awk '/^ *The same by hand/ { hand = 1; next }
		hand && !/^          [^ ]/ { exit }
		hand' "$NET_DIR/said" >"$NET_DIR/commands"
	[ -s "$NET_DIR/commands" ] || {
		cat "$NET_DIR/said" >&2
		fail "no commands in the above to do it by hand"
	}
	run_in web1 sh -e "$NET_DIR/commands" || fail "the commands fail: $(cat "$NET_DIR/commands")"
}

restart_director() {
	stop_dsrd
	start_dsrd
	wait_servers_up web web1 web2
}

start_dsrd
wait_servers_up web web1 web2

step "a correct setup"
doctor 0

step "the VIP is missing"
ip -n "$NET-web1" address delete "$VIP6/128" dev lo
expect vip-ignored "ip -6 address add $VIP6/128 dev lo nodad preferred_lft 0" "dsr-realserver apply --vip $VIP6"
assert_equal "words of ARP, which IPv6 has not" 0 "$(grep -c 'arp_' "$NET_DIR/said")"
by_hand
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "the firewall drops its port"
run_in web1 nft add table ip6 guard
run_in web1 nft add chain ip6 guard in '{ type filter hook input priority 0; }'
run_in web1 nft add rule ip6 guard in ip6 daddr "$VIP6" tcp dport 80 drop
expect firewall-drops "nft insert rule inet filter input ip6 daddr $VIP6 tcp dport 80 accept"
run_in web1 nft delete table ip6 guard
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "the director is the server's gateway"
ip -n "$NET-web1" -6 route add default via "$SERVER_PREFIX6:1"
expect director-is-gateway 'ip route replace default via ROUTER'
ip -n "$NET-web1" -6 route delete default
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "the server's MTU is smaller: one fault of the machine, though both VIPs suffer"
ip -n "$NET-web1" link set eth0 mtu 1400
doctor 1 web/web1
assert_equal "reports of the smaller MTU" 1 "$(grep -c 'WRONG .*\[mtu-smaller\]$' "$NET_DIR/said")"
ip -n "$NET-web1" link set eth0 mtu 1500
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "the VIP is on the network card, which answers neighbor solicitations for it"
ip -n "$NET-web1" address delete "$VIP6/128" dev lo
ip -n "$NET-web1" address add "$VIP6/64" dev eth0 nodad
expect answers-arp
by_hand
restart_director
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "a stranger has it"
ip -n "$NET-client" address add "$VIP6/64" dev eth0 nodad
expect foreign-owner "its MAC address: $CLIENT_MAC"
ip -n "$NET-client" address delete "$VIP6/64" dev eth0
restart_director
wait_until 10 "$DSRCTL" -s "$SOCKET" doctor || fail "all is fixed, and the doctor complains"

step "the director's kernel forwards IPv6: the log says so at the start, and so does the doctor"
assert_no_log 'forwarding problem=begin'
run_in director sysctl -q -w net.ipv6.conf.all.forwarding=1
restart_director
wait_log 2 'forwarding problem=begin subject=eth0 reason="this host forwards IPv6 '
assert_no_log 'this host forwards IPv4 '
doctor 1
grep -q '^WRONG *director: this host forwards IPv6 packets that arrive on eth0 *\[forwarding\]$' "$NET_DIR/said" || {
	cat "$NET_DIR/said" >&2
	fail "the doctor does not say so"
}
stop_dsrd
