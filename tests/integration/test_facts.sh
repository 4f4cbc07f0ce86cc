#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Facts about Linux that doc/real-servers.md and the diagnosis rely on, tested with this kernel. The tests of each fact:
#
#   arp_ignore on lo, on the card, on all               test_realserver
#   a probe from 0.0.0.0 is answered despite rp_filter  here
#   arp_announce 0, 1, 2 towards an address not known   test_realserver, test_vip_check
#   no announcement towards an address that is known    here
#   VIP missing, with and without forwarding            test_vip_check, test_loop
#   a short mask on lo answers for its whole prefix     test_realserver, test_doctor
#   IPv6 on lo is not solicited for, on the card it is  here
#   a local route (AnyIP) is answered for               here
#   answers to a probe address: the kernel is silent    here
#   answers to the director's own address: no reset     test_vip_check counts on it; here
#   a drop behind the tap leaves dsrd its frames        here
#   a firewall's reject comes from the VIP              test_vip_check
#   a server that redirects instead of holding the VIP  here

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl arping ping tcpdump nft sysctl
net_up 2
start_nginx web1
start_nginx web2
OFF_LINK=203.0.113.9
PROBE=$SERVER_PREFIX.250

answers() { # ADDRESS [ARPING-OPTION...]: does a host answer an ordinary request?
	answers_address=$1
	shift
	run_in client arping -q -c 1 -w 2 -I eth0 "$@" "$answers_address"
}

answers_probe() { # ADDRESS: arping -D fails when the address is in use
	! run_in client arping -q -D -c 1 -w 2 -I eth0 "$1"
}

step "rp_filter silences a question from off the link, but no probe from 0.0.0.0"
ip -n "$NET-client" address add "$OFF_LINK/32" dev lo
run_in web1 sysctl -q -w net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.eth0.rp_filter=1
if answers "$(server_ip 1)" -s "$OFF_LINK"; then
	fail "a question from an address without a route is answered in spite of rp_filter=1"
fi
answers_probe "$(server_ip 1)" || fail "a probe from 0.0.0.0 is not answered with rp_filter=1"
run_in web1 sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0

step "a server announces the VIP only to hosts that it does not know"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=0 net.ipv4.conf.eth0.arp_announce=0
run_in web1 ping -q -c 1 -W 2 "$CLIENT_IP" >/dev/null
capture client known "arp and arp[14:4] = 0xc000020a"
run_in web1 ping -q -c 1 -W 2 -I "$VIP" "$CLIENT_IP" >/dev/null 2>&1 || true
run_in web1 ip neigh flush all
run_in web1 ping -q -c 1 -W 2 "$CLIENT_IP" >/dev/null
capture_end known
assert_equal "questions in the VIP's name towards a known address" 0 "$(capture_count known)"
capture client unknown "arp and arp[14:4] = 0xc000020a"
run_in web1 ip neigh flush all
run_in web1 ping -q -c 1 -W 2 -I "$VIP" "$CLIENT_IP" >/dev/null 2>&1 || true
wait_until 5 capture_has unknown 1 arp || fail "no question in the VIP's name towards an unknown address"
capture_end unknown
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_announce=2

step "IPv6: what is on lo is not solicited for, what is on the card is"
net_ipv6_on client
net_ipv6_on web1
ip -n "$NET-client" address add 2001:db8::100/64 dev eth0 nodad
ip -n "$NET-web1" address add 2001:db8::11/64 dev eth0 nodad
ip -n "$NET-web1" address add 2001:db8::10/128 dev lo nodad
run_in client ping -q -c 1 -W 2 2001:db8::11 >/dev/null || fail "the address on the card is not found"
if run_in client ping -q -c 1 -W 2 2001:db8::10 >/dev/null; then
	fail "the address on lo is answered for"
fi

step "a local route is answered for like an address, unless arp_ignore is 1"
ip -n "$NET-web1" route add local "$SERVER_PREFIX.77/32" dev lo
if answers_probe "$SERVER_PREFIX.77"; then
	fail "arp_ignore=1 does not silence a local route"
fi
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0
answers_probe "$SERVER_PREFIX.77" || fail "arp_ignore=0 does not answer for a local route"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1
ip -n "$NET-web1" route delete local "$SERVER_PREFIX.77/32" dev lo

write_conf() { # EXTRA LINE of [dsrd], or none
	conf_head | sed "s|^log = stderr|&${1:+\\n$1}|" >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
}

expect_no_reset() { # WHO: through some rounds of questions, only dsrd itself ends connections, by one reset each
	capture director resets "tcp[13] & 4 != 0 and dst host $VIP"
	capture director accepted "tcp[13] & 18 = 18 and src host $VIP and dst host $1"
	wait_until 10 capture_has accepted 6 tcp || fail "no answers to the questions"
	capture_end accepted
	capture_end resets
	assert_at_most "resets to the VIP beyond one for each answer" $(($(capture_count accepted) + 2)) \
	    "$(capture_count resets)"
}

step "answers to a probe address: the director's kernel stays silent"
write_conf "probe-address = $PROBE"
start_dsrd
wait_servers_up web web1 web2
expect_no_reset "$PROBE"
stop_dsrd

step "answers to the director's own address: its kernel finds no host to send a reset to"
write_conf
start_dsrd
wait_servers_up web web1 web2
expect_no_reset "$SERVER_PREFIX.1"

step "a drop behind the tap: dsrd has its frames, and forwarding does no harm"
run_in director sysctl -q -w net.ipv4.conf.all.forwarding=1
run_in director nft -f - <<END
table inet tap {
	chain pre {
		type filter hook prerouting priority raw;
		ip daddr $VIP drop
	}
}
END
capture client errors "icmp and src host $SERVER_PREFIX.1"
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages" 20 "$(wc -l <"$NET_DIR/pages")"
run_in director nft delete table inet tap
capture_end errors
assert_equal "ICMP errors and redirects from the director's kernel" 0 "$(capture_count errors)"
run_in director sysctl -q -w net.ipv4.conf.all.forwarding=0

step "a server that redirects the VIP to itself serves, and never answers ARP for it"
vip_remove web2 "$VIP"
run_in web2 nft -f - <<END
table ip to_itself {
	chain pre {
		type nat hook prerouting priority dstnat;
		ip daddr $VIP tcp dport 80 redirect
	}
}
END
run_in web2 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web2" 10 "$(count_lines web2 "$NET_DIR/pages")"
stop_dsrd
if answers_probe "$VIP"; then
	fail "a host answers for the VIP without dsrd"
fi
