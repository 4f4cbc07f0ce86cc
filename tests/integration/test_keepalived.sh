#!/bin/sh
# SPDX-License-Identifier: ISC
# Alone: it measures how long clients wait.
#
# Two directors that share connections, with keepalived and the file shown in doc/operating.md: 200 long transfers in both
# directions, IPv4 and IPv6, and short requests at a steady rate, while the active one's engine is stopped by hand, its
# dsrd killed, its keepalived killed, its cable cut, its dsrd stopped for ten seconds and resumed, both upgraded in
# sequence, and the two separated from each other. No transfer breaks; short requests fail only until the other director
# is active; no two stay active.
#
# PAIR_WAYS="wlc:off maglev:off wlc:tc maglev:tc" sh run.sh build keepalived: with every scheduler and offload.

PAIR_SYNC=${PAIR_SYNC:-auto}
# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_pair.sh
. "$(dirname -- "$0")/lib_pair.sh"
net_require keepalived python3 mount nft arping

# Each event is something that happens to the active director, or ends it.
kill_dsrd() { # HOST
	stop "dsrd-$1" KILL
}
kill_engine() { # HOST
	pair_kill_engine "$1"
}
cut_link() { # HOST
	link_set switch "$1-eth0" down
}
halt_dsrd() { # HOST
	kill -STOP "$(pid_of "dsrd-$1")"
}
give_up() { # HOST
	stop "engine-$1"
}

# The solicited-node group of 2001:db8::10.
in_group() { # HOST
	run_in "$1" grep -q ff0200000000000000000001ff000010 /proc/net/igmp6
}

begin() { # SCHEDULER
	step "$1, offload $PAIR_OFFLOAD: without an engine both stand by"
	for host in director second; do
		echo "role = follow $SERVER_PREFIX.5" | pair_conf "$host" "$1" 3
		pair_start "$host"
	done
	for host in director second; do
		wait_until 15 pair_is "$host" standby || pair_fail "$host is no standby"
	done
	pair_ctl director show roles | grep -q "follow $SERVER_PREFIX.5" ||
		fail "dsrctl show roles does not say where the role is from"
	wait_until 5 pair_ctl director ready || pair_fail "director is not ready"
	if run_in client arping -c 1 -w 1 -I eth0 "$VIP" >/dev/null; then
		fail "a standby answers for the VIP"
	fi
	if in_group director || in_group second; then
		fail "a standby has joined the group of an IPv6 VIP"
	fi
	pair_keepalived director
	pair_keepalived second
	wait_until 15 pair_one_active || pair_fail "no director, or more than one, is active"
	in_group "$(pair_active)" || fail "the active director has not joined the group of its IPv6 VIP"
	if in_group "$(pair_other "$(pair_active)")"; then
		fail "the standby has joined the group of an IPv6 VIP"
	fi
	pair_traffic
}

takeovers() {
	pair_takes_over "keepalived stopped by hand" 3 none-breaks give_up
	pair_keepalived "$pair_from"

	pair_takes_over "dsrd killed" 8 none-breaks kill_dsrd
	pair_start "$pair_from"

	# Its address stays where it is: the old director yields as soon as it hears the new one.
	pair_takes_over "keepalived killed" 5 none-breaks kill_engine
	host=$pair_from
	wait_until 3 pair_is "$host" yielded || pair_fail "$host has not yielded"
	pair_ctl "$host" show --problems | grep -q yielded || fail "dsrctl show does not say that $host yielded"
	pair_keepalived "$host"
	wait_until 10 pair_is "$host" lingering || pair_fail "$host does not follow its engine again"

	pair_takes_over "cable cut" 5 none-breaks cut_link
	link_set switch "$pair_from-eth0" up
	sleep 1
	pair_one_active || pair_fail "two are active after the cable was plugged in"

	pair_takes_over "dsrd stopped" 8 none-breaks halt_dsrd
	host=$pair_from
	wait_until 10 pair_stopped_for 10 || true
	pair_forget
	kill -CONT "$(pid_of "dsrd-$host")"
	wait_until 5 pair_is "$host" lingering || pair_fail "$host does not give up when it resumes"
	sleep 1.5
	pair_figures
	step "measured: dsrd resumed after 10 s: $FAILED of $SHORT short requests failed, $BROKEN of $LONG transfers broke"
	assert_equal "short requests that failed when it resumed" 0 "$FAILED"
	assert_equal "transfers that broke when it resumed" 0 "$BROKEN"
	pair_one_active || pair_fail "two are active after dsrd resumed"
}

