#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl doctor: a correct setup has no findings; every fault of a real server that Linux can reproduce is created and
# reported, and nothing else is reported.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl nft sysctl dnsmasq unshare
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
SCRIPT=$(CDPATH='' cd -- "$(dirname -- "$0")/../../contrib/realserver" && pwd)/dsr-realserver
PROBE=$SERVER_PREFIX.250

write_conf() { # EXTRA LINE... of [dsrd]
	conf_head | sed '/^log = /q' >"$NET_DIR/dsrd.conf"
	for line; do
		echo "$line" >>"$NET_DIR/dsrd.conf"
	done
	{
		conf_head | sed '1,/^log = /d'
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		scheduler = rr
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2)
		END
	} >>"$NET_DIR/dsrd.conf"
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

# All that is wrong, by name: "vip-ignored answers-arp".
names() {
	sed -n 's/.*WRONG .*\[\([a-z0-9-]*\)\]$/\1/p' "$NET_DIR/said" | sort -u | tr '\n' ' ' | sed 's/ $//'
}

expect() { # NAMES PATTERN...: web1 has just these, and the doctor says all of that
	doctor 1 web/web1
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
	# web2 has nothing to do with it.
	doctor_web2=0
	"$DSRCTL" -s "$SOCKET" doctor web/web2 >"$NET_DIR/said" 2>&1 || doctor_web2=$?
	[ "$doctor_web2" = "${WEB2_STATUS:-0}" ] || {
		cat "$NET_DIR/said" >&2
		fail "the above was said of web2, which is well"
	}
}

# The commands under "The same by hand", and under "to undo it" there, as they stand in $NET_DIR/said.
by_hand() { # fix | undo
	awk -v want="$1" '
		/^ *The same by hand/ { part = "fix"; next }
		part != "" && /^ *to undo it:/ { part = "undo"; next }
		part != "" && !/^          [^ ]/ { exit }
		part == want' "$NET_DIR/said" >"$NET_DIR/by-hand"
	[ -s "$NET_DIR/by-hand" ] || {
		cat "$NET_DIR/said" >&2
		fail "no commands in the above to do it by hand ($1)"
	}
	cat "$NET_DIR/by-hand"
}

fixed() { # [SECONDS]
	wait_until "${1:-10}" "$DSRCTL" -s "$SOCKET" doctor || {
		"$DSRCTL" -s "$SOCKET" doctor >&2 || true
		fail "all is fixed, and the doctor still complains"
	}
}

filter() { # RULE
	run_in web1 nft add table inet guard
	run_in web1 nft add chain inet guard in '{ type filter hook input priority 0; }'
	run_in web1 nft add rule inet guard in "$@"
}

unfilter() {
	run_in web1 nft delete table inet guard
}

# Names: web1's is given, web2's leads to its own address. /etc/resolv.conf is the director's own, for this process
# only.
start_names() { # ADDRESS-OF-WEB1
	start_in director names dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root \
	    --listen-address=127.0.0.1 \
	    --bind-interfaces --host-record="web1,$1" --host-record="web2,$(server_ip 2)" \
	    --pid-file="$NET_DIR/names.pid-file"
}

start_director() {
	start_in director dsrd unshare -m sh -c \
	    "mount --bind '$NET_DIR/resolv.conf' /etc/resolv.conf && exec '$DSRD' -d -f '$NET_DIR/dsrd.conf'"
	wait_until 15 dsrd_settled || fail "the director did not become ready within 15 s"
	is_running dsrd || fail "the director ended before it was ready"
}

restart_director() {
	stop_dsrd
	start_director
	wait_servers_up web web1 web2
}

ip -n "$NET-director" link set lo up
echo "nameserver 127.0.0.1" >"$NET_DIR/resolv.conf"
start_names "$(server_ip 1)"
write_conf "probe-address = $PROBE"
start_director
wait_servers_up web web1 web2

step "a correct setup"
doctor 0
[ "$(wc -l <"$NET_DIR/said")" -le 2 ] || {
	cat "$NET_DIR/said" >&2
	fail "all is well, and the doctor has more than a line to say"
}
doctor 0 --all
grep -q '2 servers examined, 0 problems' "$NET_DIR/said" || fail "the summary is missing"
grep -q 'looks like: Linux$' "$NET_DIR/said" || {
	cat "$NET_DIR/said" >&2
	fail "Linux was not recognised"
}
"$DSRCTL" -s "$SOCKET" -j doctor >"$NET_DIR/said"
grep -q '"problems":0,"unfinished":false' "$NET_DIR/said" || fail "JSON says otherwise"
! command -v python3 >/dev/null || python3 -m json.tool "$NET_DIR/said" >/dev/null || fail "it is no JSON"
fetch_many 20 "$NET_DIR/pages"

