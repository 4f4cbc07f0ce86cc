#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two directors with keepalived, VRRP version 2 without an address, whose FIFO is read by the script of
# doc/operating.md;
# with wlc, and offload where there is one. Readiness changes the priority, a killed dsrd and a stopped one are
# replaced.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_pair.sh
. "$(dirname -- "$0")/lib_pair.sh"
net_require keepalived python3 mount

PAIR_LONG=40 PAIR_SYNC=off
pair_up 2
pair_guide /etc/keepalived/keepalived-fifo.conf 644
pair_guide /etc/keepalived/dsrd-fifo 755
for host in director second; do
	mkdir -p "$NET_DIR/$host/run"
	printf 'role = file %s\nready-file = %s\n' "$NET_DIR/$host/run/role" "$NET_DIR/$host/run/ready" |
	    pair_conf "$host" wlc 2
	pair_start "$host"
	wait_until 15 pair_is "$host" standby || pair_fail "$host is no standby"
done
pair_keepalived director keepalived-fifo.conf
pair_keepalived second keepalived-fifo.conf
wait_until 20 pair_one_active || pair_fail "no director, or more than one, is active"
pair_traffic

unready() { # HOST
	pair_ctl "$1" disable web/web1 web/web2 >/dev/null
}
step "a director without a server is not ready, and gives up"
pair_takes_over "no server left" 8 may-break unready
assert_equal "the number for keepalived" -100 "$(tr -d ' ' <"$NET_DIR/$pair_from/run/ready")"
pair_ctl "$pair_from" enable web/web1 web/web2 >/dev/null
wait_until 5 pair_ctl "$pair_from" ready || pair_fail "$pair_from is not ready again"
assert_equal "the number for keepalived" 0 "$(tr -d ' ' <"$NET_DIR/$pair_from/run/ready")"

kill_dsrd() { # HOST
	stop "dsrd-$1" KILL
}
pair_takes_over "dsrd killed" 10 may-break kill_dsrd
assert_equal "the role file of the active" active "$(cat "$NET_DIR/$pair_to/run/role")"
pair_start "$pair_from"
wait_until 15 pair_is "$pair_from" standby || pair_fail "$pair_from does not know its role after its restart"

stop_dsrd() { # HOST
	kill -STOP "$(pid_of "dsrd-$1")"
}
pair_takes_over "dsrd stopped" 10 may-break stop_dsrd
pair_forget
kill -CONT "$(pid_of "dsrd-$pair_from")"
wait_until 5 pair_is "$pair_from" lingering || pair_fail "$pair_from does not give up when it resumes"
pair_figures
assert_equal "short requests that failed when it resumed" 0 "$FAILED"
pair_one_active || pair_fail "two are active after dsrd resumed"

step "orders by hand are kept in the file"
pair_ctl "$pair_to" role standby | grep -q lingering || fail "dsrctl role does not show the new role"
assert_equal "the role file" standby "$(cat "$NET_DIR/$pair_to/run/role")"
pair_ctl "$pair_to" role master 2>&1 | grep -q 'use active, standby or observe' || fail "no word about what a role is"
for host in director second; do
	stop "engine-$host"
	stop "dsrd-$host"
done
