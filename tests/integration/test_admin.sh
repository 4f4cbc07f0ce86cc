#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Changes with dsrctl: drain, disable, weight, reload; permissions; what a reload keeps; the contents of the flow table.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl setpriv
net_up 2
start_nginx web1
start_nginx web2

write_conf() { # WEIGHT-OF-WEB1 MORE-LINES
	{
		conf_head | sed "/^control = /{p;s/.*/control-group = nogroup/;${2:+p;s|.*|$2|;}}"
		cat <<-END

			[service web]
			listen = $VIP tcp/80
			scheduler = wrr
			; A connection that has ended is soon forgotten.
			timeout-fin = 1s
			timeout-closed = 1s
			server = web1 $(server_ip 1) weight=$1
			server = web2 $(server_ip 2)
		END
	} >"$NET_DIR/dsrd.conf"
}
write_conf 3 ""
start_dsrd
wait_servers_up web web1 web2

shares() { # EXPECTED: of 8 pages
	fetch_many 8 "$NET_DIR/pages"
	assert_equal "shares" "$1 0" "$(shares_of "$NET_DIR/pages")"
}

step "a server is drained: its download continues, new connections go elsewhere"
hold_download old
old=$(server_of old)
ctl 0 drain "web/$old"
said "^web/$old  *draining  *[1-9]"
assert_log "admin server=web/$old action=drained weight=0 by=uid:0 user=root"
assert_log "server-state server=web/$old from=up to=draining reason=\"drained by an operator\""
fetch_many 8 "$NET_DIR/pages"
assert_equal "pages of the drained server" 0 "$(count_lines "$old" "$NET_DIR/pages")"
ctl 0 show
said "^web/$old  *draining .*drained by root (uid 0) at 20.*: no new connections"
ctl 0 drain "web/$old"
assert_equal "log lines of a drain that changes nothing" 1 "$(log_count 'admin server=.*action=drained')"
ctl 1 show drain
said "^web/$old  *draining  *[1-9]"
ctl 1 -j show drain "web/$old"
is_json
said '"active":1,'
# An established flow is remembered for minutes; a download keeps it so.
said '"if_silent_seconds":[1-9]'
ctl 0 show connections "server=web/$old" state=established
said '^flows: 1$'
said "^tcp  *$CLIENT_IP:[0-9]*  *$VIP:80  *web/$old  *established"
ctl 0 -j show connections limit=0
is_json
said '"listed":0'
ctl 2 show connections colour=red
complained '`colour=red` is not a filter'

ctl 0 show
said "^web/$old  *draining .* drained by root (uid 0) at 20"
step "drain --wait ends with the last connection, or with the time"
ctl 1 drain --wait=100ms "web/$old"
complained 'timed out with active connections left'
start_in director waiting "$DSRCTL" -s "$SOCKET" drain "web/$old" --wait 2m
wait_until 10 grep -q "^web/$old  *draining " "$NET_DIR/waiting.log" || fail "drain --wait shows nothing"
stop old
wait_until 30 pid_gone "$(pid_of waiting)" || fail "drain --wait does not end: $(cat "$NET_DIR/waiting.log")"
assert_equal "the last word of drain --wait" 0 "$(awk 'END { print $4 }' "$NET_DIR/waiting.log")"
ctl 0 show drain "web/$old"

step "finished connections do not keep a drain waiting, unless they are wanted"
sed -i 's/^timeout-fin = .*/timeout-fin = 5m/; s/^timeout-closed = .*/timeout-closed = 5m/' "$NET_DIR/dsrd.conf"
ctl 0 reload
ctl 0 enable "web/$old"
fetch_many 8 "$NET_DIR/pages"
ctl 0 drain '*/*' --wait 10s
ctl 1 drain "$(server_ip 1)" "$(server_ip 2)" --wait 100ms --empty
complained 'timed out with flows left'
ctl 0 show drain
ctl 1 show drain --empty

step "many servers in one command; what is not a server is refused"
ctl 2 enable web
complained "web. is a service: type .web/SERVER., or 'web/\*' for all of its servers"
ctl 0 -j enable 'web/*'
is_json
said '"server":"web/web1","state":"up","changed":true,.*"server":"web/web2","state":"up","changed":true'
ctl 0 disable "$(server_ip 2)"
said '^web/web2  *disabled  *yes '
ctl 0 enable '*/web2' web/web1
said '^web/web1  *up  *no '
said '^web/web2  *up  *yes '
ctl 0 enable '*/*'
said '^note: already so'
sed -i 's/^timeout-fin = .*/timeout-fin = 1s/; s/^timeout-closed = .*/timeout-closed = 1s/' "$NET_DIR/dsrd.conf"
ctl 0 reload

step "a drain with a timeout ends in disable when something is left"
hold_download stuck
stuck=$(server_of stuck)
ctl 0 drain "web/$stuck" --timeout 1s
wait_log 10 "drain-timeout server=web/$stuck active=1 "
assert_log "server-state server=web/$stuck from=draining to=disabled reason=\"disabled by an operator\""
stop stuck
ctl 0 enable "web/$stuck"

