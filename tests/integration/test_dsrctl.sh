#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl and the control socket: the output matches the state, refusals have reasons and statuses, and stuck or greedy
# clients block neither forwarding nor other clients.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl script
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done

conf_head >"$NET_DIR/dsrd.conf"
cat >>"$NET_DIR/dsrd.conf" <<-END

[service web]
listen = $VIP tcp/80,8080
scheduler = rr
server = web1 $(server_ip 1) weight=3
server = web2 $(server_ip 2)
END

step "without a director"
ctl 3 show
complained "no dsrd answers on $SOCKET"
ctl 2
ctl 2 shw
complained 'did you mean `show`'
ctl 2 show drops now
complained 'unexpected argument `now`'
ctl 2 reload --paln
complained 'did you mean `--plan`'
ctl 2 -x show
ctl 3 show -j
ctl 3 stats
ctl 0 -h
said '^  doctor '
ctl 0 help drain
said '^usage: dsrctl drain SERVICE/SERVER ... \[--wait DURATION\]'
! grep -q ' $' "$NET_DIR/said" || fail "lines end in blanks"

step "what is shown"
start_dsrd
wait_servers_up web web1 web2
assert_equal "mode of the socket" 600 "$(stat -c %a "$SOCKET")"
fetch_many 4 "$NET_DIR/pages"
ctl 0 show
said "^web  *up  *2  *2  *rr  *eth0  *$VIP tcp/80 tcp/8080$"
said "^web/web1  *up  .* 3  .*$(server_mac 1)"
said "^web/web2  *up  .*$(server_ip 2)  *$(server_mac 2)"
said "^eth0  *up  *yes  *$DIRECTOR_MAC  *1500"
! grep -n ' $' "$NET_DIR/said" || fail "rows end in blanks"
assert_equal "the last line of show" "offloaded to the kernel" "$(tail -n 1 "$NET_DIR/said" | sed 's/:.*//')"
ctl 0 show --problems
! grep 'web/web1' "$NET_DIR/said" || fail "what is well is among the problems"
ctl 0 show web/web2 -a
said "^web/web2  *up "
! grep 'web/web1' "$NET_DIR/said" || fail "a server that was not asked for is listed"
ctl 0 status '*/web1'
said "^web/web1  *up "
! grep 'web/web2' "$NET_DIR/said" || fail "a server that was not asked for is listed"
ctl 0 show "$(server_ip 2)"
said "^web/web2  *up "
ctl 2 show wbe
complained 'there is no service or server `wbe`, did you mean `web`'
ctl 2 show neighborz
complained 'show takes names, or one of: health drops neighbors .*did you mean `neighbors`'
ctl 0 show neighbors web/web1
said "^$(server_ip 1)  *eth0  *known "
! grep "^$(server_ip 2) " "$NET_DIR/said" || fail "a neighbor that was not asked for is listed"
if grep -q "$(printf '\033')" "$NET_DIR/said"; then
	fail "colours, though this is no terminal"
