#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrctl doctor and the director's host: each fault is created and reported, the printed command fixes it, and nothing
# else is found. Forwarding and a VIP in the kernel are in test_doctor. Faults of other systems are not created:
# capture-buffer and strict-interfaces exist on the BSDs; privileges is reported where root cannot be divided, while
# Linux keeps the right to open interfaces, which test_engine tests.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx ethtool sysctl
net_up 1 two-arm
start_nginx web1
SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
PROBE=198.51.100.250

write_conf() { # LINE of [dsrd]
	conf_head | sed "s|^log = stderr|&\\n$1|"
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	vip-check = off
	server = web1 $(server_ip 1)
	END
}

# Of the director, or of its capture: "WRONG mtu" or "note offloads", one a line.
found() {
	"$DSRCTL" -s "$SOCKET" doctor --all >"$NET_DIR/said" 2>&1 || true
	sed -n 's/^\(WRONG\|note\) *director: .*\[\([a-z-]*\)\]$/\1 \2/p' "$NET_DIR/said"
}

# Frames that were not sent while an interface was down are reported as long as dsrd runs. A stopped daemon was blocked,
# too.
is_found() { # WHAT
	[ "$(found | grep -v -x -e "note not-sent" -e "WRONG checks-late")" = "$1" ]
}

# Reports just that, within a few seconds: the system notifies dsrd, or dsrd polls.
expect() { # WHAT
	wait_until 15 is_found "$1" || {
		cat "$NET_DIR/said" >&2
		fail "the doctor should say '$1' of the director"
	}
}

# What stands under "fix:" or "to undo it:", done on the director.
do_it() { # HEADING
	command=$(sed -n "/^ *$1\$/{n;s/^ *//p;q;}" "$NET_DIR/said")
	[ -n "$command" ] || {
		cat "$NET_DIR/said" >&2
		fail "there is nothing to type under '$1'"
	}
	# shellcheck disable=SC2086 # a command and its arguments
	run_in director $command >/dev/null 2>&1 || fail "the command fails: $command"
}

write_conf "probe-address = $PROBE" >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1

step "a correct setup"
expect ""

step "receive offloads are on"
run_in director ethtool -K eth0 gro on
expect "note offloads"
do_it "fix:"
expect ""
run_in director ethtool -K eth0 gro on

step "the servers' side has the smaller MTU"
run_in director ethtool -K eth0 gro off
ip -n "$NET-director" link set eth1 mtu 1400
expect "WRONG mtu"
do_it "fix:"
expect ""

step "an interface is administratively down"
ip -n "$NET-director" link set eth1 down
expect "WRONG interface-down"
do_it "fix:"
expect ""

step "frames that could not be sent meanwhile are reported"
is_noted() {
	found | grep -q -x "note not-sent"
}
wait_until 5 is_noted || fail "frames were lost, and the doctor does not say so"

step "the link of one is gone"
ip -n "$NET-switch" link set director-eth1 down
expect "WRONG no-link"
ip -n "$NET-switch" link set director-eth1 up
expect ""

step "frames are lost while the daemon has no time: more come than its capture holds"
signal_dsrd STOP
run_in client "$BUILD_DIR/tests/integration/flood" eth0 "$DIRECTOR_MAC" "$VIP" 9 400000 200000 s >"$NET_DIR/flood.log" \
    ||
	fail "the flood fails: $(cat "$NET_DIR/flood.log")"
signal_dsrd CONT
expect "WRONG capture-drops"
grep -q 'director: [1-9][0-9]* frames were lost at eth0 before dsrd could read them' "$NET_DIR/said" ||
	fail "how many were lost, and where, is not said"
stop_dsrd
start_dsrd
expect ""

step "an interface is gone"
ip -n "$NET-switch" link delete director-eth1
expect "WRONG interface-gone"
stop_dsrd

step "a virtual card, whose switch may filter"
net_attach director eth1 back 52:54:00:00:00:02 "$SERVER_PREFIX.1/24"
start_dsrd
expect "note virtual-switch"
grep -q 'eth1 is a virtual network card (QEMU/KVM)' "$NET_DIR/said" || fail "it is not named"
stop_dsrd
ip -n "$NET-director" link set eth1 address 02:00:00:00:00:02

step "the probe address is another host's"
ip -n "$NET-client" address add "$PROBE/24" dev eth0
start_dsrd
expect "WRONG probe-address-taken"
grep -q "$PROBE belongs to $CLIENT_MAC" "$NET_DIR/said" || fail "whose it is, is not said"
stop_dsrd
ip -n "$NET-client" address delete "$PROBE/24" dev eth0

step "no probe address, and dsrd only observes"
write_conf "" >"$NET_DIR/dsrd.conf"
start_dsrd
expect "note no-probe-address"
stop_dsrd
start_dsrd --observe
expect "note observing"
stop_dsrd
