#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Forged SYNs, ACKs and datagrams, more of them than the director can handle, while curl fetches pages: no request
# fails,
# earlier downloads continue, unproven flows keep to their two shares of the flow table and count for nothing, and the
# director's memory does not grow.
#
# Alone: the floods take all processors, and requests may fail when they share them.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl
FLOOD=$BUILD_DIR/tests/integration/flood
[ -x "$FLOOD" ] || fail "there is no $FLOOD: type make"
CONNECTIONS=16384 # an eighth, 2048, for SYNs, and one for all else
SHARE=$((CONNECTIONS / 8))
HELD="one two three"
# The VIP check's answers come by the capture, whose ring overflows in a flood: what is lost there takes no server down.
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head | sed "s/^log = stderr/&\\nconnections = $CONNECTIONS/"
	cat <<-END

	[service web]
	listen = $VIP tcp/80 udp/80
	check = tcp port=80
	scheduler = lc
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

json() { # a number of `dsrctl show`
	ctl 0 -j show
	sed -n "s/^.*\"$1\": *\\([0-9]*\\).*/\\1/p" "$NET_DIR/said" | head -n 1
}
active() { # SERVER
	ctl 0 -j show "$1"
	python3 -c 'import json, sys; print(json.load(sys.stdin)["servers"][0]["active"])' <"$NET_DIR/said"
}
memory() { # in KiB
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(pid_of dsrd)/status"
}
ticks() { # processor time of the director, in hundredths of a second
	awk '{ print $14 + $15 }' "/proc/$(pid_of dsrd)/stat"
}
# What came to the director, and what of it found no place in the capture's ring.
received() {
	sed -n 's/.*interface=eth0 .*received=\([0-9]*\) .*/\1/p' "$NET_DIR/dump" | tail -n 1
}
lost() {
	sed -n 's/.*interface=eth0 .*capture-dropped=\([0-9]*\) .*/\1/p' "$NET_DIR/dump" | tail -n 1
}

step "connections on web1 alone"
ctl 0 disable web/web2
for name in $HELD; do
	hold_download "$name"
done
ctl 0 enable web/web2
assert_equal "active connections of web1" 3 "$(active web/web1)"

step "600 000 packets, as fast as they can be sent, fill the shares of unproven flows"
dump_dsrd
before=$(counter frames) ticks=$(ticks)
run_in client "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 600000 1000000 sau >"$NET_DIR/flood.log"
dump_dsrd
handled=$(($(counter frames) - before))
seconds=$(sed -n 's/.* in \(.*\) s$/\1/p' "$NET_DIR/flood.log")
capacity=$(awk "BEGIN { printf \"%d\", $handled / $seconds }")
step "$(cat "$NET_DIR/flood.log"): the director handled $capacity per second, $((handled * 100 / ($(ticks) - ticks))) per second of processor time"
assert_at_least "unproven flows" $((2 * SHARE - 100)) "$(json flows_unproven)"
assert_at_most "unproven flows" $((2 * SHARE)) "$(json flows_unproven)"
assert_equal "active connections of web1" 3 "$(active web/web1)"
assert_equal "active connections of web2" 0 "$(active web/web2)"
hashed=$(counter by_hash)
assert_at_least "frames sent by hash" 10000 "$hashed"
memory=$(memory)

# What came since remember(), also in per cent of what was handled.
remember() {
	dump_dsrd
	first=$(received) first_lost=$(lost) first_handled=$(counter frames)
}
load() {
	dump_dsrd
	came=$(($(received) - first + $(lost) - first_lost)) handled=$(($(counter frames) - first_handled))
	load=$((came * 100 / handled))
}

