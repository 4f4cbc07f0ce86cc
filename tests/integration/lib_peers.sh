# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Two directors: `director` as in net.sh, and `second` at 192.0.2.2. Source it after net.sh and ctl.sh.
#
# The client's neighbor entry for a VIP decides which of the two gets its frames; vip_to moves all VIPs, as an engine
# does.

SECOND_MAC=02:00:00:00:00:02
PEER_PORT=9191

pair_up() { # SERVERS
	net_up "$1"
	net_host_add second
	net_attach second eth0 lan "$SECOND_MAC" "$SERVER_PREFIX.2/24"
	net_up6
	net_address6_add second "$SERVER_PREFIX6:2/64"
	echo "a key of more than 16 bytes" >"$NET_DIR/key"
	chmod 600 "$NET_DIR/key"
}

# Both configurations, but for names and addresses the same: the services come from standard input.
pair_conf() { # [LINE-FOR-[dsrd]]
	cat >"$NET_DIR/services"
	for pair_side in lb1:1:dsrd lb2:2:second; do
		pair_name=${pair_side%%:*} pair_rest=${pair_side#*:}
		pair_number=${pair_rest%%:*} pair_file=${pair_rest#*:}
		{
			conf_head | sed -e "s|$NET_DIR/dsrd\\.|$NET_DIR/$pair_file.|"
			cat "$NET_DIR/services"
		} | awk -v keys="peer-name = $pair_name|peer-listen = $SERVER_PREFIX.$pair_number:$PEER_PORT|sync-key-file = $NET_DIR/key|peer = lb$((3 - pair_number)) $SERVER_PREFIX.$((3 - pair_number))|hash-key = the same on both|${1:-}" '
			{ print }
			/^\[dsrd\]/ { gsub(/\|/, "\n", keys); print keys }' >"$NET_DIR/$pair_file.conf"
	done
}

start_second() {
	start_in second second "$DSRD" -d -f "$NET_DIR/second.conf"
	wait_until 15 grep -q '^\(.* \)\{0,1\}ready\( \|$\)' "$NET_DIR/second.log" || {
		cat "$NET_DIR/second.log" >&2
		fail "the second director did not become ready within 15 s"
	}
}

# dsrctl of the second director.
ctl2() { # STATUS WORD...
	ctl_socket=$SOCKET
	SOCKET=$NET_DIR/second.sock
	ctl "$@"
	SOCKET=$ctl_socket
}

vip_to() { # director|second
	case $1 in
	director) pair_mac=$DIRECTOR_MAC ;;
	second) pair_mac=$SECOND_MAC ;;
	esac
	run_in client ip neigh replace "$VIP" lladdr "$pair_mac" dev eth0 nud permanent
	run_in client ip -6 neigh replace "$VIP6" lladdr "$pair_mac" dev eth0 nud permanent
}

# Each director has all that the other has.
pair_complete() {
	"$DSRCTL" -s "$NET_DIR/dsrd.sock" --json show peers | grep -q '"complete": *true' &&
		"$DSRCTL" -s "$NET_DIR/second.sock" --json show peers | grep -q '"complete": *true'
}

wait_complete() {
	wait_until 15 pair_complete || {
		"$DSRCTL" -s "$NET_DIR/dsrd.sock" show peers >&2
		"$DSRCTL" -s "$NET_DIR/second.sock" show peers >&2
		fail "the directors did not exchange what they have within 15 s"
	}
}

wait_second_up() { # SERVICE/SERVER...
	for pair_server; do
		wait_until 15 second_is_up "$pair_server" ||
			fail "waited 15 s for $pair_server to become up at the second director"
	done
}

second_is_up() { # SERVICE/SERVER
	[ "$(sed -n "s|.*server-state server=$1 .*to=\\([a-z]*\\).*|\\1|p" "$NET_DIR/second.log" | tail -n 1)" = up ]
}
