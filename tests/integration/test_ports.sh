#!/bin/sh
# SPDX-License-Identifier: ISC
#
# State per port: a port that one server refuses is served by the others; a port that all refuse is refused by a server;
# closed ports of a range do no harm. Below its quorum a service takes no connections.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done
conf_head >"$NET_DIR/dsrd.conf"
cat >>"$NET_DIR/dsrd.conf" <<-END
	retry = 100ms

	[service web]
	listen = $VIP tcp/80,8080,9090,30000-30010
	scheduler = rr
	quorum = 2
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
END

expect_pages() { # PORT SHARES
	fetch_many 30 "$NET_DIR/pages" "$VIP:$1"
	assert_equal "pages of port $1 from web1 web2 web3" "$2" "$(shares_of "$NET_DIR/pages")"
}

expect_exit() { # STATUS PORT [CURL-OPTION...]
	net_status=0
	run_in client curl -s -o /dev/null --max-time 2 "http://$VIP:$2/" || net_status=$?
	assert_equal "curl's status for port $2" "$1" "$net_status"
}

step "nothing listens on 9090 and in the range: the servers are up, and a server refuses"
start_dsrd
wait_servers_up web web1 web2 web3
for server in web1 web2 web3; do
	wait_log 10 "server-ports server=web/$server out=\"tcp/9090\" reason=\"tcp/9090: connection refused at the VIP"
done
expect_pages 80 "10 10 10"
expect_pages 8080 "10 10 10"
expect_exit 7 9090
expect_exit 7 30005

step "one server no longer listens on 8080: it is out of that port alone"
sed -i '/listen 8080;/d; /listen \[::\]:8080;/s/listen \[::\]:8080;//' "$NET_DIR/web1/nginx.conf"
kill -HUP "$(pid_of web1-nginx)"
wait_log 10 'server-ports server=web/web1 out="tcp/8080 tcp/9090" reason="tcp/8080: connection refused at the VIP'
assert_equal "web1's state" up "$(server_state web/web1)"
expect_pages 80 "10 10 10"
expect_pages 8080 "0 15 15"

step "fewer servers than the quorum: nothing is served, until there are enough"
stop_nginx web2
stop_nginx web3
wait_log 10 'service-quorum service=web result=lost up=1 required=2'
expect_exit 28 80
dump_dsrd
assert_at_least "frames dropped for the quorum" 1 "$(drop_count quorum)"
start_nginx web2
wait_log 10 'service-quorum service=web result=reached up=2 required=2'
fetch_many 10 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "5 5 0" "$(shares_of "$NET_DIR/pages")"
stop_dsrd
