# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Three directors behind a router that distributes flows over them, with the configurations of doc/operating.md. Tests
# source this file after net.sh and define for their routing daemon:
#     ecmp_daemon HOST FILE     starts it with that configuration
#     ecmp_guide_files          sets ECMP_DIRECTOR_FILE and ECMP_ROUTER_FILE, as the guide names them, and ECMP_SECTION
#
#   client 198.51.100.100 --- out --- router --- lan --- d1 d2 d3  192.0.2.1 ..3
#                                                   '--- web1 ...  192.0.2.11 ..., with the VIP 203.0.113.10
#
# ECMP_LONG=1 is the long form: 300 transfers, plain and resilient routes, and every event; it takes some minutes.

ECMP_TOP=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
ECMP_VIP=203.0.113.10
ECMP_DIRECTORS="d1 d2 d3"
ECMP_LONG=${ECMP_LONG:-0}
if [ "$ECMP_LONG" = 1 ]; then
	ECMP_FLOWS=300 ECMP_SERVERS=6
else
	ECMP_FLOWS=48 ECMP_SERVERS=4
fi
BUILD_DIR=$(CDPATH='' cd -- "$BUILD_DIR" && pwd)
DSRD=$(CDPATH='' cd -- "$(dirname -- "$DSRD")" && pwd)/${DSRD##*/}
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

ecmp_fail() { # TEXT
	for ecmp_host in $ECMP_DIRECTORS; do
		echo "--- $ecmp_host" >&2
		grep -e ' announce ' -e route-holder -e ' peer ' -e error "$NET_DIR/dsrd-$ecmp_host.log" | tail -n 8 >&2 || true
		tail -n 3 "$NET_DIR/daemon-$ecmp_host.log" >&2 || true
	done
	echo "--- router" >&2
	ip -n "$NET-router" route show "$ECMP_VIP" >&2 || true
	tail -n 5 "$NET_DIR/daemon-router.log" >&2 || true
	fail "$1"
}

# --- hosts -----------------------------------------------------------------------------------------------------------

ecmp_up() {
	net_host_add switch
	net_switch_prepare
	net_bridge_add out
	net_bridge_add lan
	net_host_add client
	net_attach client eth0 out "$CLIENT_MAC" 198.51.100.100/24
	net_host_add router
	net_attach router eth0 out 02:00:00:00:00:97 198.51.100.254/24
	net_attach router eth1 lan 02:00:00:00:00:98 "$SERVER_PREFIX.254/24"
	forwarding_set router on
	run_in router sysctl -q -w net.ipv4.fib_multipath_hash_policy=1
	net_route_default client 198.51.100.254
	# shellcheck disable=SC2034 # net_server_add of net.sh gives it to the servers
	VIP=$ECMP_VIP
	for ecmp_number in $(seq 1 "$ECMP_SERVERS"); do
		net_server_add "$ecmp_number" lan
		net_route_default "web$ecmp_number" "$SERVER_PREFIX.254"
		start_in "web$ecmp_number" "server-web$ecmp_number" python3 \
		    "$ECMP_TOP/tests/integration/pair_server.py" "web$ecmp_number" 80
	done
	echo "a key of more than 16 bytes" >"$NET_DIR/key"
	chmod 600 "$NET_DIR/key"
	for ecmp_host in $ECMP_DIRECTORS hash; do
		ecmp_number=${ecmp_host#d}
		[ "$ecmp_host" != hash ] || ecmp_number=9
		net_host_add "$ecmp_host"
		net_attach "$ecmp_host" eth0 lan "02:00:00:00:00:0$ecmp_number" "$SERVER_PREFIX.$ecmp_number/24"
		mkdir -p "$NET_DIR/$ecmp_host"
		ecmp_conf "$ecmp_host" "$ecmp_number" >"$NET_DIR/$ecmp_host/dsrd.conf"
	done
}

# A fourth one, `hash`, has no peers, gets no frames and announces nothing: it is asked what the hash alone would do.
ecmp_conf() { # HOST NUMBER
	cat <<-END
	[dsrd]
	interface = eth0
	control = $NET_DIR/$1/sock
	log = stderr
	user = root
	hash-key = of all directors
	probe-address = $SERVER_PREFIX.10$2
	offload = ${DSRD_OFFLOAD:-off}
	state = off
	END
	if [ "$1" != hash ]; then
		echo "announce = device"
		echo "peer-name = $1"
		echo "peer-listen = $SERVER_PREFIX.$2"
		echo "sync-key-file = $NET_DIR/key"
		for ecmp_peer in $ECMP_DIRECTORS; do
			[ "$ecmp_peer" = "$1" ] || echo "peer = $ecmp_peer $SERVER_PREFIX.${ecmp_peer#d}"
		done
	fi
	cat <<-END
	[service web]
	listen = $ECMP_VIP tcp/80
	arp = off
	scheduler = maglev
	interval = 500ms
	END
	for ecmp_server in $(seq 1 "$ECMP_SERVERS"); do
		echo "server = web$ecmp_server $(server_ip "$ecmp_server")"
	done
}

ecmp_start() { # HOST
	start_in "$1" "dsrd-$1" "$DSRD" -F -f "$NET_DIR/$1/dsrd.conf" -p "$NET_DIR/$1/pid"
	wait_until 15 grep -q ' ready version=' "$NET_DIR/dsrd-$1.log" || ecmp_fail "dsrd on $1 does not start"
}

ecmp_ctl() { # HOST ARGUMENT...
	ecmp_ctl_host=$1
	shift
	"$DSRCTL" -s "$NET_DIR/$ecmp_ctl_host/sock" "$@"
}

# The block of text in the guide that follows the name of the file, the first behind the heading.
ecmp_guide() { # HEADING FILE NUMBER
	awk -v heading="### $1" -v file="\`$2\`" -v number="$3" '
		$0 == heading { there = 1 }
		there && !inside && index($0, file) { found++ }
		found == number && /^```$/ && inside { exit }
		inside
		found == number && /^```text$/ { inside = 1 }' "$ECMP_TOP/doc/operating.md"
}

# Four routing daemons and BFD on a machine that runs other tests: three times the guide's intervals.
ecmp_patient() {
	sed -e 's/interval 100 ms/interval 300 ms/g' -e 's/interval 100$/interval 300/'
}

# --- routes ----------------------------------------------------------------------------------------------------------

# The next hops of the VIP at the router, as the routing daemon has them: "1 2 3".
ecmp_hops() {
	ip -n "$NET-router" route show "$ECMP_VIP" |
		grep -o "via $SERVER_PREFIX\\.[0-9]*" | sed 's/.*\.//' | sort -n | tr '\n' ' ' | sed 's/ $//'
}

ecmp_hops_are() { # NUMBERS
	[ "$(ecmp_hops)" = "$1" ]
}

ecmp_wait_hops() { # SECONDS NUMBERS WHAT
	NET_PAUSE=0.01 wait_until "$1" ecmp_hops_are "$2" ||
		ecmp_fail "$3: waited $1 s for the next hops '$2', they are '$(ecmp_hops)'"
}

# Plain multipath: the daemon's own route. Resilient: packets to the VIP look into another table, where this keeps a
# group with the same next hops, by numbers that no daemon uses; flows of those that stay do not move.
ecmp_resilient() {
	ip -n "$NET-router" nexthop add id 901 via "$SERVER_PREFIX.1" dev eth1
	ip -n "$NET-router" nexthop add id 902 via "$SERVER_PREFIX.2" dev eth1
	ip -n "$NET-router" nexthop add id 903 via "$SERVER_PREFIX.3" dev eth1
	ip -n "$NET-router" rule add to "$ECMP_VIP" lookup 100 pref 100
	cat >"$NET_DIR/follow" <<-END
	before=
	while :; do
		now=\$(ip route show $ECMP_VIP | grep -o 'via $SERVER_PREFIX\\.[0-9]*' | sed 's/.*\\./90/' |
			sort -n | tr '\\n' '/' | sed 's,/\$,,')
		if [ "\$now" != "\$before" ]; then
			if [ -z "\$now" ]; then
				ip route delete $ECMP_VIP table 100
			else
				ip nexthop replace id 910 group "\$now" type resilient buckets 64 idle_timer 60
				ip route replace $ECMP_VIP nhid 910 table 100
			fi
			before=\$now
		fi
		sleep 0.05
	done
	END
	start_in router follow sh "$NET_DIR/follow"
}

# --- traffic ---------------------------------------------------------------------------------------------------------

ecmp_traffic() {
	rm -f "$NET_DIR/figures"
	start_in client traffic python3 "$ECMP_TOP/tests/integration/pair_client.py" "$NET_DIR/figures" "$ECMP_FLOWS" \
	    "$ECMP_VIP" 80
	wait_until 10 test -e "$NET_DIR/figures" || fail "the clients do not start: $(tail -n 3 "$NET_DIR/traffic.log")"
	wait_until 20 ecmp_all_go_on || ecmp_fail "the transfers do not begin"
	# Connections are sent to peers when they are a second old.
	sleep 1.5
}

ecmp_reported() { # COUNT
	[ "$(wc -l <"$NET_DIR/figures")" -gt "$1" ]
}

ecmp_figures() {
	ecmp_reports=$(wc -l <"$NET_DIR/figures")
	kill -USR1 "$(pid_of traffic)"
	wait_until 10 ecmp_reported "$ecmp_reports" || fail "the clients do not report"
	eval "$(tail -n 1 "$NET_DIR/figures" | LC_ALL=C tr '[:lower:]' '[:upper:]')"
}

ecmp_all_go_on() {
	ecmp_figures
	[ "$STALLED" -eq 0 ]
}

# How many of the transfers have a server other than the one that the hash alone would choose now: without records and
# flow tables, these would break.
ecmp_by_hash() {
	for ecmp_host in $ECMP_DIRECTORS; do
		ecmp_ctl "$ecmp_host" --json show connections limit=1000 2>/dev/null >"$NET_DIR/$ecmp_host/flows" ||
			: >"$NET_DIR/$ecmp_host/flows"
	done
	python3 "$ECMP_TOP/tests/integration/ecmp_hash.py" "$NET_DIR/hash/sock" "$NET_DIR"/d?/flows
}

ecmp_flows() { # HOST SERVER
	ecmp_ctl "$1" --json show connections limit=1000 |
		jq -r --arg server "web/$2" '.connections[] | select(.state == "established" and .server == $server).client' |
		sort >"$NET_DIR/$1/flows-$2"
}

# Does every director know the flows of each that go to SERVER? After a change of servers that takes 2.5 seconds.
ecmp_is_shared() { # SERVER
	for ecmp_host in $ECMP_DIRECTORS; do
		ecmp_flows "$ecmp_host" "$1"
	done
	for ecmp_host in $ECMP_DIRECTORS; do
		[ -s "$NET_DIR/$ecmp_host/flows-$1" ] && cmp -s "$NET_DIR/$ecmp_host/flows-$1" "$NET_DIR/d1/flows-$1" || return 1
	done
}

ecmp_milliseconds() {
	date +%s%3N
}

# Something happens; the next hops become HOPS within SECONDS, and no transfer breaks or stands still.
ecmp_event() { # WHAT SECONDS HOPS COMMAND...
	ecmp_what=$1 ecmp_seconds=$2 ecmp_hops=$3
	shift 3
	kill -USR2 "$(pid_of traffic)"
	ecmp_begin=$(ecmp_milliseconds)
	"$@"
	ecmp_wait_hops "$ecmp_seconds" "$ecmp_hops" "$ecmp_what"
	ecmp_end=$(ecmp_milliseconds)
	# One that goes to another server is reset by its next segment; one that goes nowhere stands still.
	sleep "${ECMP_SETTLE:-1.5}"
	wait_until 10 ecmp_all_go_on || ecmp_fail "$ecmp_what: $STALLED of $LONG transfers stand still"
	ecmp_hash=$(ecmp_by_hash)
	step "measured: $ECMP_MODE: $ecmp_what: next hops after $((ecmp_end - ecmp_begin)) ms, $BROKEN of $LONG" \
	    "transfers broke (by hash alone: $ecmp_hash), $FAILED of $SHORT short requests failed"
	[ "$BROKEN" -eq 0 ] || ecmp_fail "$ecmp_what: $BROKEN of $LONG transfers broke"
}

ecmp_kill() { # HOST
	stop "dsrd-$1" KILL
}

ecmp_stop_running() { # HOST
	kill -STOP "$(pid_of "dsrd-$1")"
}

ecmp_resume() { # HOST
	kill -CONT "$(pid_of "dsrd-$1")"
}

ecmp_unplug() { # HOST
	link_set switch "$1-eth0" down
}

ecmp_plug() { # HOST
	link_set switch "$1-eth0" up
}

ecmp_drain() { # HOST
	ecmp_ctl "$1" drain director --wait 20s >"$NET_DIR/drained" || ecmp_fail "the drain of $1 does not end"
	grep -q 'quiet$' "$NET_DIR/drained" || ecmp_fail "the drain of $1 says: $(cat "$NET_DIR/drained")"
}

ecmp_enable() { # HOST
	ecmp_ctl "$1" enable director >/dev/null
}

# An operator's word to one director reaches its peers; the one without peers is told, too.
ecmp_server() { # drain|enable|disable SERVER
	ecmp_ctl d1 "$1" "web/$2" >/dev/null
	ecmp_ctl hash "$1" "web/$2" >/dev/null
}

# One director cannot reach a server, nor its checks.
ecmp_cut() { # HOST SERVER
	run_in "$1" nft -f - <<-END
	table ip cut { chain out { type filter hook output priority 0; ip daddr $(server_ip "${2#web}") drop; }; }
	END
	wait_until 10 ecmp_server_is "$1" "$2" down || ecmp_fail "$1 does not notice that it cannot reach $2"
}

ecmp_join_again() { # HOST SERVER
	run_in "$1" nft delete table ip cut
	wait_until 10 ecmp_server_is "$1" "$2" up || ecmp_fail "$2 does not come back at $1"
}

ecmp_server_is() { # HOST SERVER STATE
	[ "$(sed -n "s|.*server-state server=web/$2 .*to=\\([a-z]*\\).*|\\1|p" "$NET_DIR/dsrd-$1.log" | tail -n 1)" = "$3" ]
}

# --- the test --------------------------------------------------------------------------------------------------------

ecmp_prepare() {
	ecmp_guide_files
	ecmp_up
	ecmp_guide "$ECMP_SECTION" "$ECMP_ROUTER_FILE" 2 | ecmp_patient >"$NET_DIR/router.conf"
	[ -s "$NET_DIR/router.conf" ] || fail "doc/operating.md does not show $ECMP_ROUTER_FILE of the router"
	for ecmp_host in $ECMP_DIRECTORS; do
		ecmp_guide "$ECMP_SECTION" "$ECMP_DIRECTOR_FILE" 1 |
			sed "s/192\\.0\\.2\\.1\\([^0-9]\\)/192.0.2.${ecmp_host#d}\\1/" |
			ecmp_patient >"$NET_DIR/$ecmp_host/daemon.conf"
		[ -s "$NET_DIR/$ecmp_host/daemon.conf" ] || fail "doc/operating.md does not show $ECMP_DIRECTOR_FILE"
		ecmp_start "$ecmp_host"
	done
	ecmp_start hash
}

ecmp_short() {
	ECMP_MODE=plain
	ecmp_wait_hops 60 "1 2 3" "at the start"
	ecmp_traffic
	ecmp_server drain web1
	wait_until 5 ecmp_is_shared web1 || ecmp_fail "the directors do not share the connections of web1"
	ecmp_event "d1 killed while web1 is drained" 3 "2 3" ecmp_kill d1
	ecmp_event "d1 added" 15 "1 2 3" ecmp_start d1
	ecmp_event "d3 stopped" 3 "1 2" ecmp_stop_running d3
	ecmp_resume d3
	ecmp_event "d2 drained" 25 "1 3" ecmp_drain_when_back d2
	sleep 3
	wait_until 10 ecmp_all_go_on || ecmp_fail "$STALLED of $LONG transfers stand still"
	stop traffic
}

ecmp_drain_when_back() { # HOST
	ecmp_wait_hops 15 "1 2 3" "d3 resumed"
	ecmp_drain "$1"
}

ecmp_all() { # MODE
	ECMP_MODE=$1 ECMP_SETTLE=4
	ecmp_wait_hops 60 "1 2 3" "at the start"
	ecmp_traffic
	ecmp_event "d1 killed" 3 "2 3" ecmp_kill d1
	ecmp_event "d1 added" 20 "1 2 3" ecmp_start d1
	ecmp_event "d2 stopped" 3 "1 3" ecmp_stop_running d2
	ecmp_event "d2 resumed" 20 "1 2 3" ecmp_resume d2
	ecmp_event "d3 unplugged" 5 "1 2" ecmp_unplug d3
	ecmp_event "d3 plugged in" 60 "1 2 3" ecmp_plug d3
	ecmp_event "d2 drained" 25 "1 3" ecmp_drain d2
	ecmp_event "d2 enabled" 10 "1 2 3" ecmp_enable d2
	ecmp_event "web1 drained" 1 "1 2 3" ecmp_server drain web1
	ecmp_event "d1 killed while web1 is drained" 3 "2 3" ecmp_kill d1
	ecmp_event "d1 added while web1 is drained" 20 "1 2 3" ecmp_start d1
	ecmp_event "web1 back" 1 "1 2 3" ecmp_server enable web1
	ecmp_event "d2 killed after web1 is back" 3 "1 3" ecmp_kill d2
	ecmp_event "d2 added" 20 "1 2 3" ecmp_start d2
	ecmp_event "d3 cannot reach web2" 1 "1 2 3" ecmp_cut d3 web2
	ecmp_event "d2 killed while d3 cannot reach web2" 3 "1 3" ecmp_kill d2
	ecmp_event "d2 added while d3 cannot reach web2" 20 "1 2 3" ecmp_start d2
	ecmp_event "d3 reaches web2 again" 1 "1 2 3" ecmp_join_again d3 web2
	stop traffic
}

ecmp_test() {
	ecmp_prepare
	for ecmp_host in router $ECMP_DIRECTORS; do
		ecmp_config=$NET_DIR/$ecmp_host/daemon.conf
		[ "$ecmp_host" != router ] || ecmp_config=$NET_DIR/router.conf
		ecmp_daemon "$ecmp_host" "$ecmp_config"
	done
	if [ "$ECMP_LONG" != 1 ]; then
		ecmp_short
		return
	fi
	ecmp_all plain
	ecmp_resilient
	ecmp_all resilient
}