step "the VIP is missing"
vip_remove web1 "$VIP"
expect vip-ignored "dsr-realserver apply --vip $VIP" "ip address add $VIP/32 dev lo" \
    "ip address delete $VIP/32 dev lo" 'vip: silence' 'own: syn-ack'
step "fixed by what the doctor says"
doctor 1 web/web1
fix=$(sed -n "s/^ *\(dsr-realserver apply --vip [0-9.]*\).*/\1/p" "$NET_DIR/said" | head -n 1)
DSR_REALSERVER_STATE="$NET_DIR/state" run_in web1 sh "$SCRIPT" apply --vip "${fix##* }" >/dev/null ||
	fail "the command failed: $fix"
fixed

step "and by the commands that do it by hand; what takes them back does so"
vip_remove web1 "$VIP"
doctor 1 web/web1
by_hand undo >"$NET_DIR/undo"
by_hand fix | run_in web1 sh -e
fixed
run_in web1 sh -e "$NET_DIR/undo"
expect vip-ignored
vip_add web1 "$VIP"
fixed

step "the VIP is missing, and the server forwards"
run_in web1 sysctl -q -w net.ipv4.ip_forward=1
vip_remove web1 "$VIP"
expect vip-missing-forwards "dsr-realserver apply --vip $VIP"
vip_add web1 "$VIP"
run_in web1 sysctl -q -w net.ipv4.ip_forward=0
# What was seen a minute ago still counts: a new director has not seen it.
restart_director
fixed

step "a strong host"
filter iifname eth0 ip daddr "$VIP" drop
expect vip-ignored
unfilter
fixed

step "the firewall drops the port, and rejects it"
filter ip daddr "$VIP" tcp dport 80 drop
expect firewall-drops "nft insert rule inet filter input ip daddr $VIP tcp dport 80 accept"
unfilter
filter ip daddr "$VIP" tcp dport 80 reject with icmp type admin-prohibited
expect firewall-rejects
unfilter
fixed

step "the program is bound to the server's own address, then gone"
stop_nginx web1
sed -i.all "s/listen 80;/listen $(server_ip 1):80;/" "$NET_DIR/web1/nginx.conf"
start_in web1 web1-nginx nginx -p "$NET_DIR/web1/" -c nginx.conf -e stderr
wait_until 5 run_in web1 curl -s "http://$(server_ip 1)/health"
expect bound-to-own-address "ss -lnp 'sport = :80'"
stop_nginx web1
expect service-down
mv "$NET_DIR/web1/nginx.conf.all" "$NET_DIR/web1/nginx.conf"
start_nginx web1
fixed

step "the server answers ARP for the VIP"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
expect answers-arp "dsr-realserver apply --vip $VIP" 'net.ipv4.conf.all.arp_ignore=1'
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1

step "a short mask"
stop_dsrd
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
ip -n "$NET-web1" address add "$SERVER_PREFIX.77/24" dev lo
start_director
sleep 2
doctor 1 web/web1
case " $(names) " in
*" short-mask "*) ;;
*)
	cat "$NET_DIR/said" >&2
	fail "the doctor does not find the short mask"
	;;
esac
ip -n "$NET-web1" address delete "$SERVER_PREFIX.77/24" dev lo
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1
restart_director
fixed

step "the server announces the VIP"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=0
announced() {
	run_in web1 ip neigh flush dev eth0
	"$DSRCTL" -s "$SOCKET" doctor web/web1 >"$NET_DIR/said" || true
	[ "$(names)" = announces-vip ]
}
wait_until 20 announced || {
	cat "$NET_DIR/said" >&2
	fail "the doctor does not find that the server announces the VIP"
}
grep -q 'net.ipv4.conf.all.arp_announce=2' "$NET_DIR/said" || fail "without the remedy"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=2
restart_director
fixed

step "the server's answer dies on its way, as at a switch that knows which addresses are whose"
run_in switch nft add table bridge guard
run_in switch nft add chain bridge guard through '{ type filter hook forward priority 0; }'
run_in switch nft add rule bridge guard through iifname web1-eth0 ip saddr "$VIP" drop
# The server resolves the probe address only if its cache no longer has it.
lost() {
	run_in web1 ip neigh flush dev eth0
	"$DSRCTL" -s "$SOCKET" doctor web/web1 >"$NET_DIR/said" || true
	[ "$(names)" = reply-lost ]
}
wait_until 20 lost || {
	cat "$NET_DIR/said" >&2
	fail "the doctor does not find that the answer is lost"
}
grep -q "Allow $VIP as source address where the server ($(server_mac 1)) is plugged in" "$NET_DIR/said" ||
	fail "without the remedy"
