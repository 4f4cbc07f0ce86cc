# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# A network to test in: a switch, a client, a director and real servers, each a host with its own network stack.
# Tests source this file. The implementation of hosts and cables depends on the operating system: net_linux.sh or
# net_freebsd.sh.
#
#   one-arm                                    two-arm
#     client  192.0.2.100  ---+                  client   198.51.100.100 --- front --- director 198.51.100.1
#     director  192.0.2.1  ---+- switch                                        |
#     web1     192.0.2.11  ---+                  router   .254 in both nets  --+       (VIP 198.51.100.10)
#     web2     192.0.2.12  ---+                                                |
#     VIP      192.0.2.10                        web1..N  192.0.2.11 ...  --- back --- director 192.0.2.1
#
# The names of hosts contain the test's process id, processes are recorded by id, and a trap removes all of them, also
# after
# a failure or an interrupt. Nothing outside these hosts is changed.
#
# Environment: BUILD_DIR (where dsrd was built), or DSRD (the program itself); DSRD_CI=1 makes a skip a failure;
# DSRD_OFFLOAD=tc (or xdp, auto) turns offload on, which is off by default.

set -eu

NET=dsrd$$
NET_DIR=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-test.XXXXXX")
chmod 711 "$NET_DIR" # programs of checks never run as root
NET_HOSTS=
NET_STARTED=           # names given to start_in, newest first
NET_SKIP=77            # automake's exit status for a skipped test
SERVER_PREFIX=192.0.2  # RFC 5737
SERVER_PREFIX6=2001:db8: # RFC 3849; a host's IPv6 address ends as its IPv4 address does
VIP6=$SERVER_PREFIX6:10
NET_IPV6=
CLIENT_MAC=02:00:00:00:00:99
DIRECTOR_MAC=02:00:00:00:00:01

PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin:/usr/local/bin
BUILD_DIR=${BUILD_DIR:-.}
DSRD=${DSRD:-$BUILD_DIR/dsrd}

# --- the operating system --------------------------------------------------------------------------------------------

# The script that sources this file is a test, or is in a directory next to tests/integration.
net_source_os() {
	case $(uname -s) in
	Linux) net_os=linux ;;
	FreeBSD) net_os=freebsd ;;
	*) skip "there is no net_*.sh for $(uname -s) yet" ;;
	esac
	for net_there in . ../integration ../tests/integration; do
		net_there=$(dirname -- "$0")/$net_there/net_$net_os.sh
		if [ -f "$net_there" ]; then
			# shellcheck source-path=SCRIPTDIR source=net_linux.sh
			. "$net_there"
			return
		fi
	done
	fail "net_$net_os.sh is not where it should be"
}

# --- saying things ---------------------------------------------------------------------------------------------------

step() {
	echo "# $*"
}

# A test stops at its first failure. Works in the test's own shell and in subshells alike.
fail() {
	echo "FAILED: $*" >&2
	if [ -s "$NET_DIR/dsrd.log" ]; then
		echo "--- the director's log, its end:" >&2
		# Without the counters, which tests request many times: the last dump is below, if there is one.
		grep -v -e ' counter name=' -e ' drop reason=' -e ' interface interface=' -e ' flows count=' -e \
		    ' server server=' \
		    -e ' vip-check server=.* vip=' -e ' notify started=' \
		    "$NET_DIR/dsrd.log" | tail -n 30 >&2
		if [ -s "$NET_DIR/dump" ]; then
			grep -e 'drop reason=[a-z-]* frames=[1-9]' -e ' server server=' "$NET_DIR/dump" >&2
		fi
	fi
	exit 1
}

skip() {
	if [ "${DSRD_CI:-0}" = 1 ]; then
		fail "cannot run, and DSRD_CI=1 allows no skips: $*"
	fi
	echo "SKIPPED: $*" >&2
	exit "$NET_SKIP"
}

