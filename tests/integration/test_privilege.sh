#!/bin/sh
# SPDX-License-Identifier: ISC
#
# No root: dsrd becomes the user it was built for, or says how to create it; root must be asked for, and even then no
# program runs as root, and no program inherits descriptors that the starter left open.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
[ "$net_os" = linux ] || skip "what it looks at is Linux's /proc"
net_require nginx curl python3
net_up 1
start_nginx web1
mkdir "$NET_DIR/open"
chmod 711 "$NET_DIR"
chmod 777 "$NET_DIR/open"
cat >"$NET_DIR/open/check" <<'END'
#!/bin/sh
{
	grep -E '^(Uid|CapEff|CapPrm|CapInh|CapAmb|NoNewPrivs):' /proc/self/status
	ls /proc/self/fd
} >"$0.$$" 2>&1
mv "$0.$$" "$0.out"
END
chmod 755 "$NET_DIR/open/check"

write_conf() { # the user's line, or nothing
	conf_head | sed "s/^user = .*/$1/" >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	check = script $NET_DIR/open/check
	server = web1 $(server_ip 1)
	END
}

if id -u _dsrd >/dev/null 2>&1; then
	step "without \`user\` it is _dsrd"
	write_conf ''
	start_dsrd
	assert_equal "user of dsrd" "$(id -u _dsrd)" "$(awk '/^Uid:/ { print $2 }' "/proc/$(pid_of dsrd)/status")"
	stop_dsrd
else
	step "without \`user\`, and without the user it was built for, it does not start, and says what to type"
	write_conf ''
	status=0
	run_in director "$DSRD" -d -f "$NET_DIR/dsrd.conf" >"$NET_DIR/said" 2>&1 || status=$?
	assert_equal "exit status" 77 "$status"
	# shellcheck disable=SC2016 # the backquotes are the message's
	grep -q 'no user `_dsrd` on this host: create it (useradd .* _dsrd)' "$NET_DIR/said" || fail "it says: $(cat "$NET_DIR/said")"
fi

status_of() { # PID FIELD
	sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status" | tr '\t' ' '
}

for user in root nobody; do
	step "user = $user: what dsrd and its programs may do, and what is open"
	write_conf "user = $user"
	rm -f "$NET_DIR/open/check.out"
	# A descriptor behind a gap, as a careless service manager may leave one.
	# shellcheck disable=SC2016 # the inner shell expands it
	start_in director dsrd sh -c 'exec 9>"$1/left"; shift; exec "$@"' sh "$NET_DIR" \
	    python3 -c 'import os, sys; os.dup2(9, 251); os.execv(sys.argv[1], sys.argv[1:])' \
	    "$DSRD" -d -f "$NET_DIR/dsrd.conf"
	wait_until 15 dsrd_settled || fail "the director is not ready"
	wait_server up web/web1
	pid=$(pid_of dsrd)
	assert_equal "no_new_privs" 1 "$(status_of "$pid" NoNewPrivs)"
	assert_equal "bounding set" 0000000000003000 "$(status_of "$pid" CapBnd)"
	for process in "$pid" $(cat "/proc/$pid/task/$pid/children"); do
		for descriptor in "/proc/$process/fd"/*; do
			[ "$(readlink "$descriptor")" != "$NET_DIR/left" ] || fail "process $process has the starter's descriptor"
		done
	done
	wait_until 5 test -s "$NET_DIR/open/check.out" || fail "the script has not run"
	awk '/^Uid:/ { for (i = 2; i <= 5; i++) if ($i == 0) exit 1 }' "$NET_DIR/open/check.out" || fail "the script runs as root"
	[ "$(grep -c '^Cap.*0000000000000000$' "$NET_DIR/open/check.out")" = 4 ] ||
	    fail "the script has capabilities: $(cat "$NET_DIR/open/check.out")"
	assert_equal "no_new_privs of the script" 1 "$(awk '/^NoNewPrivs/ { print $2 }' "$NET_DIR/open/check.out")"
	# 3 is ls(1)'s, which reads the directory.
	assert_equal "descriptors of the script" "0 1 2 3" "$(grep '^[0-9]' "$NET_DIR/open/check.out" | sort -n | tr '\n' ' ' |
	    sed 's/ $//')"
	case $user in
	root) assert_log 'warning confine user=root' ;;
	*) assert_no_log 'confine user=root' ;;
	esac
	stop_dsrd
done

step "no other user can block the lock of an interface"
write_conf 'user = nobody'
namespace=$(run_in director stat -L -c %i /proc/self/ns/net)
lock=/run/dsrd-eth0-$namespace.lock
as_nobody() {
	run_in director setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
if as_nobody sh -c ": >'$lock'" 2>/dev/null; then
	fail "an unprivileged user could create $lock"
fi
start_dsrd
lock=$(run_in director sh -c "ls -d /run/dsrd-eth0-$namespace.lock /usr/local/var/run/dsrd-eth0-$namespace.lock \
    /var/run/dsrd-eth0-$namespace.lock 2>/dev/null | head -n 1")
[ -n "$lock" ] || fail "there is no lock file"
assert_equal "owner and mode of the lock" "0 600" "$(stat -c '%u %a' "$lock")"
if as_nobody sh -c "exec 9<>'$lock'" 2>/dev/null; then
	fail "an unprivileged user could open $lock"
fi
stop_dsrd
[ ! -e "$lock" ] || fail "the lock file was left behind"
# As if someone had been able to.
: >"$lock"
chown 65534 "$lock"
status=0
run_in director "$DSRD" -d -f "$NET_DIR/dsrd.conf" >"$NET_DIR/said" 2>&1 || status=$?
rm -f "$lock"
assert_equal "exit status with another user's lock" 71 "$status"
grep -q 'belongs to another user: remove it' "$NET_DIR/said" || fail "it says: $(cat "$NET_DIR/said")"

step "dsrd -n warns when its user is missing"
write_conf 'user = no-such-user'
"$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/said" 2>&1 || true
# shellcheck disable=SC2016 # the backquotes are the message's
grep -q 'warning: no user `no-such-user` on this host: create it' "$NET_DIR/said" || fail "it says: $(cat "$NET_DIR/said")"
