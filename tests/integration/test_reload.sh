#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Reload under load: servers come, go and change weight while a client fetches pages, and no request fails. A file with
# errors changes nothing and is reported with its line.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 4
for server in web1 web2 web3 web4; do
	start_nginx "$server"
done

write_conf() { # SERVER-LINE...
	conf_head >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wrr
	END
	for line; do
		echo "server = $line"
	done >>"$NET_DIR/dsrd.conf"
}

web1="web1 $(server_ip 1)"
web2="web2 $(server_ip 2)"
web3="web3 $(server_ip 3)"
web4="web4 $(server_ip 4)"

write_conf "$web1 weight=2" "$web2" "$web3"
start_dsrd
wait_servers_up web web1 web2 web3
hold_download held

# Fetches pages one after the other over new connections until stopped. One line for each request: status and curl's
# verdict.
start_in client load sh -c "while [ ! -e '$NET_DIR/enough' ]; do
	curl -s --max-time 5 -H 'Connection: close' -w '%{http_code} %{exitcode}\n' -o /dev/null 'http://$VIP/?[1-20]'
done"
requests() {
	wc -l <"$NET_DIR/load.log"
}
more_requests() { # COUNT
	[ "$(requests)" -ge "$1" ]
}
go_on() { # at least 60 requests more
	wait_until 20 more_requests $(($(requests) + 60)) || fail "the load stopped"
}
go_on

step "a server comes"
write_conf "$web1 weight=2" "$web2" "$web3" "$web4 weight=3"
reload_dsrd ok
wait_server up web/web4
go_on
dump_dsrd
assert_at_least "web4's connections" 10 "$(server_value web/web4 connections)"

step "weights change; a server drains"
write_conf "$web1 weight=7" "$web2 weight=0" "$web3" "$web4"
reload_dsrd ok
go_on
dump_dsrd
drained=$(server_value web/web2 connections)
go_on
dump_dsrd
assert_equal "web2's connections since it drains" "$drained" "$(server_value web/web2 connections)"

step "a server goes"
write_conf "$web1" "$web3" "$web4"
reload_dsrd ok
go_on

step "a bad file changes nothing"
{
	cat "$NET_DIR/dsrd.conf"
	echo "wieght = 3"
	echo 'persist = "long"'
} >"$NET_DIR/bad"
line=$(wc -l <"$NET_DIR/bad")
cp "$NET_DIR/dsrd.conf" "$NET_DIR/good"
mv "$NET_DIR/bad" "$NET_DIR/dsrd.conf"
reload_dsrd failed
assert_log "reload error=\".*dsrd.conf:$((line - 1)): [^\"]*wieght[^\"]*\"\$"
assert_log "reload error=\".*dsrd.conf:$line: [^\"]*\\\\\"long\\\\\"[^\"]*\"\$" # quotes in a value have backslashes
go_on
mv "$NET_DIR/good" "$NET_DIR/dsrd.conf"

step "twenty reloads in a row"
number=0
while [ "$number" -lt 20 ]; do
	write_conf "$web1 weight=$((number % 3 + 1))" "$web3" "$web4 weight=$((number % 5 + 1))"
	reload_dsrd ok
	number=$((number + 1))
done
go_on

: >"$NET_DIR/enough"
load_ended() {
	! is_running load
}
wait_until 20 load_ended || fail "the load does not end"
assert_equal "requests that were not answered by 200 OK" "" "$(grep -v -x '200 0' "$NET_DIR/load.log" | sort | uniq -c)"
assert_at_least "requests" 400 "$(requests)"
echo "# $(requests) requests, none failed"

step "what stayed kept its health and its flows"
assert_equal "times that web1 was found to be up" 1 "$(log_count 'server-state server=web/web1 .*to=up')"
is_running held || fail "the download that was held open broke off"
stop_dsrd
