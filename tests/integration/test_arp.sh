#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Only the director answers ARP requests for the VIP: broadcast, unicast, and probes without a sender. It announces the
# VIP when it starts, never answers its own host, and is silent after it has stopped.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require arping tcpdump
net_up 3
vip_hex=$(printf '0x%02x%02x%02x%02x' 192 0 2 10)
capture client arp arp

{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	check = none
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"

step "no host answers before the director runs"
if run_in client arping -q -c 2 -w 2 -I eth0 "$VIP"; then
	fail "a host answers for the VIP although no director runs"
fi

step "the start is announced"
start_dsrd
# Sender and target are both the VIP (RFC 5227 section 2.3), the destination is broadcast.
wait_until 5 capture_has arp 1 "arp and ether src $DIRECTOR_MAC and ether broadcast and
    arp[14:4] = $vip_hex and arp[24:4] = $vip_hex" || fail "no announcement of the VIP was seen"

arping_macs() { # ARPING-OPTION...: the MACs that answered, each once
	run_in client arping -I eth0 -w 3 "$@" "$VIP" | sed -n 's/.*reply from.*\[\([0-9A-F:]*\)\].*/\1/p' | sort -u
}

step "one answer to broadcasts"
assert_equal "MACs that answer broadcast requests" "$DIRECTOR_MAC" "$(arping_macs -b -c 3)"

step "one answer to unicasts"
asked=$(capture_count arp "arp[6:2] = 1 and ether src $CLIENT_MAC and ether dst $DIRECTOR_MAC")
# After the first answer, arping continues with unicast.
assert_equal "MACs that answer unicast requests" "$DIRECTOR_MAC" "$(arping_macs -c 4)"
wait_until 5 capture_has arp $((asked + 3)) "arp[6:2] = 1 and ether src $CLIENT_MAC and ether dst $DIRECTOR_MAC" ||
	fail "arping sent no unicast request, so nothing was tested"

step "an answer to probes from 0.0.0.0 (duplicate address detection)"
if run_in client arping -q -D -c 2 -w 3 -I eth0 "$VIP"; then
	fail "arping -D found the VIP free"
fi

step "other addresses are not answered for"
if run_in client arping -q -c 2 -w 2 -I eth0 "$SERVER_PREFIX.77"; then
	fail "a host answers for an unused address"
fi

step "the director's own host gets no answer"
if run_in director arping -q -c 2 -w 2 -I eth0 "$VIP"; then
	fail "the director's own host got an answer for the VIP"
fi

step "a stopped director is silent"
stop_dsrd
if run_in client arping -q -c 2 -w 2 -I eth0 "$VIP"; then
	fail "a host still answers for the VIP"
fi

step "no other host claimed the VIP"
capture_end arp
assert_equal "ARP frames with the VIP as sender from another MAC" 0 \
    "$(capture_count arp "arp[14:4] = $vip_hex and not ether src $DIRECTOR_MAC")"
assert_at_least "ARP frames with the VIP as sender from the director" 8 \
    "$(capture_count arp "arp[14:4] = $vip_hex and ether src $DIRECTOR_MAC")"
