#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrd as its systemd unit starts it: as another user from the beginning, with two capabilities only.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl setpriv
net_up 2
start_nginx web1
start_nginx web2

mkdir "$NET_DIR/run"
chown 65534 "$NET_DIR/run"
SOCKET=$NET_DIR/run/dsrd.sock
{
	conf_head | sed "s|^control = .*|control = $SOCKET|"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
chmod 711 "$NET_DIR"
chmod 644 "$NET_DIR/dsrd.conf"
# The build directory may be closed to others.
cp "$DSRD" "$NET_DIR/dsrd"
chmod 755 "$NET_DIR/dsrd"

step "it starts, forwards and reloads without ever having been root"
start_in director dsrd setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all,+net_raw,+net_admin \
    --inh-caps=-all,+net_raw,+net_admin --ambient-caps=-all,+net_raw,+net_admin --no-new-privs \
    "$NET_DIR/dsrd" -d -u nobody:nogroup -f "$NET_DIR/dsrd.conf"
wait_until 10 dsrd_settled || fail "the director is not ready"
wait_servers_up web web1 web2
fetch_many 20 "$NET_DIR/pages"
assert_equal "shares" "10 10 0" "$(shares_of "$NET_DIR/pages")"
reload_dsrd ok
fetch_many 4 "$NET_DIR/pages"

capabilities() { # FIELD
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$(pid_of dsrd)/status"
}
step "what it may do"
assert_equal "user ids" "65534 65534 65534 65534" "$(capabilities Uid | tr '\t' ' ')"
assert_equal "effective capabilities" 0000000000000000 "$(capabilities CapEff)"
assert_equal "permitted capabilities" 0000000000000000 "$(capabilities CapPrm)"
assert_equal "capabilities that its programs would get" 0000000000000000 "$(capabilities CapAmb)"

step "root steers it all the same"
ctl 0 drain web/web1
ctl 0 enable web/web1
stop_dsrd
[ ! -e "$SOCKET" ] || fail "the socket was left behind"
