#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The daemon as seen by a service manager and an operator: exit statuses, readiness, pidfile, detaching, giving up root,
# and an interface that is restored.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl arping setpriv
net_up 1
start_nginx web1
NOTIFIED=$BUILD_DIR/tests/integration/notified
[ -x "$NOTIFIED" ] || fail "there is no $NOTIFIED: type make"
chmod 755 "$NET_DIR" # for the tests as user nobody

# A second network: client and director have a leg in it, which a reload may begin to use.
net_bridge_add other
net_attach client eth1 other 02:00:00:00:00:9a 203.0.113.100/24
net_attach director eth1 other 02:00:00:00:00:0a 203.0.113.1/24

write_conf() { # USER-LINE
	conf_head | sed "s/^user = .*/$1/" >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	server = web1 $(server_ip 1)
	END
}

# Run dsrd to its end; what it says is in $NET_DIR/said.
expect_status() { # WHAT STATUS COMMAND...
	expect_what=$1 expect_wanted=$2 expect_got=0
	shift 2
	run_in director timeout 10 "$@" >"$NET_DIR/said" 2>&1 || expect_got=$?
	[ "$expect_got" = "$expect_wanted" ] || cat "$NET_DIR/said" >&2
	assert_equal "exit status of $expect_what" "$expect_wanted" "$expect_got"
}

expect_said() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || {
		cat "$NET_DIR/said" >&2
		fail "no line of the above matches '$1'"
	}
}

conf=$NET_DIR/dsrd.conf

step "exit statuses"
write_conf 'user = root'
expect_status "--help" 0 "$DSRD" --help
expect_said '--observe'
expect_status "--version" 0 "$DSRD" --version
expect_said '^dsrd [0-9]'
expect_status "-n with a good file" 0 "$DSRD" -n -f "$conf"
expect_status "an unknown flag" 64 "$DSRD" --nonsense
expect_status "a stray word" 64 "$DSRD" start
expect_status "-w without -r" 64 "$DSRD" -w out.pcap
expect_status "an interface that does not exist" 69 "$DSRD" -d -f "$conf" -i nosuch0
expect_said 'nosuch0'
sed 's/^log = .*/lgo = stderr/' "$conf" >"$NET_DIR/bad.conf"
expect_status "a bad file" 78 "$DSRD" -d -f "$NET_DIR/bad.conf"
expect_said "/bad.conf:$(sed -n '/^lgo/=' "$NET_DIR/bad.conf"): .*lgo"
expect_status "-n with a bad file" 78 "$DSRD" -n -f "$NET_DIR/bad.conf"
cp "$DSRD" "$NET_DIR/dsrd-for-all"
chmod 755 "$NET_DIR/dsrd-for-all"
expect_status "a start as user nobody" 77 setpriv --reuid 65534 --regid 65534 --clear-groups "$NET_DIR/dsrd-for-all" \
    -d -f "$conf"
expect_said 'CAP_NET_RAW'

step "it refuses a VIP that the kernel holds"
ip -n "$NET-director" address add "$VIP/32" dev lo
expect_status "a start on a host that holds the VIP" 78 "$DSRD" -d -f "$conf"
expect_said "ip address delete $VIP"
ip -n "$NET-director" address delete "$VIP/32" dev lo

# What of the interface must be found again afterwards.
facts() { # FILE
	run_in director ethtool -k eth0 >"$1"
	ip -n "$NET-director" -d link show dev eth0 | grep -o 'promiscuity [0-9]*\|<.*>\|mtu [0-9]*' >>"$1"
	ip -n "$NET-director" address show dev eth0 | grep inet >>"$1"
}

step "SIGTERM leaves the interface as it was found, and no pidfile"
# As a physical card would be: a virtual link begins with receive offload off.
run_in director ethtool -K eth0 gro on
facts "$NET_DIR/before"
start_dsrd -p "$NET_DIR/pidfile"
wait_server up web/web1
assert_equal "page" web1 "$(fetch /)"
assert_equal "number in the pidfile" "$(pid_of dsrd)" "$(cat "$NET_DIR/pidfile")"
grep -q '^generic-receive-offload: on' "$NET_DIR/before" || fail "receive offload was not on: nothing to find again"
run_in director ethtool -k eth0 | grep -q '^generic-receive-offload: off' || fail "receive offload is still on"

step "a second daemon with the same pidfile is refused"
expect_status "a second daemon" 71 "$DSRD" -d -f "$conf" -p "$NET_DIR/pidfile"
expect_said pidfile
assert_equal "page" web1 "$(fetch /)"
assert_equal "number in the pidfile" "$(pid_of dsrd)" "$(cat "$NET_DIR/pidfile")"
stop_dsrd
[ ! -e "$NET_DIR/pidfile" ] || fail "the pidfile is still there"
facts "$NET_DIR/after"
diff "$NET_DIR/before" "$NET_DIR/after" || fail "the interface is not as it was, see the lines above"

step "SIGINT does the same"
start_dsrd
stop dsrd INT
assert_equal "exit status after SIGINT" 0 "$STOP_STATUS"
facts "$NET_DIR/after"
diff "$NET_DIR/before" "$NET_DIR/after" || fail "the interface is not as it was, see the lines above"

step "a pidfile that a crash left behind is no hindrance"
start_dsrd -p "$NET_DIR/pidfile"
stop dsrd KILL
[ -e "$NET_DIR/pidfile" ] || fail "SIGKILL removed the pidfile?"
start_dsrd -p "$NET_DIR/pidfile"
stop_dsrd
run_in director ethtool -K eth0 gro on