run_in switch nft delete table bridge guard
fixed

step "the server's own address is filtered, the VIP is not"
filter ip daddr "$(server_ip 1)" tcp dport 80 drop
wait_server down web/web1
expect own-address-filtered "vip: syn-ack"
unfilter
fixed

step "two machines have the server's address"
ip -n "$NET-client" address add "$(server_ip 1)/32" dev lo
doctor 1 web/web1
case " $(names) " in
*" duplicate-address "*) ;;
*)
	cat "$NET_DIR/said" >&2
	fail "the doctor does not find the second machine"
	;;
esac
ip -n "$NET-client" address delete "$(server_ip 1)/32" dev lo
fixed 70 # a second machine that has been silent for a minute is gone

step "the director is the server's gateway"
ip -n "$NET-web1" route add default via "$SERVER_PREFIX.1"
expect director-is-gateway 'ip route replace default via ROUTER'
ip -n "$NET-web1" route delete default
fixed

step "the server's MTU is smaller"
ip -n "$NET-web1" link set eth0 mtu 1400
expect mtu-smaller 'ip link set dev eth0 mtu 1500'
ip -n "$NET-web1" link set eth0 mtu 1500
fixed

step "another host has the VIP"
ip -n "$NET-client" address add "$VIP/32" dev eth0
WEB2_STATUS=1 expect foreign-owner "its MAC address: $CLIENT_MAC"
ip -n "$NET-client" address delete "$VIP/32" dev eth0
# The watch remembers it for a minute.
restart_director
fixed

step "the director's host forwards"
run_in director sysctl -q -w net.ipv4.ip_forward=1
doctor 1
grep -q 'WRONG  director: this host forwards IPv4 .*\[forwarding\]' "$NET_DIR/said" || fail "the doctor does not see it"
grep -q 'sysctl -w net.ipv4.*=0' "$NET_DIR/said" || fail "it does not say what to type"
run_in director sysctl -q -w net.ipv4.ip_forward=0
fixed

step "and its kernel holds the VIP"
ip -n "$NET-director" address add "$VIP/32" dev lo
doctor 1
grep -q "this host's own kernel holds the VIP.*\[vip-held\]" "$NET_DIR/said" || fail "the doctor does not see it"
ip -n "$NET-director" address delete "$VIP/32" dev lo
fixed

step "the server is gone"
ip -n "$NET-web1" link set eth0 down
stop_dsrd
start_director
wait_server down web/web1
expect unreachable "arping -c 3 -I eth0 $(server_ip 1)"
ip -n "$NET-web1" link set eth0 up
wait_server up web/web1
fixed

step "the server's name resolves to the VIP"
stop names
start_names "$VIP"
restart_director
expect dns-has-vip 'Delete the record'
doctor 0 --all web/web2
grep -q 'DNS: its name does not lead to a VIP' "$NET_DIR/said" || fail "web2's name was not looked up"
stop names
start_names "$(server_ip 1)"

step "without a probe address it works, and reports what it cannot detect"
write_conf
restart_director
doctor 0
! grep -q 'probe-address' "$NET_DIR/said" || fail "a note is printed without --all"
doctor 0 --all
grep -q 'note   director: no `probe-address` is configured' "$NET_DIR/said" || fail "it does not say so"
vip_remove web1 "$VIP"
expect vip-ignored
vip_add web1 "$VIP"
fixed
stop_dsrd

if command -v python3 >/dev/null; then
	step "a UDP program answers from the server's own address"
	write_conf "probe-address = $PROBE"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service echo]
	listen = $VIP udp/7777
	check = none
	vip-payload = "hello"
	server = web1 $(server_ip 1)
	END
	cat >"$NET_DIR/echo.py" <<-'END'
	import socket, sys
	s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
	s.bind((sys.argv[1], 7777))
	while True:
	    data, peer = s.recvfrom(2048)
	    s.sendto(data, peer)
	END
	start_in web1 echo python3 "$NET_DIR/echo.py" "$VIP"
	start_director
	wait_until 10 "$DSRCTL" -s "$SOCKET" doctor echo ||
		fail "the program answers from the VIP, and the doctor complains"
	stop echo
	start_in web1 echo python3 "$NET_DIR/echo.py" 0.0.0.0
	sleep 1
	doctor 1 echo/web1
	assert_equal "what is wrong" 'no-server wrong-source' "$(names)"
	stop_dsrd
fi
