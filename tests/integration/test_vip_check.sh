#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The VIP check: a server whose own address passes every health check and which does not accept the VIP is down with the
# reason. Every cause that Linux can reproduce is created, reported and fixed, and the server comes back.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
DSRD_STATE=off
net_require nginx curl tcpdump nft
net_up 2
PROBE=$SERVER_PREFIX.250
for server in web1 web2; do
	start_nginx "$server"
done

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

# web1 is down for that reason, web2 serves; and back when it is fixed.
expect_down() { # REASON
	# The second, when it was down for another reason before: a program that is restarted refuses for a moment.
	wait_log 15 "\(server-state server=web/web1 .*to=down\|vip-check server=web/web1 verdict=.*\) reason=\"[^\"]*$1"
	wait_server down web/web1
	fetch_many 6 "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "0 6 0" "$(shares_of "$NET_DIR/pages")"
}

forget_log() {
	: >"$NET_DIR/dsrd.log"
}

expect_up() {
	wait_server up web/web1
	wait_until 5 run_in client sh -c "curl -s --max-time 2 'http://$VIP/?[1-2]' | grep -q web1" ||
		fail "web1 is up, and serves nothing"
	# The log lines below are new ones.
	forget_log
}

filter() { # RULE
	run_in web1 nft add table inet guard
	run_in web1 nft add chain inet guard in '{ type filter hook input priority 0; }'
	run_in web1 nft add chain inet guard out '{ type filter hook output priority 0; }'
	run_in web1 nft add rule inet guard "$@"
}

unfilter() {
	run_in web1 nft delete table inet guard
}

all_causes() {
	step "$1: a correct setup"
	start_dsrd
	wait_servers_up web web1 web2
	sleep 1
	assert_no_log 'vip-conflict\|to=down\|vip-check '
	forget_log

	step "$1: the VIP is missing"
	vip_remove web1 "$VIP"
	expect_down 'the VIP is not accepted: no answer, although'
	assert_log 'server-state server=web/web1 .*to=down .*fix="dsrctl doctor web/web1"'
	vip_add web1 "$VIP"
	expect_up

	step "$1: the VIP is missing, and the server forwards"
	run_in web1 sysctl -q -w net.ipv4.ip_forward=1
	vip_remove web1 "$VIP"
	expect_down 'the VIP is not accepted: the server lacks it, and forwards its packets'
	wait_log 5 'vip-conflict kind=sends-back vip='"$VIP"' mac='"$(server_mac 1)"' server=web/web1'
	vip_add web1 "$VIP"
	run_in web1 sysctl -q -w net.ipv4.ip_forward=0
	expect_up

	step "$1: the same, and its firewall refuses to forward"
	# Redirects use up what the host may send of ICMP: without them, and after a pause (net.ipv4.icmp_ratelimit).
	run_in web1 sysctl -q -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
	sleep 3
	run_in web1 sysctl -q -w net.ipv4.ip_forward=1
	run_in web1 nft add table inet guard
	run_in web1 nft add chain inet guard through '{ type filter hook forward priority 0; }'
	run_in web1 nft add rule inet guard through reject with icmpx type admin-prohibited
	vip_remove web1 "$VIP"
	expect_down 'the VIP is not accepted: the server lacks it, and its firewall refuses to forward'
	vip_add web1 "$VIP"
	unfilter
	run_in web1 sysctl -q -w net.ipv4.ip_forward=0
	expect_up

	step "$1: a strong host: what is for an address of another interface is dropped"
	filter in iifname eth0 ip daddr "$VIP" drop
	expect_down 'the VIP is not accepted: no answer, although'
	unfilter
	expect_up

	step "$1: the firewall drops the port on the VIP"
	filter in ip daddr "$VIP" tcp dport 80 drop
	expect_down "the VIP is accepted, but the server's firewall drops its port"
	unfilter
	expect_up

	step "$1: the firewall rejects it, by ICMP and by reset"
	filter in ip daddr "$VIP" tcp dport 80 reject with icmp type admin-prohibited
	expect_down "the VIP is accepted, but the server's firewall rejects its port"
	unfilter
	expect_up
	filter in ip daddr "$VIP" tcp dport 80 reject with tcp reset
	expect_down 'the VIP is accepted, but nothing listens on it'
	unfilter
	expect_up

	step "$1: the program is bound to the server's own address"
	stop_nginx web1
	sed -i.all "s/listen 80;/listen $(server_ip 1):80;/" "$NET_DIR/web1/nginx.conf"
	start_in web1 web1-nginx nginx -p "$NET_DIR/web1/" -c nginx.conf -e stderr
	expect_down "the VIP is accepted, but nothing listens on it: the program is bound to the server's own address only"
	stop_nginx web1
	mv "$NET_DIR/web1/nginx.conf.all" "$NET_DIR/web1/nginx.conf"
	start_nginx web1
	expect_up
}

