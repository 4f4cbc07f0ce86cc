# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# Functions shared by the tests of the kinds of interfaces that a director may have. Source it after net.sh and ctl.sh.

director_ip() {
	ip -n "$NET-director" "$@"
}

switch_ip() {
	ip -n "$NET-switch" "$@"
}

# The director's address is on that interface, which is up.
with_address() { # INTERFACE
	director_ip address add "$SERVER_PREFIX.1/24" dev "$1"
	director_ip link set "$1" up
}

start_on() { # INTERFACE SERVERS
	{
		conf_head | sed "s/^interface = eth0/interface = $1/"
		printf '\n[service web]\nlisten = %s tcp/80\nscheduler = rr\nserver = web1 %s\n' "$VIP" "$(server_ip 1)"
		[ "$2" = 1 ] || printf 'server = web2 %s\n' "$(server_ip 2)"
	} >"$NET_DIR/dsrd.conf"
	ip -n "$NET-client" neighbor flush all
	start_dsrd
	wait_server up web/web1
}

pages() { # PAGES OF WEB1 AND WEB2
	fetch_many 10 "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "$1" "$(shares_of "$NET_DIR/pages")"
}

can_fetch() {
	fetch "" --max-time 1
}

# It forwards, answers for the VIP with its own address, and nothing is wrong.
works_on() { # INTERFACE [SERVERS]
	start_on "$1" "${2:-1}"
	[ "${2:-1}" = 1 ] || wait_server up web/web2
	if [ "${2:-1}" = 1 ]; then pages "10 0 0"; else pages "5 5 0"; fi
	assert_equal "the VIP's MAC address at the client" \
	    "$(director_ip -o link show "$1" | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')" \
	    "$(ip -n "$NET-client" neighbor show to "$VIP" dev eth0 | sed 's/.*lladdr \([0-9a-f:]*\).*/\1/')"
	assert_no_log 'problem=begin'
	assert_no_log 'server-state .* to=down'
}

# Neither the doctor nor dsrd -n has anything to say.
is_well() { # the interface in the configuration
	ctl 0 doctor
	run_in director "$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/fit" 2>&1 || fail "dsrd -n refuses $1"
	! grep warning "$NET_DIR/fit" >&2 || fail "dsrd -n warns of $1"
}

# That is reported, by the log, the doctor and -n, and with that advice.
is_refused() { # INTERFACE PROBLEM ADVICE
	wait_log 10 " $2 problem=begin subject=$1 "
	ctl 1 doctor
	said "^WRONG .*\\[$2\\]\$"
	run_in director "$DSRD" -n -f "$NET_DIR/dsrd.conf" >"$NET_DIR/fit" 2>&1 || true
	tr -s '\n ' '  ' <"$NET_DIR/said" | grep -q -e "$3" || fail "the doctor does not say '$3'"
	grep -q -e "$3" "$NET_DIR/fit" || {
		cat "$NET_DIR/fit" >&2
		fail "dsrd -n does not say '$3'"
	}
	stop_dsrd
}
