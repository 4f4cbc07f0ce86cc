# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# A director that announces VIPs to routers, two servers, and the routes that it makes. Source it after net.sh and ctl.sh.

net_require ip arping

# shellcheck disable=SC2034 # tests use them
ROUTED=203.0.113.10 ROUTED6=2001:db8:113::10 SECOND=203.0.113.20
net_up 2
net_up6
for number in 1 2; do
	vip_add "web$number" "$ROUTED"
	vip_add "web$number" "$SECOND"
	vip6_add "web$number" "$ROUTED6"
	start_nginx "web$number"
done
ip -n "$NET-client" route add 203.0.113.0/24 via "$SERVER_PREFIX.1"

write_conf() { # LINE...: of [dsrd]
	{
		conf_head | sed -n '1,/^\[defaults\]/p' | sed '$d'
		printf '%s\n' "$@"
		conf_head | sed -n '/^\[defaults\]/,$p'
		cat <<-END
		arp = off
		vip-check = off
		[service one]
		listen = $ROUTED tcp/80
		listen = $ROUTED6 tcp/80
		server = web1 192.0.2.11
		[service two]
		listen = $SECOND tcp/80
		server = web2 192.0.2.12
		END
	} >"$NET_DIR/dsrd.conf"
}

# The routes of protocol 64, one a line, "203.0.113.10 100".
routes() {
	{
		ip -n "$NET-director" -4 route show table all proto 64
		ip -n "$NET-director" -6 route show table all proto 64
	} | sed -n 's/^\(blackhole \)\{0,1\}\([^ ]*\).* metric \([0-9]*\).*/\2 \3/p' | sort
}

routes_are() { # LINE...
	[ "$(routes)" = "$(printf '%s\n' "$@" | sed '/^$/d' | sort)" ]
}

wait_routes() { # SECONDS WHAT LINE...
	net_seconds=$1 net_what=$2
	shift 2
	wait_until "$net_seconds" routes_are "$@" || {
		"$DSRCTL" -s "$SOCKET" show announce >&2 || true
		fail "$net_what: waited $net_seconds s for the routes '$*', there are '$(routes)'"
	}
}

milliseconds() {
	date +%s%3N
}

# How long until there is no route left.
withdrawn_after() { # WHAT SECONDS COMMAND...
	withdrawn_what=$1 withdrawn_most=$2
	shift 2
	withdrawn_begin=$(milliseconds)
	"$@"
	NET_PAUSE=0.01 wait_routes "$withdrawn_most" "$withdrawn_what" ""
	step "measured: $withdrawn_what: withdrawn after $(($(milliseconds) - withdrawn_begin)) ms"
}