write_conf
all_causes "from the director's own address"
stop_dsrd
assert_log ' vip-check server=web/web1 vip='"$VIP"' protocol=tcp port=80 state=up verdict=accepted'

step "a probe address: dsrd sends a probe for it first, then answers for it, and no other host does"
write_conf "probe-address = $PROBE"
capture web1 asked "arp or host $PROBE"
start_dsrd
wait_log 10 "probe-address result=ok address=$PROBE interface=eth0"
wait_servers_up web web1 web2
capture_end asked
probe_hex=$(printf '0x%02x%02x%02x%02x' 192 0 2 250)
assert_equal "ARP probes before its first use" 3 \
    "$(capture_count asked "arp[6:2] = 1 and arp[14:4] = 0 and arp[24:4] = $probe_hex and ether src $DIRECTOR_MAC")"
assert_at_least "SYNs from it" 1 "$(capture_count asked "src $PROBE and dst $VIP and tcp[13] = 2")"
assert_at_least "resets of the half-open connections" 1 \
    "$(capture_count asked "src $PROBE and dst $VIP and tcp[13] = 4")"
assert_equal "answers of the server that were sent again, because no reset came" 0 \
    "$(($(capture_count asked "src $VIP and tcp[13] = 18") - $(capture_count asked "src $PROBE and tcp[13] = 2")))"
stop_dsrd
all_causes "from the probe address"

step "the answer is made, and dies on the way out"
# Like a switch that knows which port has which address. (The server's own firewall would drop before ARP, which looks
# as
# if the VIP were ignored.)
run_in switch nft add table bridge guard
run_in switch nft add chain bridge guard through '{ type filter hook forward priority 0; }'
run_in switch nft add rule bridge guard through iifname web1-eth0 ip saddr "$VIP" drop
# A cached address is not resolved: the server must forget the probe address just before the VIP check.
forgets_and_asks() {
	run_in web1 ip neigh flush dev eth0
	sleep 0.7
	grep -q 'verdict=lost\|reason="[^"]*the server answers for the VIP, but' "$NET_DIR/dsrd.log"
}
# The verdicts of a server that is down, and of one that goes down, are logged in two ways.
wait_until 20 forgets_and_asks || fail "the server's request for the probe address was not noticed"
wait_server down web/web1
run_in switch nft delete table bridge guard
expect_up

step "the health checks detect a server that dies"
ip -n "$NET-web1" link set eth0 down
wait_server down web/web1
assert_log 'server=web/web1 from=up to=down reason="tcp/80: \(timeout\|host or network unreachable\)"'
assert_no_log 'reason="the VIP is'
ip -n "$NET-web1" link set eth0 up
expect_up
stop_dsrd

step "a probe address that another host has"
ip -n "$NET-client" address add "$PROBE/24" dev eth0
start_dsrd
wait_log 10 "probe-address result=taken address=$PROBE interface=eth0 mac=$CLIENT_MAC"
wait_servers_up web web1 web2
stop_dsrd
ip -n "$NET-client" address delete "$PROBE/24" dev eth0
step "or that the director's own host has"
ip -n "$NET-director" address add "$PROBE/32" dev lo
start_in director dsrd "$DSRD" -d -f "$NET_DIR/dsrd.conf"
wait_until 5 pid_gone "$(pid_of dsrd)" || fail "it serves although the host has the probe address"
assert_log "probe-address result=held address=$PROBE interface=lo"
ip -n "$NET-director" address delete "$PROBE/32" dev lo

step "vip-check = warn: logged, and the server is used"
write_conf
echo 'vip-check = warn' >>"$NET_DIR/dsrd.conf"
vip_remove web1 "$VIP"
start_dsrd
wait_servers_up web web1 web2
wait_log 10 'vip-check server=web/web1 verdict=ignored reason="the VIP is not accepted: no answer, although'
sleep 2
assert_equal "times that it was logged" 1 "$(log_count 'vip-check server=web/web1')"
assert_equal "web1's state" up "$(server_state web/web1)"

step "vip-check = off: no VIP check"
sed -i 's/vip-check = warn/vip-check = off/' "$NET_DIR/dsrd.conf"
reload_dsrd ok
capture web1 silence "ip dst $VIP"
sleep 2
capture_end silence
assert_equal "frames for the VIP" 0 "$(capture_count silence)"

step "check = none and vip-check = require: the VIP is proved all the same"
sed -i -e 's/vip-check = off/vip-check = require/' -e 's/^check = tcp/check = none/' "$NET_DIR/dsrd.conf"
stop_dsrd
start_dsrd
wait_server down web/web1
wait_server up web/web2
assert_log 'server-state server=web/web2 from=unknown to=up reason="the VIP is accepted"'
vip_add web1 "$VIP"
wait_server up web/web1
stop_dsrd
