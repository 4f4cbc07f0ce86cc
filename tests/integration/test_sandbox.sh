#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The sandbox: what each process of dsrd may do, as `dsrctl show process` reports it, and what hostile code in each of
# them
# gets done.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
[ "$net_os" = linux ] || skip "what it looks at is Linux's"
"$DSRD" -V | grep -q 'sandbox linux, seccomp yes' || skip "this dsrd was built without libseccomp, or with sanitizers"
net_require nginx curl python3 jq
HOSTILE=$(dirname -- "$DSRD")/tests/integration/hostile
[ -x "$HOSTILE" ] || fail "there is no $HOSTILE: make check TESTS="
net_up 1
start_nginx web1
run_in director ip link add other0 type veth peer name other1
run_in director ip link set other0 up
run_in director ip link set other1 up
SOCKET=$NET_DIR/dsrd.sock
mkdir "$NET_DIR/outside"
chmod 755 "$NET_DIR/outside"
cp "$HOSTILE" "$NET_DIR/outside/dsrd"
chmod 755 "$NET_DIR/outside/dsrd"
echo anyone >"$NET_DIR/outside/file"
chmod 644 "$NET_DIR/outside/file"

write_conf() { # [LINE]
	mkdir -p "$NET_DIR/etc"
	conf_head | sed -e "s/^user = .*/user = nobody/" -e "s|^state = .*|&${1:+\\
$1}|" >"$NET_DIR/etc/dsrd.conf"
	cat >>"$NET_DIR/etc/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	check = tcp
	check = script /bin/true
	server = web1 $(server_ip 1)
	END
	cp "$NET_DIR/etc/dsrd.conf" "$NET_DIR/dsrd.conf"
	chmod -R a+rX "$NET_DIR/etc" "$NET_DIR/dsrd.conf"
}

start_hostile() {
	rm -f "$NET_DIR/table"
	start_in director dsrd env HOSTILE_TABLE="$NET_DIR/table" HOSTILE_OUTSIDE="$NET_DIR/outside/file" \
	    HOSTILE_IFACE=other0 HOSTILE_PORT="$port" "$NET_DIR/outside/dsrd" -d -f "$NET_DIR/etc/dsrd.conf"
	wait_until 10 dsrd_settled || fail "the director with hostile code is not ready"
}

processes() { # FILTER: of jq
	run_in director "$DSRCTL" -s "$SOCKET" --json show process | jq -r "$1"
}

step "every process is confined, and says so"
write_conf
start_dsrd
wait_server up web/web1
run_in director "$DSRCTL" -s "$SOCKET" show process | sed 's/^/    /'
assert_equal "no_new_privs" true "$(processes '[.processes[].no_new_privs] | all')"
assert_equal "system calls" yes "$(processes '[.processes[].calls] | unique | join(" ")')"
assert_equal "users" "director nobody, privileged root, checker nobody, launcher nobody" \
    "$(processes '[.processes[] | .name + " " + .user] | join(", ")')"
assert_equal "processes without capabilities" "director checker launcher" \
    "$(processes '[.processes[] | select(.capabilities == "none").name] | join(" ")')"
landlock=$(processes '.processes[] | select(.name == "director").files_by' | tr -dc 0-9)
for pid in $(processes '.processes[].pid'); do
	assert_equal "the kernel: seccomp of $pid" 2 "$(awk '/^Seccomp:/ { print $2 }' "/proc/$pid/status")"
done
stop_dsrd

step "sandbox = off is said, and sandbox = log refuses nothing"
write_conf 'sandbox = off'
start_dsrd
assert_log 'warning confine sandbox=off'
assert_equal "system calls" no "$(processes '[.processes[].calls] | unique | join(" ")')"
stop_dsrd
write_conf 'sandbox = log'
port=9999
start_hostile
assert_log 'warning confine sandbox=log'
assert_equal "system calls" log "$(processes '[.processes[].calls] | unique | join(" ")')"
wait_server up web/web1
for process in director checker; do
	tail -c +5 "$NET_DIR/table" | tr -d '\000' | grep -q "^$process fork DONE" || fail "$process was refused a fork"
	wait_log 5 "warning sandbox call=[a-z0-9]* process=$process result=passed"
done
grep 'warning sandbox call=' "$NET_DIR/dsrd.log" | sed 's/.* \(call=[^ ]* process=[^ ]*\) .*/    \1/'
NET_REFUSED_OK=yes
stop_dsrd
NET_REFUSED_OK=no

step "hostile code in each process"
write_conf
start_in director accept python3 -m http.server -b 127.0.0.1 "$port"
wait_until 10 run_in director curl -s -o /dev/null "http://127.0.0.1:$port/" || fail "no server on port $port"
# The configuration is where it may read; $HOSTILE_OUTSIDE is in another directory.
sed -i -e "s|^control = .*|control = $NET_DIR/etc/dsrd.sock|" -e 's|^state = .*|state = off|' "$NET_DIR/etc/dsrd.conf"
SOCKET=$NET_DIR/etc/dsrd.sock
start_hostile
wait_server up web/web1
# Its length, then the lines.
tail -c +5 "$NET_DIR/table" | tr -d '\000' >"$NET_DIR/rows"
sed 's/^/    /' "$NET_DIR/rows"
for process in director privileged checker launcher; do
	[ "$(grep -c "^$process " "$NET_DIR/rows")" -ge 10 ] || fail "$process has tried nothing"
done
# SECURITY.md, "Privileges": what no rule of the kernel prevents, and what these processes are for. Landlock limits
# connections since version 4.
connects='director connect
'
[ "$landlock" -lt 4 ] || connects=
assert_equal "attempts that worked" "checker connect
${connects}director raw-sendmsg-elsewhere
privileged become-root
privileged bpf
privileged link-change
privileged open-shadow
privileged raw-socket
privileged signal-init" "$(sed -n 's/ DONE .*//p' "$NET_DIR/rows" | LC_ALL=C sort)"

step "the log names what was refused, and dsrd goes on"
for process in director checker; do
	wait_log 5 "error sandbox call=execve process=$process result=refused"
	wait_log 5 "error sandbox call=unshare process=$process result=refused"
done
fetch_many 4 "$NET_DIR/pages"
NET_REFUSED_OK=yes
stop_dsrd