step "a flood of more than the director handles, up to three times as much: faster, or with less of a processor for the director"
rate=$((5 * capacity / 2)) percent=100
for attempt in 1 2 3 4 5 6 7 8; do
	start_in client flood "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 30000000 "$rate" sau
	[ "$percent" = 100 ] || start_in director brake python3 "$(dirname -- "$0")/brake.py" "$(pid_of dsrd)" "$percent"
	sleep 1
	remember
	sleep 2
	load
	echo "# attempt $attempt: $rate a second, $percent% of a processor for the director: $load% of what it handles"
	if [ "$load" -ge 110 ] && [ "$load" -le 300 ]; then
		break
	fi
	stop flood
	[ "$percent" = 100 ] || stop brake
	# The sender has limits, too: then the director gets slower instead.
	if [ "$load" -lt 110 ] && [ "$came" -lt $((rate * 2 * 8 / 10)) ]; then
		percent=$((percent / 2))
	else
		rate=$((handled * 9 / 10))
	fi
done
is_running flood || fail "no flood is large enough here, or all are too large"

step "the flood goes on for 12 seconds, while curl asks"
remember
asked=0
end=$(($(date +%s) + 12))
while [ "$(date +%s)" -lt "$end" ]; do
	# Each page is a new connection. TCP sends again what the ring of the capture loses, after up to 15 seconds.
	run_in client timeout 90 curl -sS --max-time 60 -H 'Connection: close' --fail-early "http://$VIP/?[1-5]" >>"$NET_DIR/pages" \
	    ||
		fail "a request failed in the flood, after $asked pages"
	asked=$((asked + 5))
done
# Of the pages' connections, those count whose FIN the ring lost; it is sent again.
assert_at_least "active connections of web1 and web2" 3 $(($(active web/web1) + $(active web/web2)))
assert_at_most "active connections of web1 and web2" 6 $(($(active web/web1) + $(active web/web2)))
assert_at_most "unproven flows" $((2 * SHARE)) "$(json flows_unproven)"
is_running flood || fail "the flood ended before the requests"
for name in $HELD; do
	is_running "$name" || fail "a download that began before the flood broke off"
done
assert_at_least "pages asked for meanwhile" 5 "$asked"
assert_equal "pages from web1 and web2 together" "$asked" "$(grep -c -x 'web[12]' "$NET_DIR/pages")"
assert_no_log 'server-state .*from=up to=down'
load
# It was more at first; a virtual machine may become faster meanwhile.
assert_at_least "packets that the director could not take" 1 $((came - handled))
stop flood
[ "$percent" = 100 ] || stop brake
# One may be left whose end the director never saw: it counts until its timeout.
counts_few() {
	held=$(active web/web1) pages=$(active web/web2)
	[ "$held" -ge 3 ] && [ $((held + pages)) -le 4 ]
}
wait_until 40 counts_few || fail "active connections: $held of web1, $pages of web2, not 3 and 0"
step "$came packets came, $handled were handled: the flood was $((came * 100 / handled))% of what the director could take"
step "$asked pages; $(counter by_hash) frames by hash, $(counter unproven_evicted) unproven flows evicted, $(memory) KiB (before: $memory)"
assert_equal "frames without a server" 0 "$(drop_count no-server)"
assert_at_least "frames sent by hash" $((hashed + handled / 3)) "$(counter by_hash)"
assert_at_least "evicted flows" 1 "$(counter unproven_evicted)"
# Once the ring is empty.
counts_alike() {
	dump_dsrd
	[ "$(counter unproven_evicted)" = "$(json flows_evicted)" ]
}
wait_until 10 counts_alike || fail "evicted flows: $(counter unproven_evicted), as dsrctl shows them: $(json flows_evicted)"
assert_at_most "KiB of memory grown in the flood" 1024 $(($(memory) - memory))

step "the flood is over: new connections go where there are fewer"
# With offload the kernel has part of the flood, and says when it has ended.
flood_has_ended() {
	[ "$(log_count ' flood state=begun ')" -eq "$(log_count ' flood state=ended ')" ]
}
wait_until 30 flood_has_ended || fail "the flood does not end"
# New connections are scheduled again from the fourth second on.
sleep 5
for number in 1 2 3; do
	hold_download "again-$number"
	assert_equal "active connections of web2" $((pages + number)) "$(active web/web2)"
	[ $((pages + number)) -lt "$held" ] || break
done
assert_equal "active connections of web1" "$held" "$(active web/web1)"
stop_dsrd
