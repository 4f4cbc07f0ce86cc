#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two directors with ucarp, the command and the scripts of doc/operating.md: switched by hand, ucarp killed with its
# address left behind, the cable cut. Long transfers by maglev go on.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_pair.sh
. "$(dirname -- "$0")/lib_pair.sh"
net_require ucarp python3

PAIR_LONG=40 PAIR_SYNC=off
pair_up 2
pair_guide /etc/systemd/system/dsrd-ucarp.service 644
pair_guide /etc/ucarp/dsrd-up 755
pair_guide /etc/ucarp/dsrd-down 755
for host in director second; do
	echo "role = follow $SERVER_PREFIX.5" | pair_conf "$host" maglev 2
	pair_start "$host"
	wait_until 15 pair_is "$host" standby || pair_fail "$host is no standby"
done

start_ucarp() { # HOST
	sed -n "s|^ExecStart=|exec |; s|/etc/ucarp|$NET_DIR/guide|g; s|--srcip=[^ ]*|--srcip=$(pair_address "$1")|; /^exec/p" \
	    "$NET_DIR/guide/dsrd-ucarp.service" >"$NET_DIR/$1/ucarp"
	start_in "$1" "engine-$1" sh "$NET_DIR/$1/ucarp"
}
start_ucarp director
wait_until 15 pair_is director active || pair_fail "director does not become active"
start_ucarp second
pair_traffic

demote() { # HOST
	kill -USR2 "$(pid_of "engine-$1")"
}
pair_takes_over "ucarp demoted by hand" 6 none-breaks demote

pair_takes_over "ucarp killed" 6 none-breaks pair_kill_engine
wait_until 3 pair_is "$pair_from" yielded || pair_fail "$pair_from has not yielded"
start_ucarp "$pair_from"
# The down script runs at the start.
wait_until 5 pair_is "$pair_from" lingering || pair_fail "$pair_from does not follow its engine again"

cut_link() { # HOST
	link_set switch "$1-eth0" down
}
pair_takes_over "cable cut" 8 none-breaks cut_link
link_set switch "$pair_from-eth0" up
wait_until 10 pair_one_active || pair_fail "two are active after the cable was plugged in"
for host in director second; do
	stop "engine-$host"
	stop "dsrd-$host"
done
