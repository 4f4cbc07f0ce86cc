#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A hostile host answers the VIP checks of others, which it has not seen: to every port that a probe may come from, with
# datagrams, handshakes, resets, ICMP errors, pings and probes that come back. A server without the VIP stays down, and
# one
# that has it stays up. IPv4 and IPv6.
#
# Alone: it floods.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
DSRD_STATE=off
net_require nginx curl python3
net_up 2
EVIL_MAC=02:00:00:00:00:66
net_host_add evil
net_attach evil eth0 lan "$EVIL_MAC" "$SERVER_PREFIX.66/24"
net_up6
for server in web1 web2; do
	start_nginx "$server"
done
# web1 is a black hole: it lacks the VIPs.
vip_remove web1 "$VIP"
ip -n "$NET-web1" address delete "$VIP6/128" dev lo
{
	conf_head
	cat <<-END

	[service tcp]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)

	[service tcp6]
	listen = $VIP6 tcp/80
	server = web1 $(server_ip6 1)
	server = web2 $(server_ip6 2)

	[service udp]
	listen = $VIP udp/80
	check = icmp
	vip-payload = "x"
	server = web1 $(server_ip 1)

	[service udp6]
	listen = $VIP6 udp/80
	check = icmp
	vip-payload = "x"
	server = web1 $(server_ip6 1)

	[service ping]
	listen = $VIP udp/81
	check = icmp
	server = web1 $(server_ip 1)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
holes="tcp/web1 tcp6/web1 udp/web1 udp6/web1 ping/web1"
for server in $holes; do
	wait_server down "$server"
done
wait_servers_up tcp web2
wait_servers_up tcp6 web2

# Each round of a server without the VIP brings two true answers of its own address.
answers() {
	"$DSRCTL" -j -s "$SOCKET" show drops | python3 -c '
import json, sys
print(next(counter["value"] for counter in json.load(sys.stdin)["counters"] if counter["name"] == "vip_check_answers"))'
}

has_answers() { # COUNT
	[ "$(answers)" -ge "$1" ]
}

for family in 4 6; do
	step "a hostile host answers for the VIP, IPv$family"
	if [ "$family" = 4 ]; then
		start_in evil forge python3 "$(dirname -- "$0")/forge.py" vip eth0 "$EVIL_MAC" "$DIRECTOR_MAC" \
		    "$SERVER_PREFIX.1" "$VIP" "$(server_ip 1)" 80
	else
		start_in evil forge python3 "$(dirname -- "$0")/forge.py" vip eth0 "$EVIL_MAC" "$DIRECTOR_MAC" \
		    "$SERVER_PREFIX6:1" "$VIP6" "$(server_ip6 1)" 80
	fi
	wait_until 20 grep -q ready "$NET_DIR/forge.log" || fail "forge.py does not start"
	before=$(answers)
	wait_until 20 has_answers $((before + 60)) || fail "the VIP checks do not go on"
	stop forge
	echo "IPv$family: $(sed -n 's/sent=//p' "$NET_DIR/forge.log") forged answers, of which none was believed"
done
for server in $holes; do
	assert_no_log "server-state server=$server .*to=up"
done
for server in tcp/web2 tcp6/web2; do
	assert_no_log "server-state server=$server .*to=down"
done
assert_no_log "vip-check server=[a-z0-9]*/web1 verdict=\\(accepted\\|other-mac\\)"

step "the doctor says what was not believed, and what the true answers proved"
start_in evil forge python3 "$(dirname -- "$0")/forge.py" vip eth0 "$EVIL_MAC" "$DIRECTOR_MAC" "$SERVER_PREFIX.1" \
    "$VIP" \
    "$(server_ip 1)" 80
refused() {
	"$DSRCTL" -j -s "$SOCKET" doctor --all udp/web1 >"$NET_DIR/said" || true
	grep -q "\"refused_mac\": *\"$EVIL_MAC\"" "$NET_DIR/said"
}
wait_until 15 refused || fail "the doctor does not name $EVIL_MAC"
stop forge
proven() {
	"$DSRCTL" -j -s "$SOCKET" doctor --all tcp/web2 | tr -d '\n ' >"$NET_DIR/said" || true
	grep -q "\"mac\":\"$(server_mac 2)\",\"from_server\":true,\"proof\":\"number\"" "$NET_DIR/said"
}
wait_until 15 proven || fail "the doctor does not say what the answer of web2 proves"
stop_dsrd
