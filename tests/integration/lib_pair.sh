# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Two directors, clients with long transfers and short requests, and the engines of doc/operating.md that decide which
# director is active. Tests of takeovers source this file behind net.sh.
#
#   director  192.0.2.1  2001:db8::1  02:00:00:00:00:01
#   second    192.0.2.2  2001:db8::2  02:00:00:00:00:02
#
# They are peers over a network of their own, eth1, unless PAIR_SYNC is off: 10.9.0.1 and 10.9.0.2, lb1 and lb2. Then they
# have no `peer-mac`: they name their MAC addresses to each other.
#
# A director's files are in $NET_DIR/HOST: dsrd.conf, sock, log.

PAIR_TOP=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
SECOND_MAC=02:00:00:00:00:02
PAIR_LONG=${PAIR_LONG:-200}
PAIR_SYNC=${PAIR_SYNC:-auto}
# Connections that are older than this many seconds go on: doc/operating.md.
PAIR_LAG=2.5
BUILD_DIR=$(CDPATH='' cd -- "$BUILD_DIR" && pwd)
DSRD=$(CDPATH='' cd -- "$(dirname -- "$DSRD")" && pwd)/${DSRD##*/}
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

pair_fail() { # TEXT
	for pair_host in director second; do
		echo "--- $pair_host" >&2
		grep -e ' role ' -e ' stop' -e warning -e error "$NET_DIR/dsrd-$pair_host.log" | tail -n 12 >&2 || true
		tail -n 6 "$NET_DIR/engine-$pair_host.log" >&2 || true
	done
	fail "$1"
}

# The block of text in the guide that follows the name of the file, into the engine's directory of both directors.
pair_guide() { # FILE MODE
	pair_file=$NET_DIR/guide/${1##*/}
	mkdir -p "$NET_DIR/guide"
	# keepalived requires that only root can change its scripts.
	chmod 755 "$NET_DIR" "$NET_DIR/guide"
	awk -v file="\`$1\`" '
		!found { found = index($0, file) }
		found && /^```$/ && inside { exit }
		inside
		found && /^```text$/ { inside = 1 }' "$PAIR_TOP/doc/operating.md" >"$pair_file"
	[ -s "$pair_file" ] || fail "doc/operating.md does not show $1"
	chmod "$2" "$pair_file"
}

pair_other() { # HOST
	[ "$1" = director ] && echo second || echo director
}

pair_address() { # HOST
	[ "$1" = director ] && echo "$SERVER_PREFIX.1" || echo "$SERVER_PREFIX.2"
}

pair_serves() { # HOST
	run_in "$1" python3 -c 'import socket; [socket.create_connection((a, 80), 1) for a in ("127.0.0.1", "::1")]'
}

# Two directors and their real servers; the VIPs are $VIP and $VIP6.
pair_up() { # SERVERS
	net_up "$1"
	net_up6
	net_host_add second
	net_attach second eth0 lan "$SECOND_MAC" "$SERVER_PREFIX.2/24"
	net_ipv6_on second
	net_address6_add second "$SERVER_PREFIX6:2/64"
	if [ "$PAIR_SYNC" != off ]; then
		net_bridge_add sync
		net_attach director eth1 sync 02:00:00:00:09:01 10.9.0.1/24
		net_attach second eth1 sync 02:00:00:00:09:02 10.9.0.2/24
		echo "a key of more than 16 bytes" >"$NET_DIR/key"
		chmod 600 "$NET_DIR/key"
	fi
	for pair_server in $(seq 1 "$1"); do
		start_in "web$pair_server" "server-web$pair_server" python3 \
		    "$PAIR_TOP/tests/integration/pair_server.py" \
		    "web$pair_server" 80
	done
	for pair_server in $(seq 1 "$1"); do
		wait_until 15 pair_serves "web$pair_server" || fail "the server on web$pair_server does not start"
	done
	for pair_host in director second; do
		mkdir "$NET_DIR/$pair_host"
		chmod 755 "$NET_DIR/$pair_host"
	done
}

# Each of them has the same file, but for addresses. Lines for [dsrd] are read from standard input.
pair_conf() { # HOST SCHEDULER SERVERS
	pair_peer=$DIRECTOR_MAC pair_probe=$SERVER_PREFIX.7 pair_number=2
	[ "$1" = second ] || pair_peer=$SECOND_MAC pair_probe=$SERVER_PREFIX.6 pair_number=1
	{
		cat <<-END
		[dsrd]
		interface = eth0
		control = $NET_DIR/$1/sock
		log = stderr
		user = root
		hash-key = of both directors
		probe-address = $pair_probe
		offload = ${PAIR_OFFLOAD:-${DSRD_OFFLOAD:-off}}
		state = off
		END
		if [ "$PAIR_SYNC" = off ]; then
			echo "peer-mac = $pair_peer"
		else
			cat <<-END
			peer-name = lb$pair_number
			peer-listen = 10.9.0.$pair_number
			peer = lb$((3 - pair_number)) 10.9.0.$((3 - pair_number))
			sync-key-file = $NET_DIR/key
			END
		fi
		cat
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		listen = $VIP6 tcp/80
		scheduler = $2
		interval = 500ms
		END
		[ "$PAIR_SYNC" = off ] || echo "sync = $PAIR_SYNC"
		for pair_server in $(seq 1 "$3"); do
			echo "server = web$pair_server $(server_ip "$pair_server")"
		done
	} >"$NET_DIR/$1/dsrd.conf"
}

pair_start() { # HOST
	start_in "$1" "dsrd-$1" "$DSRD" -F -f "$NET_DIR/$1/dsrd.conf" -p "$NET_DIR/$1/pid"
	wait_until 15 grep -q ' ready version=' "$NET_DIR/dsrd-$1.log" || pair_fail "dsrd on $1 does not start"
}

pair_ctl() { # HOST ARGUMENT...
	pair_host=$1
	shift
	"$DSRCTL" -s "$NET_DIR/$pair_host/sock" "$@"
}

# The role that its log has last.
pair_role() { # HOST
	sed -n 's/.* role group=main from=[a-z]* to=\([a-z]*\) .*/\1/p' "$NET_DIR/dsrd-$1.log" | tail -n 1
}

# One that was killed has no role, whatever its log says.
pair_is() { # HOST ROLE
	[ -e "$NET_DIR/dsrd-$1.pid" ] && [ "$(pair_role "$1")" = "$2" ]
}

pair_one_active() {
	if pair_is director active; then
		! pair_is second active
	else
		pair_is second active
	fi
}

pair_active() {
	pair_is director active && echo director || echo second
}

# --- traffic ---------------------------------------------------------------------------------------------------------

pair_traffic() {
	rm -f "$NET_DIR/figures"
	start_in client traffic python3 "$PAIR_TOP/tests/integration/pair_client.py" "$NET_DIR/figures" "$PAIR_LONG" \
	    "$VIP" 80 "$VIP6" 80
	# Before it takes signals they would end it.
	wait_until 10 test -e "$NET_DIR/figures" || fail "the clients do not start: $(tail -n 3 "$NET_DIR/traffic.log")"
	wait_until 15 pair_all_go_on || fail "the transfers do not begin"
	sleep "$PAIR_LAG"
}

# Each director has all that the other has.
pair_complete() {
	for pair_host in director second; do
		"$DSRCTL" -s "$NET_DIR/$pair_host/sock" --json show peers | grep -q '"complete": *true' || return 1
	done
}

pair_reported() { # COUNT
	[ "$(wc -l <"$NET_DIR/figures")" -gt "$1" ]
}

# What happened to the clients since pair_forget: SHORT FAILED OUTAGE LONG BROKEN STALLED.
pair_figures() {
	pair_reports=$(wc -l <"$NET_DIR/figures")
	kill -USR1 "$(pid_of traffic)"
	wait_until 10 pair_reported "$pair_reports" ||
		fail "the clients do not report: $(tail -n 3 "$NET_DIR/traffic.log")"
	eval "$(tail -n 1 "$NET_DIR/figures" | LC_ALL=C tr '[:lower:]' '[:upper:]')"
}

pair_forget() {
	kill -USR2 "$(pid_of traffic)"
}

pair_all_go_on() {
	pair_figures
	[ "$STALLED" -eq 0 ]
}

pair_milliseconds() {
	date +%s%3N
}

# When that director became active last, in milliseconds since 1970.
pair_active_since() { # HOST
	date +%s%3N -d "$(sed -n 's/^\([^ ]*\) .* role group=main from=[a-z]* to=active .*/\1/p' "$NET_DIR/dsrd-$1.log" | tail -n 1)"
}

# Something happens to the active director, $pair_from from then on, and the other one, $pair_to, takes over. Clients
# get
# answers again within SECONDS, and all long transfers go on unless they may break.
pair_takes_over() { # WHAT SECONDS may-break|none-breaks COMMAND...
	pair_what=$1 pair_most=$2 pair_may=$3
	shift 3
	pair_from=$(pair_active)
	pair_to=$(pair_other "$pair_from")
	wait_until 15 pair_ctl "$pair_to" ready || pair_fail "$pair_what: $pair_to is not ready to take over"
	pair_forget
	pair_begin=$(pair_milliseconds)
	"$@" "$pair_from"
	wait_until "$((pair_most + 5))" pair_is "$pair_to" active ||
		pair_fail "$pair_what: $pair_to does not become active"
	pair_end=$(pair_active_since "$pair_to")
	# A transfer counts as one that stands still three seconds after its last byte.
	sleep 3.5
	wait_until 20 pair_all_go_on || pair_fail "$pair_what: $STALLED of $LONG transfers stand still"
	step "measured: $pair_what: $pair_to is active after $((pair_end - pair_begin)) ms; $FAILED of $SHORT short requests failed," \
	    "none succeeded for $OUTAGE ms; of $LONG transfers $BROKEN broke"
	assert_at_most "$pair_what: milliseconds without an answer" "$((pair_most * 1000))" "$OUTAGE"
	# The announcements may be lost twice, and on a busy machine a request may take longer than the client waits.
	[ "$FAILED" -eq 0 ] || {
		assert_at_most "$pair_what: when the last request that failed began" $((pair_end + 1500)) "$LAST"
		assert_at_least "$pair_what: when the first request that failed began" $((pair_begin - 1000)) "$FIRST"
	}
	[ "$pair_may" = may-break ] || assert_equal "$pair_what: broken transfers" 0 "$BROKEN"
}

pair_has_role() { # HOST
	pair_one_active && { pair_is "$1" active || pair_is "$1" standby; }
}

# The process is replaced, and has a role again: the same one, unless that took longer than its engine waits. What it
# knew it gets from its peer.
pair_upgrade() { # HOST
	stop "dsrd-$1"
	assert_equal "exit status of dsrd on $1" 0 "$STOP_STATUS"
	pair_start "$1"
	wait_until 15 pair_has_role "$1" || pair_fail "$1 has no role again"
	wait_until 15 pair_complete || pair_fail "$1 does not get what its peer has"
}

# --- engines ---------------------------------------------------------------------------------------------------------

# keepalived with a configuration of the guide, and dsrctl where the guide has it. Mounts are this process's own.
pair_keepalived() { # HOST [FILE]
	mkdir -p "$NET_DIR/$1/run"
	printf '#!/bin/sh\nexec "%s" -s %s "$@"\n' "$DSRCTL" "$NET_DIR/$1/sock" >"$NET_DIR/$1/dsrctl"
	cat >"$NET_DIR/$1/keepalived" <<-END
	set -e
	mount -t tmpfs -o mode=755 run /run
	mkdir /run/dsrd
	mount --bind $NET_DIR/$1/run /run/dsrd
	mount --bind $NET_DIR/guide /etc/keepalived
	mount -t tmpfs -o mode=755 bin /usr/local/sbin
	cp $NET_DIR/$1/dsrctl /usr/local/sbin/dsrctl
	chmod 755 /usr/local/sbin/dsrctl
	exec keepalived -n -l -D -f /etc/keepalived/${2:-keepalived.conf}
	END
	start_in "$1" "engine-$1" sh "$NET_DIR/$1/keepalived"
}

# The process and those it started, with no chance to clean up.
pair_kill_engine() { # HOST
	pair_pids=$(pid_of "engine-$1")
	pair_pids="$pair_pids $(pgrep -P "$pair_pids" || true)"
	# shellcheck disable=SC2086 # a list
	kill -KILL $pair_pids
	wait_until 5 pid_gone "$(pid_of "engine-$1")" || fail "the engine on $1 does not die"
	rm -f "$NET_DIR/engine-$1.pid"
}
