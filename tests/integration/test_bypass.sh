#!/bin/sh
# SPDX-License-Identifier: ISC
#
# queue-discipline = bypass: ordinary frames bypass the queue discipline, where tcpdump does not see them; super-frames
# pass it and are split for a card that cannot. Every byte arrives in either case.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl tcpdump ethtool tc sha256sum
DSRD_OFFLOAD=off # what the kernel carries is not sent by dsrd
net_up 1
start_nginx web1
head -c 20000000 /dev/urandom >"$NET_DIR/original"
original=$(sha256sum <"$NET_DIR/original")

write_conf() { # use|bypass
	{
		conf_head | sed "s/^offload.*/&\\nqueue-discipline = $1/"
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		vip-check = off
		server = web1 $(server_ip 1)
		END
	} >"$NET_DIR/dsrd.conf"
}

upload() {
	rm -f "$NET_DIR/web1/www/up/copy"
	run_in client curl -sS --max-time 60 -T "$NET_DIR/original" -o /dev/null -H 'Expect:' "http://$VIP/up/copy" ||
		fail "the upload broke off"
	assert_equal "SHA-256 of what arrived" "$original" "$(sha256sum <"$NET_DIR/web1/www/up/copy")"
}

# Bytes that the interface's queue discipline has had: `Sent 1234 bytes 5 pkt (...)`.
queued() {
	run_in director tc -s qdisc show dev eth0 root | sed -n 's/^ *Sent \([0-9]*\) bytes.*/\1/p'
}

# The client fetches five pages: tcpdump sees each one's SYN come to the director, and EXPECTED of them go from it.
watch_pages() { # EXPECTED
	capture director passing "ip dst $VIP and tcp[tcpflags] & tcp-syn != 0"
	for page in 1 2 3 4 5; do
		[ "$(fetch)" = web1 ] || fail "no page comes"
		wait_until 10 capture_has passing "$page" "ether dst $DIRECTOR_MAC" || fail "tcpdump sees nothing come"
	done
	wait_until 10 capture_has passing "$1" "ether src $DIRECTOR_MAC" || fail "tcpdump sees nothing go"
	capture_end passing
	assert_equal "SYNs that tcpdump saw go" "$1" "$(capture_count passing "ether src $DIRECTOR_MAC")"
}

run_in director tc qdisc replace dev eth0 root pfifo limit 10000

step "use: tcpdump sees each frame come and go"
write_conf use
start_dsrd
wait_server up web/web1
watch_pages 5
stop_dsrd

step "bypass: it sees them come, and not go"
write_conf bypass
start_dsrd
wait_server up web/web1
"$BUILD_DIR/dsrctl" -s "$NET_DIR/dsrd.sock" show config | grep -q -x 'queue-discipline = bypass' ||
	fail "dsrctl show config does not say so"
watch_pages 0

step "20 MB in super-frames, which go through it"
before=$(queued)
upload
dump_dsrd
whole=$(counter frames_whole)
assert_at_least "super-frames that went out whole" 100 "$whole"
assert_at_least "bytes that the queue discipline had" 15000000 $(($(queued) - before))

step "by a card that cannot split them, nor finish a checksum"
run_in director ethtool -K eth0 tso off tx off >/dev/null
upload
dump_dsrd
assert_at_least "super-frames that went out whole" $((whole + 100)) "$(counter frames_whole)"
assert_equal "super-frames split by dsrd" 0 "$(counter frames_split)"

step "in segments so small that a super-frame is hardly larger than an ordinary frame"
ip -n "$NET-web1" route replace "$CLIENT_IP" dev eth0 advmss 500
ip -n "$NET-client" link set eth0 gso_max_size 2000 # less 320 of headers (MAX_TCP_HEADER): three segments
small=$(counter frames_whole)
capture director small "ip dst $VIP and greater 1515 and less 2048"
upload
capture_end small
assert_at_least "super-frames of less than 2 KiB" 100 "$(capture_count small)"
dump_dsrd
assert_at_least "super-frames that went out whole" $((small + 100)) "$(counter frames_whole)"
assert_equal "frames dropped as too big" 0 "$(drop_count too-big)"
assert_equal "frames that could not be sent" 0 \
    "$(sed -n 's/.* interface interface=eth0 .* not-sent=\([0-9]*\) .*/\1/p' "$NET_DIR/dump")"
stop_dsrd
