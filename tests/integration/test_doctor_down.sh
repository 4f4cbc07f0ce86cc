#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl doctor never reports success while a server is down: each server that is down has its reason, the evidence of
# the check and a command that repeats it. A fault of a machine is reported once for all its services.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

write_conf() { # LINE... of [service web], without its servers
	conf_head
	printf '\n[service web]\nlisten = %s tcp/80\n' "$VIP"
	for line; do
		echo "$line"
	done
}

doctor() { # STATUS [ARGUMENT]: what it says is in $NET_DIR/said
	doctor_status=$1
	shift
	doctor_got=0
	"$DSRCTL" -s "$SOCKET" doctor "$@" >"$NET_DIR/said" 2>&1 || doctor_got=$?
	[ "$doctor_got" = "$doctor_status" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsrctl doctor $*: expected status $doctor_status, got $doctor_got"
	}
}

# All that is wrong, by name.
names() {
	sed -n 's/.*WRONG .*\[\([a-z0-9-]*\)\]$/\1/p' "$NET_DIR/said" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

says() { # NAMES PATTERN...: after doctor: just these names, and each pattern
	[ "$(names)" = "$1" ] || {
		cat "$NET_DIR/said" >&2
		fail "the doctor should find '$1', and finds '$(names)'"
	}
	shift
	for pattern; do
		grep -q -e "$pattern" "$NET_DIR/said" || {
			cat "$NET_DIR/said" >&2
			fail "no line of the above matches '$pattern'"
		}
	done
}

# The command under "repeat it on the director:".
repeat() {
	sed -n '/repeat it on the director:/{n;s/^ *//p;q;}' "$NET_DIR/said"
}

step "a check finds another status than it expects: on every server, with what was sent, expected, and came"
write_conf "check = http path=/nope" "server = web1 $(server_ip 1)" "server = web2 $(server_ip 2)" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server down web/web1
wait_server down web/web2
doctor 1
says 'check-failed no-server' "the check .http $(server_ip 1):80 /nope. got status 404, expected status 200-399" \
    'sent: GET /nope, Host: ' 'WRONG  web: no server for new connections'
assert_equal "the command" "curl -v http://$(server_ip 1)/nope" "$(repeat)"
command=$(repeat)
# shellcheck disable=SC2086 # a command and its arguments
run_in director $command 2>&1 | grep -q '< HTTP/1.1 404' || fail "the command does not repeat the check: $command"
stop_dsrd

step "a script says no"
printf '#!/bin/sh\necho "no database"\nexit 3\n' >"$NET_DIR/check"
chmod 755 "$NET_DIR/check"
write_conf "check = script $NET_DIR/check $(server_ip 1)" "server = web1 $(server_ip 1)" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server down web/web1
doctor 1
says 'check-failed no-server' 'got exit status 3: no database, expected exit status 0' \
    "DSRD_ADDRESS=$(server_ip 1) DSRD_PORT=80 DSRD_VIP=$VIP $NET_DIR/check $(server_ip 1)"
stop_dsrd

step "the program listens on the VIP only"
stop_nginx web1
sed -i.all "s/listen 80;/listen $VIP:80;/" "$NET_DIR/web1/nginx.conf"
start_in web1 web1-nginx nginx -p "$NET_DIR/web1/" -c nginx.conf -e stderr
wait_until 5 run_in web1 curl -s "http://$VIP/health"
write_conf "server = web1 $(server_ip 1)" "server = web2 $(server_ip 2)" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server down web/web1
doctor 1
says own-address-refused 'the program listens on the VIP only' "nc -vz -w 3 $(server_ip 1) 80"
stop_dsrd
stop_nginx web1
mv "$NET_DIR/web1/nginx.conf.all" "$NET_DIR/web1/nginx.conf"
start_nginx web1

step "a server is the director itself, one is in none of its networks"
write_conf "server = web1 $(server_ip 1)" "server = self $SERVER_PREFIX.5" "server = far 172.28.10.11" \
    >"$NET_DIR/dsrd.conf"
start_dsrd
wait_server up web/web1
ip -n "$NET-director" address add "$SERVER_PREFIX.5/24" dev eth0
wait_log 8 'server-state server=web/self .* to=down .*own address'
doctor 1
says 'is-director other-network' "WRONG  $SERVER_PREFIX.5: .* address of the director itself" \
    "$SERVER_PREFIX.1/24"
! grep -q 'arping' "$NET_DIR/said" || fail "a cable is looked for where the address is wrong"
ip -n "$NET-director" address delete "$SERVER_PREFIX.5/24" dev eth0
stop_dsrd

step "the VIP with the network's prefix length on the loopback"
write_conf "server = web1 $(server_ip 1)" "server = web2 $(server_ip 2)" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2
run_in web1 sysctl -q -w net.ipv4.conf.all.rp_filter=2
ip -n "$NET-web1" address add "$SERVER_PREFIX.77/24" dev lo
wait_server down web/web1
doctor 1
says takes-network 'ip address show dev lo'
# Without source validation the server answers ARP still, and nothing else.
run_in web1 sysctl -q -w net.ipv4.conf.all.rp_filter=0
doctor 1
says no-control 'ip route show table local type local'
ip -n "$NET-web1" address delete "$SERVER_PREFIX.77/24" dev lo
wait_server up web/web1

step "a server that was switched off a moment ago is called that, while its MAC address is still known"
ip -n "$NET-web1" link set eth0 down
began=$(date +%s)
doctor 1
says unreachable "arping -c 3 -I eth0 $(server_ip 1)"
ended=$(date +%s)
[ $((ended - began)) -le 5 ] || fail "that took $((ended - began)) s"
wait_server down web/web1
"$DSRCTL" -s "$SOCKET" show | grep -q '^web/web1 .* accepted' && fail "show calls the VIP of a dead machine accepted"
ip -n "$NET-web1" link set eth0 up
wait_server up web/web1

step "two addresses of one machine are two servers: no problem, but worth a note"
stop_dsrd
ip -n "$NET-web1" address add "$SERVER_PREFIX.71/24" dev eth0
write_conf "server = web1 $(server_ip 1)" "server = again $SERVER_PREFIX.71" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 again
doctor 0
doctor 0 --all
grep -q '^ *note .*\[same-machine\]$' "$NET_DIR/said" || fail "that two servers are one machine is not said"
stop_dsrd

step "a hundred services of five servers: three machines that are off are three problems"
{
	conf_head
	for service in $(seq 100); do
		printf '\n[service s%d]\nlisten = %s tcp/%d\ncheck = none\nvip-check = off\n' "$service" "$VIP" \
		    $((1000 + service))
		printf 'server = web1 %s\nserver = web2 %s\n' "$(server_ip 1)" "$(server_ip 2)"
		for server in 3 4 5; do
			echo "server = web$server $SERVER_PREFIX.$((80 + server))"
		done
	done
} >"$NET_DIR/dsrd.conf"
start_dsrd
doctor 1
says unreachable 's1/web3, s2/web3.* and [0-9]* more'
grep -q '500 servers examined, 3 problems' "$NET_DIR/said" || {
	tail -n 3 "$NET_DIR/said" >&2
	fail "not three problems"
}
[ "$(wc -l <"$NET_DIR/said")" -le 60 ] || fail "the doctor needs $(wc -l <"$NET_DIR/said") lines for three problems"
stop_dsrd