# Since the last event began.
pair_stopped_for() { # SECONDS
	[ $(($(pair_milliseconds) - pair_begin)) -ge $(($1 * 1000)) ]
}

upgrades() {
	pair_forget
	host=$(pair_active)
	pair_upgrade "$(pair_other "$host")"
	pair_upgrade "$host"
	sleep 3.5
	wait_until 20 pair_all_go_on || pair_fail "upgraded: $STALLED of $LONG transfers stand still"
	step "measured: both upgraded, the engines running: $FAILED of $SHORT short requests failed, none succeeded for" \
	    "$OUTAGE ms; of $LONG transfers $BROKEN broke"
	assert_equal "upgraded: broken transfers" 0 "$BROKEN"
	assert_at_most "upgraded: milliseconds without an answer" 4000 "$OUTAGE"
	pair_one_active || pair_fail "two are active after the upgrade"
}

master_count() {
	for host in director second; do
		ip -n "$NET-$host" address show dev lo | grep "inet $SERVER_PREFIX.5/" || true
	done | wc -l
}
two_masters() {
	[ "$(master_count)" -eq 2 ]
}
one_master_active() {
	pair_one_active && [ "$(master_count)" -eq 1 ]
}
both_active() {
	pair_is director active && pair_is second active
}

# The engines do not hear each other.
engines_apart() {
	step "keepalived hears nothing of the other one: two masters, and one active director"
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
	wait_until 15 one_master_active ||
		pair_fail "no director, or more than one, is active when they hear each other again"
}

# The directors hear nothing of each other, neither their frames nor over their connection, and are joined again.
directors_apart() {
	step "neither the engines nor the directors hear each other: both are active, until they are joined again"
	host=$(pair_other "$(pair_active)")
	wait_until 10 pair_ctl "$host" ready || pair_fail "$host is not ready"
	pair_forget
	link_set switch "$host-eth1" down
	ip -n "$NET-switch" link set "$host-eth0" master island
	wait_until 10 both_active || pair_fail "$host does not become active"
	ip -n "$NET-switch" link set "$host-eth0" master lan
	link_set switch "$host-eth1" up
	pair_begin=$(pair_milliseconds)
	wait_until 10 pair_one_active || pair_fail "two directors stay active when they are joined again"
	step "measured: joined again: one director is active after $(($(pair_milliseconds) - pair_begin)) ms"
	wait_until 15 one_master_active || pair_fail "no director, or more than one, is active after they were joined"
	sleep 3.5
	wait_until 20 pair_all_go_on || pair_fail "joined again: $STALLED of $LONG transfers stand still"
	step "measured: joined again: $FAILED of $SHORT short requests failed, none succeeded for $OUTAGE ms; of $LONG" \
	    "transfers $BROKEN broke"
	assert_equal "joined again: broken transfers" 0 "$BROKEN"
}

end() {
	for host in director second; do
		! grep -e 'vip-conflict' "$NET_DIR/dsrd-$host.log" || fail "the other director is a conflict for $host"
		stop "engine-$host"
		stop "dsrd-$host"
	done
	stop traffic
}

pair_up 3
net_bridge_add island
pair_guide /etc/keepalived/keepalived.conf 644
for way in ${PAIR_WAYS:-wlc:${DSRD_OFFLOAD:-off}}; do
	PAIR_OFFLOAD=${way#*:}
	begin "${way%%:*}"
	takeovers
	upgrades
	# With offload the rest is the same.
	[ "${DSRD_OFFLOAD:-off}" != off ] || engines_apart
	directors_apart
	end
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