assert_equal() { # WHAT EXPECTED GOT
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

assert_at_least() { # WHAT LEAST GOT
	[ "$3" -ge "$2" ] || fail "$1: expected at least $2, got $3"
}

assert_at_most() { # WHAT MOST GOT
	[ "$3" -le "$2" ] || fail "$1: expected at most $2, got $3"
}

assert_log() { # PATTERN: the director's log has a line that matches this basic regular expression
	grep -q -e "$1" "$NET_DIR/dsrd.log" || fail "the director's log has no line that matches '$1'"
}

assert_no_log() { # PATTERN
	if grep -e "$1" "$NET_DIR/dsrd.log" >&2; then
		fail "the director's log has the line above, which matches '$1'"
	fi
}

net_source_os

# --- waiting ---------------------------------------------------------------------------------------------------------

# Ask again and again until the command succeeds; its output is not shown. False after TIMEOUT seconds, or NET_PATIENCE
# times
# as many in a kernel that is slow; NET_PAUSE is what it waits in between.
wait_until() { # TIMEOUT CMD...
	# The deadline is a positional parameter, since those are a function's own: calls may be nested.
	set -- $(($(date +%s) + $1 * ${NET_PATIENCE:-1})) "$@"
	until net_quietly "$@"; do
		[ "$(date +%s)" -le "$1" ] || return 1
		sleep "${NET_PAUSE:-0.05}"
	done
}

net_quietly() { # DEADLINE TIMEOUT CMD...
	shift 2
	"$@" >/dev/null 2>&1
}

wait_log() { # TIMEOUT PATTERN
	wait_until "$1" grep -q -e "$2" "$NET_DIR/dsrd.log" || fail "waited $1 s for a log line that matches '$2'"
}

# How many lines of the director's log match.
log_count() { # PATTERN
	grep -c -e "$1" "$NET_DIR/dsrd.log" || true
}

log_count_above() { # PATTERN COUNT
	[ "$(log_count "$1")" -gt "$2" ]
}

# --- processes -------------------------------------------------------------------------------------------------------

# Start a program in the background; what it says goes to $NET_DIR/NAME.log.
start_in() { # HOST NAME CMD...
	net_host=$1 net_name=$2
	shift 2
	: >"$NET_DIR/$net_name.log"
	net_exec "$net_host" "$@" >>"$NET_DIR/$net_name.log" 2>&1 </dev/null &
	echo $! >"$NET_DIR/$net_name.pid"
	NET_STARTED="$net_name $NET_STARTED"
}

pid_of() { # NAME
	cat "$NET_DIR/$1.pid"
}

is_running() { # NAME
	! pid_gone "$(pid_of "$1")"
}

# Stop what start_in started; its exit status is in STOP_STATUS.
stop() { # NAME [SIGNAL]
	net_pid=$(pid_of "$1")
	kill "-${2:-TERM}" "$net_pid" 2>/dev/null || true
	wait_until 10 pid_gone "$net_pid" || {
		kill -KILL "$net_pid"
		fail "$1 (process $net_pid) did not stop within 10 s of SIG${2:-TERM}"
	}
	STOP_STATUS=0
	wait "$net_pid" || STOP_STATUS=$?
	rm -f "$NET_DIR/$1.pid"
}

# --- the network -----------------------------------------------------------------------------------------------------

# Skip unless these programs and the right to make hosts are there.
net_require() { # PROGRAM...
	for net_program in timeout "$@"; do
		command -v "$net_program" >/dev/null || skip "the program '$net_program' is not installed"
	done
	net_os_require
}

server_ip() { # NUMBER
	echo "$SERVER_PREFIX.$((10 + $1))"
}

server_ip6() { # NUMBER
	echo "$SERVER_PREFIX6:$((10 + $1))"
}

server_mac() { # NUMBER
	printf '02:00:00:00:00:%02d\n' $((10 + $1))
}

net_host_add() { # HOST
	NET_HOSTS="$NET_HOSTS $1"
	net_host_make "$1"
}

# A real server: ready for direct server return before it holds the VIP, so that it never answers ARP for it.
net_server_add() { # NUMBER BRIDGE
	net_host_add "web$1"
	net_server_prepare "web$1"
	net_attach "web$1" eth0 "$2" "$(server_mac "$1")" "$(server_ip "$1")/24"
	vip_add "web$1" "$VIP"
}

net_up() { # SERVERS [two-arm]
	net_host_add switch
	net_switch_prepare
	net_host_add client
	net_host_add director
	net_number=1
	if [ "${2:-one-arm}" = two-arm ]; then
		VIP=198.51.100.10 CLIENT_IP=198.51.100.100
		net_bridge_add front
		net_bridge_add back
		net_attach client eth0 front "$CLIENT_MAC" "$CLIENT_IP/24"
		net_attach director eth0 front "$DIRECTOR_MAC" 198.51.100.1/24
		net_attach director eth1 back 02:00:00:00:00:02 "$SERVER_PREFIX.1/24"
		net_host_add router
		forwarding_set router on
		net_attach router eth0 front 02:00:00:00:00:97 198.51.100.254/24
		net_attach router eth1 back 02:00:00:00:00:98 "$SERVER_PREFIX.254/24"
		while [ "$net_number" -le "$1" ]; do
			net_server_add "$net_number" back
			net_route_default "web$net_number" "$SERVER_PREFIX.254"
			net_number=$((net_number + 1))
		done
	else
		VIP=$SERVER_PREFIX.10 CLIENT_IP=$SERVER_PREFIX.100
		net_bridge_add lan
		net_attach client eth0 lan "$CLIENT_MAC" "$CLIENT_IP/24"
		net_attach director eth0 lan "$DIRECTOR_MAC" "$SERVER_PREFIX.1/24"
		while [ "$net_number" -le "$1" ]; do
			net_server_add "$net_number" lan
			net_number=$((net_number + 1))
		done
	fi
}

# IPv6 in addition to IPv4 for a one-arm network: client ::100, director ::1, web1 ::11 ..., and $VIP6 on the servers.
net_up6() {
	NET_IPV6=yes
	for net_host6 in $NET_HOSTS; do
		case $net_host6 in
		switch) continue ;;
		client) net_end=100 ;;
		director) net_end=1 ;;
		web*) net_end=$((10 + ${net_host6#web})) ;;
		*) net_end= ;;
		esac
		net_ipv6_on "$net_host6"
		[ -z "$net_end" ] || net_address6_add "$net_host6" "$SERVER_PREFIX6:$net_end/64"
		case $net_host6 in
		web*) vip6_add "$net_host6" "$VIP6" ;;
		esac
	done
}

