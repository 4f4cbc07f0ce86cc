#!/bin/sh
# SPDX-License-Identifier: ISC
#
# SCTP: associations are distributed, and each stays with its server until it ends. Few kernels have SCTP without
# loading a module, so the chunks are generated here, IPv4 and IPv6, and captures on the servers show where they arrive.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require tcpdump
INJECT=$BUILD_DIR/tests/integration/inject
[ -x "$INJECT" ] || fail "there is no $INJECT: type make"
net_up 2
net_up6
{
	conf_head
	cat <<-END

	[service sip]
	listen = $VIP sctp/5060
	listen = $VIP6 sctp/5060
	scheduler = rr
	check = none
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
for server in web1 web2; do
	wait_log 10 "neighbor-found server=sip/$server"
	capture "$server" "at-$server" 'ip proto 132 or ip6 proto 132'
done

INIT=01 DATA=00 COOKIE_ECHO=0a ABORT=06 SHUTDOWN=07
# One chunk of 16 bytes: common header (RFC 9260 section 3.1), chunk, from a port in hexadecimal digits.
sctp() { # PORT CHUNK
	echo "$1 13c4 00000001 00c0ffee $2 00 0010 000000000000000000000000"
}
# From 192.0.2.100 to 192.0.2.10, and from 2001:db8::100 to 2001:db8::10.
send() { # PORT CHUNK
	echo "020000000001 020000000099 0800 4500 0030 0001 0000 4084 0000 c0000264 c000020a $(sctp "$1" "$2")"
	echo "020000000001 020000000099 86dd 60000000 001c 84 40 20010db8000000000000000000000100" \
	    "20010db8000000000000000000000010 $(sctp "$1" "$2")"
}

step "four associations each, in turn"
for port in 1001 1002 1003 1004; do
	for chunk in $INIT $COOKIE_ECHO $DATA $DATA; do
		send "$port" "$chunk"
	done
done | run_in switch "$INJECT" director-eth0
# Each of the two families' associations takes a turn, so each family has its server: four associations at each.
for server in web1 web2; do
	wait_until 5 capture_has "at-$server" 16 sctp ||
		fail "$server got $(capture_count "at-$server" sctp) chunks, not 16"
done
dump_dsrd
assert_equal "associations of web1" 4 "$(server_value sip/web1 connections)"
assert_equal "associations of web2" 4 "$(server_value sip/web2 connections)"
assert_equal "open ones of web1" 4 "$(server_value sip/web1 active)"

step "the end of an association"
{
	send 1001 $SHUTDOWN
	send 1002 $ABORT
} | run_in switch "$INJECT" director-eth0
for server in web1 web2; do
	wait_until 5 capture_has "at-$server" 18 sctp ||
		fail "$server got $(capture_count "at-$server" sctp) chunks, not 18"
done
dump_dsrd
assert_equal "open associations of web1" 2 "$(server_value sip/web1 active)"
assert_equal "open associations of web2" 2 "$(server_value sip/web2 active)"

step "each port's chunks came to one server only"
for family in ip ip6; do
	for port in 4097 4098 4099 4100; do
		at_web1=$(capture_count at-web1 "$family and sctp src port $port")
		at_web2=$(capture_count at-web2 "$family and sctp src port $port")
		[ "$at_web1" -eq 0 ] || [ "$at_web2" -eq 0 ] ||
			fail "port $port, $family: $at_web1 chunks at web1 and $at_web2 at web2"
	done
done

step "another port has no service"
echo "020000000001 020000000099 0800 4500 0030 0001 0000 4084 0000 c0000264 c000020a" \
    "1001 13c5 00000001 00c0ffee 01 00 0010 000000000000000000000000" | run_in switch "$INJECT" director-eth0
refused() {
	dump_dsrd
	[ "$(drop_count no-service)" -eq 1 ]
}
wait_until 5 refused || fail "a chunk to another port was not counted as no-service"
stop_dsrd
