#!/bin/sh
# SPDX-License-Identifier: ISC
#
# 200 servers that do not answer, so that 200 checks wait at once, each with a descriptor, and a soft limit of 128, as
# OpenBSD
# gives daemons: dsrd raises it to the hard limit. Where that is 128 too, what could not be checked keeps its state, and
# the
# log gives the reason.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119,SC2016
. "$(dirname -- "$0")/net.sh"
net_require nft
net_up 1

# All 200 are one host, whose firewall drops what it gets.
for number in $(seq 21 220); do
	ip -n "$NET-web1" address add "$SERVER_PREFIX.$number/24" dev eth0
done
run_in web1 nft -f - <<'END'
table ip silent {
	chain input {
		type filter hook input priority 0; policy accept;
		tcp dport 80 drop
	}
}
END
{
	conf_head | sed -e 's/^interval = .*/interval = 1s/' -e 's/^timeout = .*/timeout = 1s/'
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	vip-check = off
	END
	for number in $(seq 21 220); do
		echo "server = server-$number $SERVER_PREFIX.$number"
	done
} >"$NET_DIR/dsrd.conf"

# With these limits, until each server has been checked twice.
start_limited() { # SOFT HARD
	start_in director dsrd sh -c 'ulimit -S -n "$1" && ulimit -H -n "$2" && shift 2 && exec "$@"' sh "$1" "$2" \
	    "$DSRD" -d -f "$NET_DIR/dsrd.conf"
	wait_until 15 dsrd_settled || fail "the director did not become ready"
}

servers_down() {
	grep -o ' server-state server=web/server-[0-9]* from=[a-z-]* to=down reason="[^"]*"' "$NET_DIR/dsrd.log" |
		sort -u | wc -l
}

all_down() {
	[ "$(servers_down)" -eq 200 ]
}

step "a soft limit of 128 and a hard one of 1024: all 200 are checked"
start_limited 128 1024
wait_until 20 all_down || fail "$(servers_down) of 200 servers were found to be down"
assert_no_log check-trouble
assert_equal "descriptors" 1024 "$(awk '/^Max open files/ { print $4 }' "/proc/$(pid_of dsrd)/limits")"
stop_dsrd

step "a hard limit of 128: the rest keeps its state, and the log says why"
start_limited 128 128
wait_log 20 'check-trouble server=web/server-[0-9]* reason=".*the server.s state stays what it is" check=".*: too many open files: raise the hard limit'
sleep 2
assert_at_most "servers that are down" 199 "$(servers_down)"
stop_dsrd
