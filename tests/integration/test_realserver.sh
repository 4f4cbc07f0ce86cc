#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsr-realserver on Linux: a host that it configures accepts packets for the VIPs, answers from them, and does not
# answer ARP for them; check reports every wrong setting; undo restores the host exactly. Both methods, IPv4 and IPv6.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require arping tcpdump curl nft sysctl
SCRIPT=$(CDPATH='' cd -- "$(dirname -- "$0")/../../contrib/realserver" && pwd)/dsr-realserver
export DSR_REALSERVER_STATE="$NET_DIR/var/state"
VIP6=2001:db8::10
TEST_SHELL=${TEST_SHELL:-sh}	# "busybox sh" and the like

# The script, by the shell that the tests are to use, on the real server.
realserver() { # WORD...
	# shellcheck disable=SC2086 # words
	run_in web1 $TEST_SHELL "$SCRIPT" "$@"
}

expect() { # STATUS WORD...: what the script says is in $NET_DIR/said
	expect_status=$1
	shift
	expect_got=0
	realserver "$@" >"$NET_DIR/said" 2>&1 || expect_got=$?
	[ "$expect_got" = "$expect_status" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsr-realserver $*: expected status $expect_status, got $expect_got"
	}
}

expect_line() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || {
		cat "$NET_DIR/said" >&2
		fail "no line matches '$1' in the above"
	}
}

# All that the script may touch in the kernel.
snapshot() { # FILE
	{
		run_in web1 ip -d addr show
		run_in web1 ip route show table all
		run_in web1 sh -c 'cd /proc/sys/net && grep -r . ipv4/conf ipv6/conf' 2>/dev/null | sort
		run_in web1 nft list ruleset
	} >"$1"
}

assert_same() { # BEFORE AFTER
	diff -u "$1" "$2" >&2 || fail "undo did not restore what was: see the difference above"
}

# No host may learn the VIP from the server: not by a broadcast request, not without a sender, not by the server's own
# requests.
assert_silent() {
	if run_in client arping -q -c 1 -w 1 -I eth0 "$VIP"; then
		fail "the server answers ARP for the VIP"
	fi
	run_in client arping -q -D -c 1 -w 1 -I eth0 "$VIP" || fail "the server answers an ARP probe for the VIP"
}

# As a director delivers it: the server's MAC, the VIP as destination.
assert_accepts() {
	run_in client ip neigh replace "$VIP" lladdr "$(server_mac 1)" dev eth0
	run_in client ip -6 neigh replace "$VIP6" lladdr "$(server_mac 1)" dev eth0
	run_in web1 ip neigh flush dev eth0
	capture client announce "arp and ether src $(server_mac 1)"
	assert_equal "answer from $VIP" web1 "$(run_in client curl -s --max-time 3 "http://$VIP/")"
	wait_until 5 capture_has announce 1 'arp[6:2] = 1' ||
		fail "the server resolved no address, so nothing was tested"
	capture_end announce
	assert_equal "ARP requests of the server with the VIP as sender" 0 \
	    "$(capture_count announce "arp and host $VIP")"
	assert_equal "answer from $VIP6" web1 "$(run_in client curl -s --max-time 3 "http://[$VIP6]/")"
	run_in client ip neigh del "$VIP" dev eth0
	run_in client ip -6 neigh del "$VIP6" dev eth0
}

assert_silent6() {
	run_in client ip -6 neigh flush dev eth0
	if run_in client ping -q -c 1 -W 1 "$VIP6" >/dev/null; then
		fail "the server answers neighbor solicitations for $VIP6"
	fi
	wait_until 5 capture_has solicit 1 "icmp6 and ip6[40] = 135" ||
		fail "no solicitation was sent, so nothing was tested"
	assert_equal "advertisements of $VIP6" 0 "$(capture_count solicit "icmp6 and ip6[40] = 136")"
}

net_up 0
net_host_add web1
for host in client web1; do
	run_in "$host" sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
done
net_attach web1 eth0 lan "$(server_mac 1)" "$(server_ip 1)/24"
run_in client ip -6 addr add 2001:db8::100/64 dev eth0 nodad
run_in web1 ip -6 addr add 2001:db8::11/64 dev eth0 nodad
# A setting that must come back as it was, and other rules that must stay.
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=1
run_in web1 nft add table arp others
mkdir -p "$NET_DIR/web1"
cat >"$NET_DIR/web1/nginx6.conf" <<END
user root;
daemon off;
pid nginx.pid;
error_log error.log;
events { }
http {
	access_log off;
	server {
		listen 80;
		listen [::]:80;
		location / { return 200 "web1\n"; }
	}
}
END
start_in web1 web1-nginx nginx -p "$NET_DIR/web1/" -c nginx6.conf -e stderr
wait_until 10 run_in web1 curl -s -o /dev/null http://127.0.0.1/ || fail "nginx on web1 does not answer"
wait_until 10 run_in client ping -q -c 1 -W 1 2001:db8::11 || fail "the server cannot be reached by IPv6"
sleep 2	# the kernel's own addresses settle, so that the snapshots compare
snapshot "$NET_DIR/before"

