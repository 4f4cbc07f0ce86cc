#!/bin/sh
# SPDX-License-Identifier: ISC
#
# on-down: connections of a server whose check fails. keep: they continue, because the server may still serve them.
# move: they go to another server, which resets them, so that clients can reconnect immediately.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 2
for server in web1 web2; do
	start_nginx "$server"
	echo fine >"$NET_DIR/$server/www/check"
done

write_conf() { # ON-DOWN
	conf_head >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	on-down = $1
	check = http path=/check
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
}

# Two downloads, one from each server; `one` is web1's.
hold_both() {
	hold_download one
	hold_download two
	if [ "$(server_of one)" = web1 ]; then
		at_web1=one at_web2=two
	else
		at_web1=two at_web2=one
	fi
	assert_equal "server of the one download" web1 "$(server_of "$at_web1")"
	assert_equal "server of the other download" web2 "$(server_of "$at_web2")"
}

step "keep"
write_conf keep
start_dsrd
wait_servers_up web web1 web2
hold_both
mv "$NET_DIR/web1/www/check" "$NET_DIR/web1/www/no-check"
wait_server down web/web1
assert_equal "page" web2 "$(fetch /)"
sleep 3 # a wrong segment would have been answered by a reset long ago
is_running "$at_web1" || fail "the download from web1 broke off although on-down = keep"
is_running "$at_web2" || fail "the download from web2 broke off"
mv "$NET_DIR/web1/www/no-check" "$NET_DIR/web1/www/check"
wait_server up web/web1
is_running "$at_web1" || fail "the download from web1 broke off when its server came back"
stop one
stop two
rm "$NET_DIR/one.head" "$NET_DIR/two.head"

step "move"
write_conf move
reload_dsrd ok
hold_both
mv "$NET_DIR/web1/www/check" "$NET_DIR/web1/www/no-check"
wait_server down web/web1
ended() { # NAME
	! is_running "$1"
}
wait_until 10 ended "$at_web1" || fail "the download from web1 hangs although on-down = move"
stop "$at_web1"
assert_equal "exit status of curl: 56, connection reset" 56 "$STOP_STATUS"
assert_equal "page" web2 "$(fetch /)"
is_running "$at_web2" || fail "the download from web2 broke off"
stop_dsrd