step "enable takes it back, disable takes it out"
ctl 0 enable "web/$old"
said "^web/$old  *up "
assert_log "server-state server=web/$old from=draining to=up reason=\"enabled by an operator\" check=\"dsrctl\""
shares "6 2"
ctl 0 disable web/web1
said '^web/web1  *disabled '
shares "0 8"
ctl 0 show
said '^web/web1  *disabled .*disabled by root (uid 0) at 20'
ctl 0 enable web/web1
ctl 2 enable web/nobody
complained 'there is no server `web/nobody`'
ctl 2 enable
ctl 2 weight web/web1 heavy
complained '`heavy` is not a valid weight'

step "a weight takes effect immediately, and show displays the difference from the file"
ctl 0 weight web/web2 3
shares "4 4"
ctl 0 show
said '^web/web2  *up .*weight set by root (uid 0) at 20.*: the file says 1'
ctl 0 -j show
is_json
said '"weight":3,"file_weight":1,"by_operator":"weight 3 by root (uid 0) at [-0-9T:]*Z, the file says 1"'
ctl 0 show config
said '^; Changed by dsrctl: web/web2 is weight 3 by root (uid 0) at .*Z, the file says 1$'
cp "$NET_DIR/said" "$NET_DIR/shown.conf"
"$DSRD" -n -f "$NET_DIR/shown.conf" || fail "what show config prints is no configuration"
ctl 0 -j show config
is_json

step "a reload that does not contradict keeps it; one that does overrules it"
ctl 0 drain web/web1
sed -i 's/^server = web1 .*/& max-connections=1000/' "$NET_DIR/dsrd.conf"
ctl 0 reload
said '^changed  *web  *server '
shares "0 8"
sed -i 's/^server = web2 .*/& weight=2/' "$NET_DIR/dsrd.conf"
ctl 0 reload
assert_log 'admin server=web/web2 action=weight weight=2 reason="the file has a new weight'
ctl 0 enable web/web1
ctl 0 show config
grep -q 'Not as the file says' "$NET_DIR/said" && fail "something still differs from the file"

step "a plan says what a reload would do, and does nothing"
hold_download old3
busy=$(server_of old3)
sed -i "/^server = $busy /d; s/^scheduler = .*/scheduler = rr/; s/^control = .*/&\\nconnections = 64k/" \
    "$NET_DIR/dsrd.conf"
ctl 0 reload --plan
said '^changed  *\[dsrd\]  *connections .* requires a restart$'
said '^changed  *web  *scheduler  *wrr  *rr  *0  *at once$'
said "^removed  *web  *server  *$busy .*  [1-9][0-9]*  .*drain it first$"
said '^live connections that will break: [1-9]'
ctl 0 -j reload plan
is_json
ctl 0 show config
said '^scheduler = wrr$'
said "^server = $busy "
echo "scheduler = wishful" >>"$NET_DIR/dsrd.conf"
ctl 1 reload --plan
complained 'dsrd.conf:[0-9]*: '
ctl 1 reload
complained 'nothing was changed'
ctl 0 show config
said '^scheduler = wrr$'
stop old3

step "read access does not allow changes, unless the file says so"
write_conf 3 ""
ctl 0 reload
as_nobody() { # STATUS WORD...: nobody's group is that of control-group
	nobody_status=$1
	shift
	nobody_got=0
	setpriv --reuid 65534 --regid "$(getent group nogroup | cut -d: -f3)" --clear-groups \
	    "$NET_DIR/dsrctl" -s "$SOCKET" "$@" >"$NET_DIR/said" 2>"$NET_DIR/complained" || nobody_got=$?
	[ "$nobody_got" = "$nobody_status" ] || {
		cat "$NET_DIR/said" "$NET_DIR/complained" >&2
		fail "dsrctl $* as nobody: expected status $nobody_status, got $nobody_got"
	}
}
# The build directory may be closed to others.
cp "$DSRCTL" "$NET_DIR/dsrctl"
chmod 711 "$NET_DIR"
chmod 755 "$NET_DIR/dsrctl"
as_nobody 0 show
said '^web/web1  *up '
as_nobody 0 reload --plan
as_nobody 1 drain web/web1
complained 'permission denied: read-only access'
as_nobody 1 reload
assert_equal "drains by user nobody" 0 "$(log_count 'admin .*by=uid:65534')"
write_conf 3 "control-group-may = change"
ctl 0 reload
as_nobody 0 drain web/web1
assert_log 'admin server=web/web1 action=drained weight=0 by=uid:65534 user=nobody'
as_nobody 0 enable web/web1

step "curl can do it, with POST alone"
assert_equal "status of a GET that would change something" 405 \
    "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$SOCKET" 'http://dsrd/drain?arg=web/web1')"
assert_equal "status of a POST" 200 \
    "$(curl -s -o /dev/null -w '%{http_code}' -X POST --unix-socket "$SOCKET" 'http://dsrd/drain?arg=web/web1')"
stop_dsrd

step "a director that gave up root says why it cannot read its file again"
write_conf 3 ""
sed -i 's|^user = .*|user = nobody|' "$NET_DIR/dsrd.conf"
chmod 600 "$NET_DIR/dsrd.conf"
start_dsrd
ctl 1 reload
complained 'dsrd.conf: cannot open .*: Permission denied'
complained 'runs as user ID 65534 now (`user`), which may not read it'
complained 'nothing was changed'
chmod 644 "$NET_DIR/dsrd.conf"
ctl 0 reload
said '^changes: 0$'
stop_dsrd