step "check reports a host without configuration"
expect 1 check --vip $VIP $VIP6
expect_line "^wrong  $VIP is on no interface.*type: ip addr add $VIP/32 dev lo scope host"
expect_line "^wrong  $VIP6 is on no interface.*type: ip -6 addr add $VIP6/128 dev lo"
expect_line '^wrong  arp_ignore is 0 on eth0.*type: sysctl -w net.ipv4.conf.all.arp_ignore=1'
expect_line '^wrong  arp_announce is 1 on eth0.*type: sysctl -w net.ipv4.conf.all.arp_announce=2'
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"

step "what check says to type does the work, typed from top to bottom: silence first"
sed -n 's/^wrong .*; type: //p' "$NET_DIR/said" >"$NET_DIR/typed"
assert_equal "what to type, in order" "arp_ignore=1 arp_announce=2 $VIP/32 $VIP6/128" \
    "$(grep -o 'arp_.*=[0-9]\|[0-9a-f.:]*/[0-9]*' "$NET_DIR/typed" | tr '\n' ' ' | sed 's/ $//')"
run_in web1 sh -e "$NET_DIR/typed" >/dev/null
expect 0 check --vip $VIP $VIP6
assert_silent
ip -n "$NET-web1" address delete "$VIP/32" dev lo
ip -n "$NET-web1" address delete "$VIP6/128" dev lo
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=1
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"

step "a dry run changes nothing, and what it prints does the work"
expect 64 apply --vip $VIP,$VIP6 --dry-run
expect 0 apply --vip $VIP $VIP6 --dry-run
cp "$NET_DIR/said" "$NET_DIR/dry"
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"
[ ! -e "$DSR_REALSERVER_STATE" ] || fail "a dry run wrote the state file"

