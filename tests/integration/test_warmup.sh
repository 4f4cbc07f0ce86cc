#!/bin/sh
# SPDX-License-Identifier: ISC
#
# warmup: a server that comes back gets few connections at first, then more, and finally its full share.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wrr
	warmup = 8s
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

share_of_web2() { # of 100 pages
	fetch_many 100 "$NET_DIR/pages"
	count_lines web2 "$NET_DIR/pages"
}

step "at the start all are cold, and about equal: one may have come up a check's time before the other"
first=$(share_of_web2)
assert_at_least "web2's pages of 100" 40 "$first"
assert_at_most "web2's pages of 100" 60 "$first"
sleep 9
assert_equal "web2's pages of 100 when both are warm" 50 "$(share_of_web2)"

step "web2 dies and comes back"
stop_nginx web2
wait_server down web/web2
assert_equal "web2's pages of 100 while it is down" 0 "$(share_of_web2)"
start_nginx web2
wait_server up web/web2
cold=$(share_of_web2)
step "immediately: $cold of 100"
assert_at_least "web2's first pages of 100" 1 "$cold"
assert_at_most "web2's first pages of 100" 25 "$cold"
sleep 3
warm=$(share_of_web2)
step "in the middle: $warm of 100"
assert_at_least "web2's pages of 100 in the middle" $((cold + 5)) "$warm"
assert_at_most "web2's pages of 100 in the middle" 45 "$warm"

step "in the end it has its half"
is_warm() {
	[ "$(share_of_web2)" -eq 50 ]
}
wait_until 15 is_warm || fail "web2 has $(share_of_web2) of 100 pages after its warmup"

step "it loses the VIP, and is cold when it has it again"
vip_remove web2 "$VIP"
wait_server down web/web2
vip_add web2 "$VIP"
wait_server up web/web2
assert_at_most "web2's pages of 100 after it lacked the VIP" 25 "$(share_of_web2)"
stop_dsrd
