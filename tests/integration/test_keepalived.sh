#!/bin/sh
# SPDX-License-Identifier: ISC
# Alone: it measures how long clients wait.
#
# Two directors with keepalived and the files shown in doc/operating.md. The active one's engine is stopped by hand, its
# dsrd killed, its keepalived killed, its cable cut, its dsrd stopped for ten seconds: the other one takes over within
# the
# engine's time, long transfers by maglev go on, IPv4 and IPv6, and no two directors stay active.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_pair.sh
. "$(dirname -- "$0")/lib_pair.sh"
net_require keepalived python3 mount nft arping

pair_up 3
pair_guide /etc/keepalived/keepalived.conf 644
for host in director second; do
	echo "role = follow $SERVER_PREFIX.5" | pair_conf "$host" maglev 3
	pair_start "$host"
done
step "without an engine both stand by"
wait_until 15 pair_is director standby || pair_fail "director is no standby"
wait_until 15 pair_is second standby || pair_fail "second is no standby"
pair_ctl director show roles | grep -q "follow $SERVER_PREFIX.5" ||
	fail "dsrctl show roles does not say where the role is from"
wait_until 5 pair_ctl director ready || pair_fail "director is not ready"
if run_in client arping -c 1 -w 1 -I eth0 "$VIP" >/dev/null; then
	fail "a standby answers for the VIP"
fi

# The solicited-node group of 2001:db8::10.
in_group() { # HOST
	run_in "$1" grep -q ff0200000000000000000001ff000010 /proc/net/igmp6
}
if in_group director || in_group second; then
	fail "a standby has joined the group of an IPv6 VIP"
fi

step "with keepalived one of them becomes active"
pair_keepalived director
pair_keepalived second
wait_until 15 pair_one_active || pair_fail "no director, or more than one, is active"
in_group "$(pair_active)" || fail "the active director has not joined the group of its IPv6 VIP"
if in_group "$(pair_other "$(pair_active)")"; then
	fail "the standby has joined the group of an IPv6 VIP"
fi
pair_traffic

give_up() { # HOST
	stop "engine-$1"
}
pair_takes_over "keepalived stopped by hand" 3 none-breaks give_up
pair_keepalived "$pair_from"

kill_dsrd() { # HOST
	stop "dsrd-$1" KILL
}
pair_takes_over "dsrd killed" 8 none-breaks kill_dsrd
pair_start "$pair_from"

# Its address stays where it is: the old director yields as soon as it hears the new one.
kill_engine() { # HOST
	pair_kill_engine "$1"
}
pair_takes_over "keepalived killed" 5 none-breaks kill_engine
host=$pair_from
wait_until 3 pair_is "$host" yielded || pair_fail "$host has not yielded"
pair_ctl "$host" show --problems | grep -q yielded || fail "dsrctl show does not say that $host yielded"
pair_keepalived "$host"
wait_until 10 pair_is "$host" lingering || pair_fail "$host does not follow its engine again"

cut_link() { # HOST
	link_set switch "$1-eth0" down
}
pair_takes_over "cable cut" 5 none-breaks cut_link
link_set switch "$pair_from-eth0" up
sleep 1
pair_one_active || pair_fail "two are active after the cable was plugged in"

stop_and_resume() { # HOST
	kill -STOP "$(pid_of "dsrd-$1")"
}
pair_takes_over "dsrd stopped" 8 none-breaks stop_and_resume
host=$pair_from
sleep 3
pair_forget
kill -CONT "$(pid_of "dsrd-$host")"
wait_until 5 pair_is "$host" lingering || pair_fail "$host does not give up when it resumes"
sleep 2
pair_figures
step "measured: dsrd resumed: $FAILED of $SHORT short requests failed"
assert_equal "short requests that failed when it resumed" 0 "$FAILED"
pair_one_active || pair_fail "two are active after dsrd resumed"

step "keepalived hears nothing of the other one: two masters, and one active director"
master_count() {
	for host in director second; do
		ip -n "$NET-$host" address show dev lo | grep "inet $SERVER_PREFIX.5/" || true
	done | wc -l
}
two_masters() {
	[ "$(master_count)" -eq 2 ]
}
for host in director second; do
	run_in "$host" nft -f - <<-END
	table ip vrrp { chain in { type filter hook input priority 0; ip protocol 112 drop; }; }
	END
done
wait_until 10 two_masters || pair_fail "keepalived does not make both masters"
wait_until 5 pair_one_active || pair_fail "two directors stay active"
sleep 2
pair_one_active || pair_fail "two directors are active, or none"
# Then it is not ready, so its keepalived gives up, too.
host=$(pair_other "$(pair_active)")
[ "$(grep -c ' to=yielded ' "$NET_DIR/dsrd-$host.log")" -gt 0 ] || pair_fail "$host has not yielded"
for host in director second; do
	run_in "$host" nft delete table ip vrrp
done
one_master_active() {
	pair_one_active && [ "$(master_count)" -eq 1 ]
}
wait_until 15 one_master_active || pair_fail "no director, or more than one, is active when they hear each other again"

for host in director second; do
	! grep -e 'vip-conflict' "$NET_DIR/dsrd-$host.log" || fail "the other director is a conflict for $host"
	stop "engine-$host"
	stop "dsrd-$host"
done

step "contrib/ipvs2dsrd and keepalived read the same servers"
# As it ends, keepalived names each server that it had: "[192.0.2.11]:tcp:80". There is no IPVS in this network.
net_host_add reader
for name in syntax one_line; do
	{
		printf 'global_defs {\n\tscript_user root\n}\n'
		cat "$PAIR_TOP/tests/convert/$name.in"
	} >"$NET_DIR/$name.conf"
	run_in reader timeout 2 keepalived -n -l -C -i standby -f "$NET_DIR/$name.conf" -p "$NET_DIR/reader.pid" \
	    -c "$NET_DIR/checkers.pid" >"$NET_DIR/read" 2>&1 || true
	sed -n 's/.*Shutting down .*service \[\([^]]*\)\]:\([a-z]*\):\([0-9]*\) from VS.*/\1 \2\/\3/p' "$NET_DIR/read" \
	    | sort -u \
	    >"$NET_DIR/$name.keepalived"
	awk -v config_id=standby -f "$PAIR_TOP/contrib/ipvs2dsrd" "$NET_DIR/$name.conf" 2>/dev/null | awk '
		/^listen/ { ports = $4 }
		/^server/ { print $4, ports }' | sort -u >"$NET_DIR/$name.dsrd"
	[ -s "$NET_DIR/$name.keepalived" ] || fail "keepalived named no server: $(tail -n 5 "$NET_DIR/read")"
	diff -u "$NET_DIR/$name.keepalived" "$NET_DIR/$name.dsrd" || fail "$name.in: the lists differ"
done