for method in sysctl nft; do
	step "$method: apply"
	capture client early arp
	expect 0 apply --vip $VIP --vip $VIP6 --method $method
	[ "$method" != sysctl ] || {
		grep -v '^done;' "$NET_DIR/said" | diff -u "$NET_DIR/dry" - >&2 ||
			fail "the dry run printed something else"
	}
	expect 0 check
	cp "$NET_DIR/said" "$NET_DIR/check-$method"
	expect_line "^ok     $VIP is on lo as /32"
	expect_line "^ok     $VIP6 is on lo as /128"
	assert_silent
	capture_end early
	assert_equal "$method: ARP frames that claim the VIP" 0 \
	    "$(capture_count early "arp and ether src $(server_mac 1) and host $VIP")"
	assert_accepts
	capture client solicit "icmp6 and ether host $(server_mac 1) or icmp6 and ip6[40] = 135"
	assert_silent6
	capture_end solicit

	step "$method: its own address is answered for as ever"
	run_in client arping -q -c 1 -w 2 -I eth0 "$(server_ip 1)" ||
		fail "the server no longer answers for its own address"

	step "$method: a second apply has nothing to do"
	cp "$DSR_REALSERVER_STATE" "$NET_DIR/state"
	expect 0 apply --vip $VIP6 $VIP --method $method
	expect_line '^nothing to do'
	diff "$NET_DIR/state" "$DSR_REALSERVER_STATE" >/dev/null ||
		[ "$(sort "$NET_DIR/state")" = "$(sort "$DSR_REALSERVER_STATE")" ] ||
			fail "the second apply changed the state file"

	step "$method: each item broken in turn"
	run_in web1 ip addr del $VIP/32 dev lo
	expect 1 check
	expect_line "^wrong  $VIP is on no interface"
	run_in web1 ip addr add $VIP/24 dev lo
	expect 1 check
	expect_line "^wrong  $VIP is on lo with a short mask.*type: ip addr del $VIP/24 dev lo && ip addr add $VIP/32"
	expect 1 apply --vip $VIP --method $method
	expect_line "short mask.*First type: ip addr del $VIP/24 dev lo"
	run_in web1 ip addr del $VIP/24 dev lo
	run_in web1 ip addr add $VIP/32 dev eth0
	expect 1 check
	expect_line "^wrong  $VIP is on eth0.*type: ip addr del $VIP/32 dev eth0 && ip addr add $VIP/32 dev lo"
	expect 1 apply --vip $VIP --method $method
	expect_line "$VIP is on eth0"
	run_in web1 ip addr del $VIP/32 dev eth0
	expect 0 apply --vip $VIP --method $method
	run_in web1 ip -6 addr add $VIP6/128 dev eth0 nodad
	expect 1 check
	expect_line "^wrong  $VIP6 is on eth0"
	run_in web1 ip -6 addr del $VIP6/128 dev eth0
	case $TEST_SHELL in
	busybox*) ;;	# its ip cannot list proxy neighbors
	*)
		run_in web1 ip -6 neigh add proxy $VIP6 dev eth0
		expect 1 check
		expect_line "^wrong  $VIP6 is published.*type: ip -6 neigh del proxy $VIP6 dev eth0"
		run_in web1 ip -6 neigh del proxy $VIP6 dev eth0
		;;
	esac
	case $method in
	sysctl)
		run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
		run_in web1 sysctl -q -w net.ipv4.conf.lo.arp_ignore=1
		expect 1 check
		expect_line '^wrong  arp_ignore is 0 on eth0.*type: sysctl -w net.ipv4.conf.all.arp_ignore=1$'
		expect_line '^note   net.ipv4.conf.lo.arp_ignore does nothing'
		run_in web1 sysctl -q -w net.ipv4.conf.lo.arp_ignore=0
		# A value of the interface that the kernel does not know beats the good one of all.
		run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth0.arp_ignore=4
		run_in client arping -q -c 1 -w 2 -I eth0 $VIP ||
			fail "arp_ignore=4 does not answer: the test is out of date"
		expect 1 check
		expect_line '^wrong  arp_ignore is 4 on eth0.*type: sysctl -w net.ipv4.conf.eth0.arp_ignore=1$'
		expect 0 apply --vip $VIP
		expect 0 check
		run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=0
		expect 1 check
		expect_line '^wrong  arp_announce is 0 on eth0'
		expect 0 apply --vip $VIP
		run_in web1 sysctl -q -w net.ipv4.conf.eth0.arp_ignore=0
		;;
	nft)
		run_in web1 nft delete table arp dsr_realserver
		expect 1 check
		expect_line "^wrong  nft table arp dsr_realserver does not keep $VIP out of ARP.*type: dsr-realserver apply"
		expect 0 apply --vip $VIP --method nft
		run_in web1 nft flush chain arp dsr_realserver output
		expect 1 check
		expect_line '^wrong  nft table'
		expect 0 apply --vip $VIP --method nft
		assert_equal "arp_ignore with --method nft" 0 "$(run_in web1 sysctl -n net.ipv4.conf.all.arp_ignore)"
		;;
	esac
	expect 0 check
	diff -u "$NET_DIR/check-$method" "$NET_DIR/said" >&2 || fail "check says something else after all was fixed"

	step "$method: a further VIP comes and goes"
	expect 0 apply --vip 192.0.2.20 --method $method
	expect 0 check
	expect_line '^ok     192.0.2.20 is on lo'
	expect_line "^ok     $VIP is on lo"
	if run_in client arping -q -c 1 -w 1 -I eth0 192.0.2.20; then
		fail "the server answers for the further VIP"
	fi
	expect 1 undo --vip 192.0.2.21
	expect_line '192.0.2.21 was not set up by dsr-realserver'
	expect 0 undo --vip 192.0.2.20
	expect 0 check
	diff -u "$NET_DIR/check-$method" "$NET_DIR/said" >&2 ||
		fail "check says something else after the further VIP went"
	assert_silent

	step "$method: undo"
	expect 0 undo --dry-run
	expect 0 check
	expect 0 undo
	snapshot "$NET_DIR/after"
	assert_same "$NET_DIR/before" "$NET_DIR/after"
	[ ! -e "$DSR_REALSERVER_STATE" ] || fail "undo left the state file"
	expect 0 undo
	expect_line '^nothing to undo'
done

step "what the dry run printed does the work in a shell"
run_in web1 sh -e "$NET_DIR/dry" >/dev/null
expect 0 check --vip $VIP $VIP6
run_in web1 ip addr del $VIP/32 dev lo
run_in web1 ip -6 addr del $VIP6/128 dev lo
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=1

step "one interface only"
expect 0 apply --vip $VIP --interface eth0
assert_equal "arp_ignore of all" 0 "$(run_in web1 sysctl -n net.ipv4.conf.all.arp_ignore)"
assert_silent
expect 0 check
expect 0 undo
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"

step "undo keeps settings that were changed since"
expect 0 apply --vip $VIP
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=8
expect 0 undo
expect_line 'arp_ignore is 8: it was changed after apply (0 before apply, 1 after it), so it stays'
assert_equal "arp_ignore" 8 "$(run_in web1 sysctl -n net.ipv4.conf.all.arp_ignore)"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"

step "a VIP that was there before stays"
run_in web1 ip addr add $VIP/32 dev lo
expect 0 apply --vip $VIP
expect 0 undo
run_in web1 ip addr show dev lo | grep -q "inet $VIP/32" || fail "undo removed an address that apply did not add"
run_in web1 ip addr del $VIP/32 dev lo
snapshot "$NET_DIR/after"
assert_same "$NET_DIR/before" "$NET_DIR/after"

step "an interface that is not there"
expect 69 apply --vip $VIP --interface eth7
