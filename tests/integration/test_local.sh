#!/bin/sh
# SPDX-License-Identifier: ISC
# The director is one of its own servers: `server = self ADDRESS local`. Pages from it and from another server, over both
# IP versions, an upload with default offloads; each thing that is in the way is named and fixed; as a standby it serves
# what the other director sends.
#
# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"

net_require nginx curl tc
net_up 1
net_up6
start_nginx web1
start_nginx director
realserver=$(dirname -- "$0")/../../contrib/realserver/dsr-realserver

write_conf() { # WITHHOLD SELF-OPTION [ROLE PEER-MAC]
	{
		conf_head | sed "s/^offload.*/&\\nwithhold = $1\\nrole = ${3:-active}\\npeer-mac = ${4:-02:00:00:00:00:02}/"
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		scheduler = rr
		server = web1 $(server_ip 1)
		server = self $SERVER_PREFIX.1 $2

		[service web6]
		listen = $VIP6 tcp/80
		scheduler = rr
		server = web1 $SERVER_PREFIX6:11
		server = self $SERVER_PREFIX6:1 $2
		END
	} >"$NET_DIR/dsrd.conf"
}

refused() { # PATTERN
	start_in director dsrd "$DSRD" -d -f "$NET_DIR/dsrd.conf"
	wait_until 10 is_gone || fail "dsrd started"
	assert_log "$1"
	stop dsrd
}

is_gone() {
	! is_running dsrd
}

state_is() { # SERVER REASON
	ctl 0 show "$1" && grep -q "$2" "$NET_DIR/said"
}

doctor() { # PATTERN...
	ctl 1 doctor
	for pattern; do
		said "$pattern"
	done
}

step "without local, the director's own address is refused, with the line; so is local without withhold"
write_conf yes ""
refused "server-address server=web/self address=$SERVER_PREFIX.1 interface=eth0 file=\"$NET_DIR/dsrd.conf\" line=[0-9]* reason=.*local"
write_conf no local
refused 'is this director (.local.), whose kernel must not see .* add .withhold = yes. to .dsrd.'

step "each thing that is in the way is named, with the command that helps"
write_conf yes local
start_dsrd
if grep -q 'withhold result=failed' "$NET_DIR/dsrd.log"; then
	skip "this machine cannot: $(grep 'withhold result=failed' "$NET_DIR/dsrd.log")"
fi
ctl 0 role active
wait_server up web/web1
wait_until 5 state_is web/self "lacks the VIP $VIP: type .dsr-realserver apply --vip $VIP" || fail "the missing VIP is not named"
doctor local-no-vip "dsr-realserver apply --vip $VIP"
vip_add director "$VIP"
vip6_add director "$VIP6"
wait_until 8 state_is web/self 'answers ARP' || fail "the ARP answers are not named"
doctor local-answers-arp
run_in director sh "$realserver" apply --vip "$VIP" >"$NET_DIR/applied" || fail "dsr-realserver: $(cat "$NET_DIR/applied")"
wait_server up web/self
run_in director sysctl -q -w net.ipv4.conf.all.rp_filter=1
wait_until 8 state_is web/self 'net.ipv4.conf.all.rp_filter=2' || fail "the reverse path filter is not named"
doctor local-rp-filter 'sysctl -w net.ipv4.conf.all.rp_filter=2'
run_in director sysctl -q -w net.ipv4.conf.all.rp_filter=2
wait_servers_up web web1 self
wait_servers_up web6 web1 self
ctl 0 doctor
said ' 0 problems'

step "both serve, over both IP versions, and take uploads"
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web1" 10 "$(count_lines web1 "$NET_DIR/pages")"
assert_equal "pages from the director" 10 "$(count_lines director "$NET_DIR/pages")"
fetch_many 20 "$NET_DIR/pages6" "[$VIP6]"
assert_equal "IPv6 pages from the director" 10 "$(count_lines director "$NET_DIR/pages6")"
head -c 20000000 /dev/urandom >"$NET_DIR/upload"
for part in a b; do
	run_in client curl -s --max-time 20 -T "$NET_DIR/upload" "http://$VIP/up/$part" || fail "upload $part failed"
done
cmp "$NET_DIR/upload" "$(ls "$NET_DIR"/director/www/up/?)" || fail "the upload arrived damaged"
ctl 0 why tcp "$CLIENT_IP:40000" "$VIP:80"

run_in client ip neigh replace "$VIP" lladdr "$DIRECTOR_MAC" dev eth0 nud permanent

step "what another director sends is for this host, whatever its own role: no frame goes back and forth"
stop_dsrd
for role in active standby; do
	write_conf yes local "$role" "$CLIENT_MAC"
	start_dsrd
	wait_servers_up web web1 self
	fetch_many 6 "$NET_DIR/pages"
	assert_equal "pages from the director, in role $role" 6 "$(count_lines director "$NET_DIR/pages")"
	stop_dsrd
done
run_in director sh "$realserver" undo --vip "$VIP" >"$NET_DIR/applied" || fail "undo: $(cat "$NET_DIR/applied")"