# Every process on our hosts is ours: also workers, and daemons that detached.
net_pids() {
	for net_host in $NET_HOSTS; do
		net_host_pids "$net_host"
	done
}

net_empty() {
	for net_pid in $(net_pids); do
		pid_gone "$net_pid" || return 1
	done
}

net_down() {
	for net_signal in TERM KILL; do
		for net_pid in $(net_pids); do
			kill "-$net_signal" "$net_pid" 2>/dev/null || true
		done
		wait_until 3 net_empty && break
	done
	for net_host in $NET_HOSTS; do
		net_host_remove "$net_host"
	done
	NET_HOSTS=
	if [ -n "${DSRD_KEEP:-}" ]; then
		echo "# DSRD_KEEP: logs and captures stay in $NET_DIR" >&2
	else
		rm -rf "$NET_DIR"
	fi
}

net_exit() {
	net_status=$?
	trap - EXIT
	trap '' INT TERM HUP PIPE # nothing stops the cleaning up
	set +e
	# What a sanitizer found is a failure, however well the traffic flowed.
	if grep -E 'ERROR: (Address|Leak|Undefined)|runtime error:' "$NET_DIR"/*.log 2>/dev/null >&2; then
		echo "FAILED: a sanitizer complained, see above" >&2
		tail -n 60 "$NET_DIR/dsrd.log" >&2
		net_status=1
	fi
	net_down
	exit "$net_status"
}

trap net_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
trap 'exit 141' PIPE

# --- the director ----------------------------------------------------------------------------------------------------

# The beginning of every configuration: checks in quick succession, so that tests need not wait long. With
# DSRD_STATE=off a
# director that is started again knows nothing of the last one.
conf_head() {
	cat <<-END
	[dsrd]
	control = $NET_DIR/dsrd.sock
	state = ${DSRD_STATE:-$NET_DIR/dsrd.state}
	interface = eth0
	log = stderr
	user = ${CONF_USER:-root}
	offload = ${DSRD_OFFLOAD:-off}

	[defaults]
	check = tcp
	interval = 300ms
	timeout = 250ms
	rise = 2
	fall = 2
	END
}

# Start dsrd with $NET_DIR/dsrd.conf and wait until it serves.
start_dsrd() { # [ARGUMENT...]
	[ -x "$DSRD" ] || fail "there is no program $DSRD: build it first, or set BUILD_DIR"
	start_in director dsrd "$DSRD" -d -f "$NET_DIR/dsrd.conf" "$@"
	wait_until 15 dsrd_settled || fail "the director did not become ready within 15 s"
	is_running dsrd || fail "the director ended before it was ready"
}

dsrd_settled() {
	grep -q '^\(.* \)\{0,1\}ready\( \|$\)' "$NET_DIR/dsrd.log" || ! is_running dsrd
}

# Stop it as a service manager would; it must leave with status 0.
stop_dsrd() {
	stop dsrd
	assert_equal "exit status of dsrd after SIGTERM" 0 "$STOP_STATUS"
	# A call that the sandbox lacks shows up in any test.
	net_refused=$(sed -n 's/.* \(sandbox call=[^ ]*\) .*/\1/p' "$NET_DIR/dsrd.log" | sort | uniq -c)
	[ "${NET_REFUSED_OK:-no}" = yes ] || assert_equal "refused system calls" "" "$net_refused"
}

