#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A reload adds the first peer, although the sandbox limits the director's connections; a port that it does not allow is
# named.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"

net_up 1
start_nginx web1

write_conf() { # LINE...: of [dsrd]
	{
		conf_head | sed -n '1,/^\[defaults\]/p' | sed '$d'
		printf '%s\n' "$@"
		conf_head | sed -n '/^\[defaults\]/,$p'
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		server = web1 $(server_ip 1)
		END
	} >"$NET_DIR/dsrd.conf"
}

head -c 32 /dev/urandom | base64 >"$NET_DIR/key"
chmod 600 "$NET_DIR/key"
write_conf
start_in web1 listener python3 -u -c "
import socket
listener = socket.create_server(('$(server_ip 1)', 9191))
print('listens')
listener.accept()
print('accepted')
"
wait_until 5 grep -q listens "$NET_DIR/listener.log" || fail "the listener does not start"
start_dsrd

step "the first peer"
write_conf "peer-name = lb1" "peer-listen = $SERVER_PREFIX.1" "sync-key-file = $NET_DIR/key" \
	"peer = lb2 $(server_ip 1)"
reload_dsrd ok
wait_until 10 grep -q accepted "$NET_DIR/listener.log" ||
	fail "the director does not connect: $("$DSRCTL" -s "$SOCKET" show peers)"

step "another port"
write_conf "peer-name = lb1" "peer-listen = $SERVER_PREFIX.1" "sync-key-file = $NET_DIR/key" \
	"peer = lb2 $(server_ip 1):9192"
reload_dsrd ok
peer_is_down() {
	"$DSRCTL" -s "$SOCKET" show peers >"$NET_DIR/peers" && grep -q ' down ' "$NET_DIR/peers"
}
wait_until 10 peer_is_down || fail "the peer is not down: $(cat "$NET_DIR/peers")"
# Kernels before 6.7 limit no ports.
grep -q 'Permission denied: dsrd connects .* restart it\|Connection refused' "$NET_DIR/peers" ||
	fail "the reason is not named: $(cat "$NET_DIR/peers")"
stop_dsrd
