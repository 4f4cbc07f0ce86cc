#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every JSON answer has the documented schema and no member that dsrd-json(7) does not explain. The setup makes sure
# that no array is empty.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl python3
here=$(dirname -- "$0")
INJECT=$BUILD_DIR/tests/integration/inject
PAGE=$here/../../man/dsrd-json.7.in
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
{
	conf_head | sed 's/^log = stderr/&\nhttp = 127.0.0.1:9190\nrole = active\nannounce = device/'
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	persist = 10m
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_log 15 ' role group=main .* to=active'
wait_servers_up web web1 web2 web3

# answered STATUS SECTION WORD...: dsrctl -j WORD... ends so, and the page's section has all members.
answered() {
	section=$2
	status=$1
	shift 2
	ctl "$status" -j "$@"
	python3 "$here/members.py" "$PAGE" "$section" <"$NET_DIR/said" || fail "dsrctl -j $*"
	asked="$asked$section;"
}
asked=

step "a flow, a client that persistence knows, a drop, a stranger with the VIP, a server without it"
run_in client curl -sS --max-time 10 "http://$VIP/" >/dev/null
run_in client curl -s --max-time 1 "http://$VIP:81/" >/dev/null || true
[ "$("$DSRCTL" -s "$SOCKET" show connections limit=1 | grep -c '^tcp')" -eq 1 ] || fail "no flow is remembered"
vip_remove web3 "$VIP"
wait_server down web/web3
# Gratuitous ARP for the VIP, RFC 5227 section 3: another host claims it.
vip_hex=$(echo "$VIP" | tr . ' ')
# shellcheck disable=SC2086 # four numbers
vip_hex=$(printf '%02x%02x%02x%02x' $vip_hex)
echo "ffffffffffff 020000000099 0806 0001 0800 06 04 0001 020000000099 $vip_hex 000000000000 $vip_hex" |
    run_in switch "$INJECT" director-eth0
conflict_shown() {
	"$DSRCTL" -j -s "$SOCKET" show | grep -q '"kind":"announces"'
}
wait_until 10 conflict_shown || fail "the stranger is not shown"

step "looking"
answered 0 version version
answered 0 show show
for array in services servers traffic conflicts interfaces drops roles; do
	python3 -c "import json, sys; sys.exit(not json.load(sys.stdin)['$array'])" <"$NET_DIR/said" || fail "$array is empty"
done
answered 0 "show health" show health
answered 0 "show drops" show drops
answered 0 "show roles" show roles
answered 0 "show announce" show announce
answered 0 ready ready
answered 0 "show neighbors" show neighbors
answered 0 "show connections" show connections
answered 0 "show names" show names
answered 0 "show peers" show peers
wait_until 15 sh -c "'$DSRCTL' -j -s '$SOCKET' show rates | grep -q unix_seconds" || fail "no rates are kept"
answered 0 "show rates" show rates
answered 0 "show process" show process
answered 0 events events
answered 0 why why tcp "$CLIENT_IP:4000" "$VIP:80"
answered 1 why why tcp "$CLIENT_IP:4000" "$VIP:81"
answered 1 why why tcp "$CLIENT_IP:4000" "$CLIENT_IP:80"
client=$("$DSRCTL" -s "$SOCKET" show connections | sed -n 's/^tcp *\([0-9.:]*\) .*/\1/p' | head -n 1)
answered 0 why why tcp "$client" "$VIP:80"
answered 1 doctor doctor

step "changing"
answered 0 disable disable web/web1
answered 0 enable enable web/web1
answered 0 enable enable web/web1
answered 0 neighbor neighbor web/web1 "$(server_mac 1)"
answered 0 role role active
answered 0 weight weight web/web2 7
answered 0 neighbor neighbor web/web2 "$(server_mac 2)"
answered 0 drain drain web/web1
answered 0 "drain director" drain director
answered 0 "enable director" enable director
ctl 1 -j show drain --empty
python3 "$here/members.py" "$PAGE" "show drain" <"$NET_DIR/said" || fail "show drain"
answered 0 "show config" show config
sed -i 's/server = web2.*/& weight=3/' "$NET_DIR/dsrd.conf"
answered 0 "reload --plan" reload --plan
said '"change":"changed"'
answered 0 reload reload

step "watching"
run_in client sh -c "while :; do curl -s --max-time 2 'http://$VIP/' >/dev/null; sleep 0.2; done" &
traffic=$!
answered 0 trace trace -c 5 verdict=forward
kill "$traffic"

step "stopping"
answered 0 stop stop
pid_gone "$(pid_of dsrd)" || fail "the director runs on after dsrctl stop"
ctl 3 stop

step "the page has a section of nothing else"
sections=$(sed -n 's/^\.Ss //p' "$PAGE" | tr ',' '\n' | sed 's/^ //' | grep -vx 'show drain' | sort)
assert_equal "commands" "$sections" "$(echo "$asked" | tr ';' '\n' | grep -v '^$' | sort -u)"
stop_dsrd