signal_dsrd() { # SIGNAL
	kill "-$1" "$(pid_of dsrd)"
}

# Give it a new configuration (already in $NET_DIR/dsrd.conf) and wait for its verdict: ok or failed.
reload_dsrd() { # RESULT
	net_reloads=$(log_count 'reload .*result=')
	signal_dsrd HUP
	wait_until 10 log_count_above 'reload .*result=' "$net_reloads" || fail "no word about the reload within 10 s"
	net_result=$(grep -e 'reload .*result=' "$NET_DIR/dsrd.log" | tail -n 1)
	case $net_result in
	*"result=$1"*) ;;
	*) fail "expected a reload with result=$1, the log says: $net_result" ;;
	esac
}

wait_servers_up() { # SERVICE SERVER...
	net_service=$1
	shift
	for net_server; do
		wait_server up "$net_service/$net_server"
	done
}

wait_server() { # STATE SERVICE/SERVER: its newest state in the log is STATE
	wait_until 15 server_is "$1" "$2" || fail "waited 15 s for $2 to become $1"
}

server_is() { # STATE SERVICE/SERVER
	[ "$(server_state "$2")" = "$1" ]
}

server_state() { # SERVICE/SERVER
	sed -n "s|.*server-state server=$1 .*to=\\([a-z]*\\).*|\\1|p" "$NET_DIR/dsrd.log" | tail -n 1
}

# Ask for the counters (SIGUSR1) and leave the fresh dump in $NET_DIR/dump. Its last lines are the servers'.
dump_dsrd() {
	net_servers=$(sed -n 's/.*\(ready\|result=ok\) .*servers=\([0-9]*\).*/\2/p' "$NET_DIR/dsrd.log" | tail -n 1)
	net_before=$(wc -l <"$NET_DIR/dsrd.log")
	signal_dsrd USR1
	wait_until 10 dump_complete || fail "no state in the log within 10 s of SIGUSR1"
}

dump_complete() {
	tail -n "+$((net_before + 1))" "$NET_DIR/dsrd.log" >"$NET_DIR/dump"
	[ "$(grep -c 'server server=' "$NET_DIR/dump")" -eq "$net_servers" ] && grep -q 'flows count=' "$NET_DIR/dump"
}

# A number out of the last dump; 0 when it is not there.
counter() { # NAME
	net_value=$(sed -n "s/.*counter name=$1 value=\\([0-9]*\\).*/\\1/p" "$NET_DIR/dump" | tail -n 1)
	echo "${net_value:-0}"
}

drop_count() { # REASON
	net_value=$(sed -n "s/.*drop reason=$1 frames=\\([0-9]*\\).*/\\1/p" "$NET_DIR/dump" | tail -n 1)
	echo "${net_value:-0}"
}

server_value() { # SERVICE/SERVER KEY
	sed -n "s|.*server server=$1 \\(.* \\)\\{0,1\\}$2=\\([a-z0-9:.-]*\\).*|\\2|p" "$NET_DIR/dump" | tail -n 1
}

# --- real programs ---------------------------------------------------------------------------------------------------