fi
on_terminal() { # VARIABLE=VALUE: how many of show's lines have colours
	env "$1" TERM=xterm script -qec "'$DSRCTL' -s '$SOCKET' show" /dev/null </dev/null |
		grep -c "$(printf '\033')" || true
}
assert_at_least "coloured lines on a terminal" 2 "$(on_terminal A=)"
assert_equal "coloured lines on a terminal with NO_COLOR" 0 "$(on_terminal NO_COLOR=1)"
ctl 0 -j show
is_json
said '^{"schema":1,'
said '"server":"web/web1","state":"up".*"weight":3,"file_weight":3,"by_operator":null,"backup":false'
said "\"connections\":[1-9].*\"vip\":\"accepted\",\"address\":\"$(server_ip 1)\""
ctl 0 show names
said '^web  *service$'
said '^web/web2  *server$'
said "^$VIP  *vip$"
ctl 0 -j show names
is_json
said '{"name":"web/web1","kind":"server"}'
# shellcheck disable=SC2016 # bash's
! command -v bash >/dev/null || assert_equal "what bash completes" "web/web1 web/web2 " "$(bash --norc -c '
	source "$1"
	COMP_LINE="$2 -s $3 drain w"
	COMP_POINT=${#COMP_LINE}
	_dsrctl
	printf "%s " "${COMPREPLY[@]}"' - "$(dirname -- "$0")/../../contrib/completion/bash/dsrctl" "$DSRCTL" "$SOCKET")"
ctl 0 show health
said '^web/web1  *tcp  *80  *up '
said "^web/web2  *$VIP tcp/8080  *up  *accepted "
ctl 0 -j show health
is_json
ctl 0 show drops
said '^no-service  *0 '
said '^forwarded  *[1-9]'
ctl 0 -j show drops
is_json
ctl 0 show neighbors
said "^$(server_ip 1)  *eth0  *known  *$(server_mac 1)"
ctl 0 -j show neighbors
is_json
ctl 0 version
said '^dsrd: [0-9]'

step "a server that is down, and why"
stop_nginx web2
wait_server down web/web2
ctl 0 events '*/web2'
said '^20..-..-..T..:..:..Z  warning  server-state server=web/web2 from=up to=down reason="[^"]*tcp/80: connection refused'
! grep -v -e '^TIME ' -e '=web/web2 ' "$NET_DIR/said" || fail "events of others are listed"
ctl 0 -j events "$(server_ip 2)" event=server-state limit=1
is_json
said '"server":"web/web2","action":null,"from":"up","to":"down","reason":"[^"]*connection refused'
ctl 2 events colour=red
complained '`colour=red` is not a filter: use event='
ctl 1 show --problems
said '^web/web2  *down '
! grep '^web/web1' "$NET_DIR/said" || fail "what is well is among the problems"
ctl 0 show
said '^web/web2  *down  .*connection refused.*'
said '^web  *degraded  *1  *2 '
ctl 2 doctor nosuch
complained 'there is no service or server `nosuch`'
ctl 2 doctor web/nosuch
start_in director follow "$DSRCTL" -s "$SOCKET" events -f '*/web2'
start_in director follow-json "$DSRCTL" -j -s "$SOCKET" events --follow event=server-state after=0
wait_until 5 grep -q 'to=down' "$NET_DIR/follow.log" || fail "events -f does not list what was before"
start_nginx web2
wait_server up web/web2
wait_until 5 grep -q '  notice   server-state server=web/web2 from=down to=up ' "$NET_DIR/follow.log" ||
    fail "events -f does not show what comes: $(cat "$NET_DIR/follow.log")"
assert_equal "how often it shows that" 1 "$(grep -c 'from=down to=up' "$NET_DIR/follow.log")"
wait_until 5 grep -q '^{"schema":1,"events":\[{.*"from":"down","to":"up"' "$NET_DIR/follow-json.log" ||
    fail "events -j -f does not show what comes"
stop follow
stop follow-json

step "curl speaks with it too"
run_in director curl -s --unix-socket "$SOCKET" "http://dsrd/show" >"$NET_DIR/said"
is_json
assert_equal "status of a path that is not there" 404 \
    "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" http://dsrd/nothing)"
assert_equal "status of a POST to what changes nothing" 405 \
    "$(curl -s -o /dev/null -w '%{http_code}' -X POST --unix-socket "$SOCKET" http://dsrd/show)"

step "a second dsrd on the same interface does not start, whatever its socket, and names the first one's process"
sed "s|^control = .*|control = $NET_DIR/other.sock|; s|^state = .*|state = off|" "$NET_DIR/dsrd.conf" >"$NET_DIR/other.conf"
status=0
run_in director "$DSRD" -d -f "$NET_DIR/other.conf" >"$NET_DIR/second" 2>&1 || status=$?
assert_equal "exit status of the second" 71 "$status"
grep -q "another dsrd, process $(pid_of dsrd), works on eth0: stop it" "$NET_DIR/second" || fail "it says: $(cat "$NET_DIR/second")"

step "nor with --observe on the same socket"
status=0
run_in director "$DSRD" -d --observe -f "$NET_DIR/dsrd.conf" >"$NET_DIR/second" 2>&1 || status=$?
assert_equal "exit status of the second" 71 "$status"
grep -q "another dsrd answers on $SOCKET" "$NET_DIR/second" || fail "the second does not say why"
ctl 0 version

if command -v python3 >/dev/null; then
	step "stuck and greedy clients"
	cat >"$NET_DIR/greedy.py" <<-'END'
	import socket, sys, time
	stuck = []
	for i in range(40):
	    s = socket.socket(socket.AF_UNIX)
	    s.setblocking(False)
	    try:
	        s.connect(sys.argv[1])
	        s.send(b"GET /show?format=text&arg=" + b"a" * (i * 200))
	    except OSError:
	        pass
	    stuck.append(s)
	print("stuck", flush=True)
	time.sleep(20)
	END
	start_in director greedy python3 "$NET_DIR/greedy.py" "$SOCKET"
	wait_until 5 grep -q stuck "$NET_DIR/greedy.log" || fail "the greedy client does not start"
	fetch_many 100 "$NET_DIR/pages"
	assert_equal "pages" 100 "$(wc -l <"$NET_DIR/pages" | tr -d ' ')"
	wait_until 15 "$DSRCTL" -s "$SOCKET" version || fail "dsrctl is not served after the stuck ones had their time"
	stop greedy KILL
fi

step "a reload cannot move the socket, the end removes it"
sed -i.before "s|^control = .*|control = $NET_DIR/other.sock|" "$NET_DIR/dsrd.conf"
reload_dsrd ok
assert_log 'reload key=control reason="requires a restart"'
ctl 0 version
stop_dsrd
[ ! -e "$SOCKET" ] || fail "the socket was left behind"

step "killed, it leaves the socket, which the next one replaces"
mv "$NET_DIR/dsrd.conf.before" "$NET_DIR/dsrd.conf"
start_dsrd
stop dsrd KILL
[ -S "$SOCKET" ] || fail "the socket is gone: this test tests nothing"
ctl 3 version
start_dsrd
ctl 0 version
stop_dsrd

step "a group, and no socket at all"
group=$(id -gn)
sed -i "s|^control = .*|&\\ncontrol-group = $group|" "$NET_DIR/dsrd.conf"
start_dsrd
assert_equal "mode of the socket" 660 "$(stat -c %a "$SOCKET")"
stop_dsrd
sed -i "s|^control = .*|control = off|" "$NET_DIR/dsrd.conf"
start_dsrd
ctl 3 version
stop_dsrd
sed -i "s|^control = .*|control = $NET_DIR/no/such/dir/sock|" "$NET_DIR/dsrd.conf"
start_dsrd
assert_log 'control result=failed reason="cannot make the socket .* dsrctl cannot reach this director"'
stop_dsrd