step "a host that forwards is warned of, with the command that fixes it"
run_in director sysctl -q -w net.ipv4.ip_forward=1
start_dsrd
assert_log 'error .*fix="sysctl -w net\.ipv4\.conf\.eth0\.forwarding=0"'
fix=$(sed -n 's/.* forwarding .*fix="\([^"]*\)".*/\1/p' "$NET_DIR/dsrd.log" | tail -n 1)
stop_dsrd
# shellcheck disable=SC2086 # a command and its arguments
run_in director $fix >/dev/null || fail "the command does not work: $fix"
start_dsrd
assert_no_log ' forwarding '
stop_dsrd
run_in director sysctl -q -w net.ipv4.ip_forward=0

step "readiness by sd_notify: ready, reload, stopping"
start_in director notified "$NOTIFIED" "$NET_DIR/notify.sock" 60
wait_until 5 grep -q listening "$NET_DIR/notified.log" || fail "the notify socket does not open"
start_in director dsrd env NOTIFY_SOCKET="$NET_DIR/notify.sock" "$DSRD" -f "$conf" -d
wait_until 10 grep -q '^READY=1' "$NET_DIR/notified.log" || fail "no READY=1"
reload_dsrd ok
stop_dsrd
wait_until 5 grep -q '^STOPPING=1' "$NET_DIR/notified.log" || fail "no STOPPING=1"
grep -q '^RELOADING=1' "$NET_DIR/notified.log" || fail "no RELOADING=1"
assert_equal "times that it said READY=1" 2 "$(grep -c '^READY=1' "$NET_DIR/notified.log")"
stop notified

step "-F stays in the foreground and logs where the file says"
start_in director dsrd "$DSRD" -F -f "$conf"
wait_log 10 ' ready '
stop_dsrd

step "without -d or -F it detaches when it serves, and the command returns 0"
sed 's/^log = .*/log = syslog/' "$conf" >"$NET_DIR/daemon.conf"
(cd "$NET_DIR" && expect_status "the daemon's start" 0 "$DSRD" -f daemon.conf -p "$NET_DIR/daemon.pid")
daemon=$(cat "$NET_DIR/daemon.pid")
[ -d "/proc/$daemon" ] || fail "the pidfile names process $daemon, which does not exist"
stat_of() { # PID FIELD, proc(5)
	cut -d ' ' -f "$2" "/proc/$1/stat"
}
[ "$(stat_of "$daemon" 6)" != "$(stat_of $$ 6)" ] || fail "the daemon is still in the session that started it"
assert_equal "the daemon's terminal" 0 "$(stat_of "$daemon" 7)"
assert_equal "the daemon's directory" / "$(readlink "/proc/$daemon/cwd")"
for descriptor in 0 1 2; do
	assert_equal "the daemon's descriptor $descriptor" /dev/null "$(readlink "/proc/$daemon/fd/$descriptor")"
done
page_comes() {
	[ "$(fetch / --max-time 1)" = web1 ]
}
wait_until 10 page_comes || fail "the daemon serves no page"
expect_status "a second daemon" 71 "$DSRD" -f "$NET_DIR/daemon.conf" -p "$NET_DIR/daemon.pid"
kill -TERM "$daemon"
wait_until 10 pid_gone "$daemon" || fail "the daemon does not stop"
[ ! -e "$NET_DIR/daemon.pid" ] || fail "the pidfile is still there"

step "a daemon that cannot start says so before it detaches"
expect_status "a daemon on an interface that does not exist" 69 "$DSRD" -f "$NET_DIR/daemon.conf" -i nosuch0
expect_said 'nosuch0'

step "it serves as another user, without any capability"
write_conf 'user = nobody'
start_dsrd -p "$NET_DIR/pidfile"
status_of() { # FIELD
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(pid_of dsrd)/status" | tr '\t' ' '
}
assert_equal "its user ids" "65534 65534 65534 65534" "$(status_of Uid)"
assert_equal "its group ids" "65534 65534 65534 65534" "$(status_of Gid)"
assert_equal "its other groups" 65534 "$(status_of Groups | tr -d ' ')"
assert_equal "its effective capabilities" 0000000000000000 "$(status_of CapEff)"
assert_equal "its permitted capabilities" 0000000000000000 "$(status_of CapPrm)"
assert_equal "no_new_privs" 1 "$(status_of NoNewPrivs)"
wait_server up web/web1
assert_equal "page" web1 "$(fetch /)"

step "and can still open a new interface on a reload"
vip_add web1 203.0.113.10
cat >>"$conf" <<-END

	[service other]
	interface = eth1
	listen = 203.0.113.10 tcp/80
	server = web1 $(server_ip 1) interface=eth0
END
reload_dsrd ok
answers_on_eth1() {
	run_in client arping -q -c 1 -w 1 -I eth1 203.0.113.10
}
wait_until 10 answers_on_eth1 || fail "no answer for the VIP on the new interface"
wait_server up other/web1
ip -n "$NET-web1" route add 203.0.113.0/24 dev eth0
ip -n "$NET-client" address add 203.0.113.101/32 dev eth0
run_in client sysctl -q -w net.ipv4.conf.all.accept_local=1
assert_equal "page through the new interface" web1 "$(run_in client curl -s --max-time 5 http://203.0.113.10/)"

step "it leaves the interface as it was found, as that user too"
stop_dsrd
facts "$NET_DIR/after"
diff "$NET_DIR/before" "$NET_DIR/after" || fail "the interface is not as it was, see the lines above"