# A web server on all the host's addresses: / names the server, /health says ok, PUT /up/NAME stores, /slow/long takes
# over a minute, files lie in $NET_DIR/HOST/www, the access log is
# $NET_DIR/HOST/access.log, and sent.log in the same directory has the bytes of each answer, including the header.
start_nginx() { # HOST
	mkdir -p "$NET_DIR/$1/www/up" "$NET_DIR/$1/tmp"
	truncate -s 2M "$NET_DIR/$1/www/long"
	net_user=
	[ "$(id -u)" != 0 ] || net_user=$NET_NGINX_USER
	net_listen6=
	[ -z "$NET_IPV6" ] || net_listen6='listen [::]:80; listen [::]:8080;'
	cat >"$NET_DIR/$1/nginx.conf" <<-END
	$net_user
	daemon off;
	worker_processes 1;
	pid nginx.pid;
	error_log error.log;
	events { worker_connections 1000; }
	http {
		log_format sent '\$bytes_sent';
		access_log access.log;
		access_log sent.log sent;
		client_body_temp_path tmp/body;
		proxy_temp_path tmp/proxy;
		fastcgi_temp_path tmp/fastcgi;
		uwsgi_temp_path tmp/uwsgi;
		scgi_temp_path tmp/scgi;
		client_max_body_size 0;
		default_type text/plain;
		server {
			listen 80;
			listen 8080;
			$net_listen6
			root www;
			add_header X-Server $1;
			location = / { return 200 "$1\n"; }
			location = /health { access_log off; return 200 "ok\n"; }
			location /slow/ { alias www/; limit_rate 20k; }
			location /up/ { dav_methods PUT; }
		}
	}
	END
	start_in "$1" "$1-nginx" nginx -p "$NET_DIR/$1/" -c nginx.conf -e stderr
	wait_until 10 run_in "$1" curl -s -o /dev/null "http://127.0.0.1/health" || fail "nginx on $1 does not answer"
}

stop_nginx() { # HOST
	stop "$1-nginx" TERM
}

# What the client gets from the VIP over a new connection.
fetch() { # [PATH [CURL-OPTION...]]
	net_path=${1:-/}
	[ $# -eq 0 ] || shift
	run_in client curl -s --max-time 10 "$@" "http://$VIP$net_path"
}

# N pages, each over a new connection, into FILE: one server name a line.
fetch_many() { # N FILE [VIP]
	run_in client timeout 60 curl -s --max-time 10 -H 'Connection: close' "http://${3:-$VIP}/?[1-$1]" >"$2" ||
		fail "curl could not fetch $1 pages"
}

# A download that takes more than a minute; server_of prints its server.
hold_download() { # NAME
	start_in client "$1" curl -sN -H 'Connection: close' -D "$NET_DIR/$1.head" -o /dev/null "http://$VIP/slow/long"
	wait_until 5 grep -q '^X-Server:' "$NET_DIR/$1.head" || fail "the download $1 does not begin"
}

server_of() { # NAME
	sed -n 's/^X-Server: \([a-z0-9]*\).*/\1/p' "$NET_DIR/$1.head"
}

# How many lines of FILE say web1, web2 and web3: "5 1 1".
shares_of() { # FILE
	echo "$(count_lines web1 "$1") $(count_lines web2 "$1") $(count_lines web3 "$1")"
}

# How many lines of FILE are exactly TEXT.
count_lines() { # TEXT FILE
	grep -c -x -e "$1" "$2" || true
}

# Record what passes a host's interface. Ended by capture_end; read with capture_count.
capture() { # HOST NAME FILTER [INTERFACE]
	# shellcheck disable=SC2086 # two words, or none
	start_in "$1" "$2" tcpdump $NET_TCPDUMP -n -p --immediate-mode -U -i "${4:-eth0}" -w "$NET_DIR/$2.pcap" "$3"
	wait_until 10 grep -q 'listening on' "$NET_DIR/$2.log" || fail "tcpdump on $1 does not start"
}

capture_end() { # NAME
	stop "$1" INT
}

# Frames of a capture (ended, or still growing) that match.
capture_count() { # NAME [FILTER]
	tcpdump -n -r "$NET_DIR/$1.pcap" "${2:-}" 2>/dev/null | wc -l | tr -d ' '
}

capture_has() { # NAME COUNT FILTER
	[ "$(capture_count "$1" "$3")" -ge "$2" ]
}
