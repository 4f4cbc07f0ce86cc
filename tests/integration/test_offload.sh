#!/bin/sh
# SPDX-License-Identifier: ISC
# The kernel forwards established flows: every frame once, counted, to the chosen server, and not longer than the daemon
# runs. With tc and with generic XDP.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"

net_require nginx curl nft tc
net_up 2
# Where tags are taken out of received frames dsrd does without XDP.
rxvlan() { # on|off
	run_in director ethtool -K eth0 rxvlan "$1"
}
rxvlan off
start_nginx web1
start_nginx web2
seq -f '%0100.0f' 100000 >"$NET_DIR/web1/www/big"
cp "$NET_DIR/web1/www/big" "$NET_DIR/web2/www/big"

scheduler=rr
write_conf() { # MODE [SERVER2-OPTION...]
	net_mode=$1
	shift
	export DSRD_OFFLOAD="$net_mode"
	{
		conf_head
		cat <<-END
		[service web]
		listen = $VIP tcp/80
		scheduler = $scheduler
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2) $*
		END
	} >"$NET_DIR/dsrd.conf"
}

# A count of the client's frames to the VIP: what HOST's kernel sends or gets. tcpdump would miss some of a burst.
count_frames() { # HOST HOOK
	run_in "$1" nft "add table ip seen; add chain ip seen vip { type filter hook $2 priority 0; };
	    add rule ip seen vip ip saddr $CLIENT_IP ip daddr $VIP tcp dport 80 counter"
}

frames_of() { # HOST
	run_in "$1" nft list chain ip seen vip | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

count_frames client output
count_frames web1 input
count_frames web2 input

offloaded_above() { # COUNT
	dump_dsrd
	[ "$(counter offloaded)" -gt "$1" ]
}

state_is() { # STATE
	dump_dsrd
	grep -q " offload=$1\$" "$NET_DIR/dump"
}

nothing_attached() {
	[ -z "$(run_in director tc filter show dev eth0 ingress)" ] && ! run_in director ip link show eth0 | grep -q xdp
}

# All frames that the client sent have left once, no more and no less, and each was counted.
every_frame_once() { # MODE
	first_sent=$(frames_of client) first_arrived=$(arrived) first_counted=0
	first_counted=$(counted)
	for download in 1 2 3 4; do
		fetch /big -o "$NET_DIR/got" --limit-rate 20M || fail "download $download by $1"
		cmp -s "$NET_DIR/got" "$NET_DIR/web1/www/big" || fail "download $download by $1 is not what was sent"
	done
	# A last acknowledgement may still be under way.
	wait_until 10 all_arrived ||
		fail "$1: $(sent) frames sent, $(($(arrived) - first_arrived)) arrived, $(counted) counted"
	step "$1: $(sent) frames, of which the kernel forwarded $(counter offloaded)"
	assert_at_least "offloaded frames ($1)" 50 "$(counter offloaded)"
}

sent() {
	echo $(($(frames_of client) - first_sent))
}

arrived() {
	echo $(($(frames_of web1) + $(frames_of web2)))
}

counted() {
	dump_dsrd
	echo $(($(server_value web/web1 packets) + $(server_value web/web2 packets) - first_counted))
}

all_arrived() {
	[ "$(sent)" -gt 100 ] && [ "$(sent)" -eq $(($(arrived) - first_arrived)) ] && [ "$(sent)" -eq "$(counted)" ]
}

for mode in tc xdp; do
	step "$mode: every frame once"
	write_conf $mode
	start_dsrd
	if grep -q 'offload mode=.* result=off' "$NET_DIR/dsrd.log"; then
		step "this machine cannot: every frame goes through dsrd itself, and the log says why"
		grep -q 'offload mode=.* result=off reason="..*"' "$NET_DIR/dsrd.log" || fail "no reason is given"
		wait_servers_up web web1 web2
		fetch >"$NET_DIR/page" || fail "no server answers"
		state_is off || fail "offload is not shown as off"
		exit 0
	fi
	wait_servers_up web web1 web2
	case $mode in
	tc) state_is tc || fail "tc does not forward" ;;
	xdp) state_is xdp-generic || fail "XDP does not forward" ;;
	esac
	every_frame_once $mode

	step "$mode: a drained server keeps what it has,"
	hold_download "held-$mode"
	holder=$(server_of "held-$mode")
	offloaded=$(counter offloaded)
	wait_until 15 offloaded_above "$offloaded" || fail "$mode: the held download is not offloaded"
	write_conf $mode weight=0
	reload_dsrd ok
	offloaded=$(counter offloaded)
	wait_until 15 offloaded_above "$offloaded" || fail "$mode: after a reload the download is not offloaded"
	is_running "held-$mode" || fail "$mode: the download ended at the reload"
	[ "$(fetch)" = web1 ] || fail "$mode: a drained server got a new connection"
	dump_dsrd
	assert_at_least "$mode: connections of $holder" 1 "$(server_value "web/$holder" active)"
	stop "held-$mode" KILL
	stop_dsrd
done

# By hash: so a director that knows nothing of a connection sends it where it went.
scheduler=maglev
step "killed, the daemon leaves nothing behind; started again, it carries again"
write_conf tc
start_dsrd
wait_servers_up web web1 web2
hold_download orphan
offloaded=0
wait_until 15 offloaded_above 0 || fail "the download is not offloaded"
stop dsrd KILL
wait_until 10 nothing_attached || fail "something stays at tc"
start_dsrd
wait_servers_up web web1 web2
wait_until 15 offloaded_above 0 || fail "the connection of the one before is not offloaded"
is_running orphan || fail "the download did not outlive the daemon"
stop_dsrd

step "xdp, where VLAN tags are taken out of received frames: tc instead"
rxvlan on
write_conf xdp
start_dsrd
wait_servers_up web web1 web2
state_is tc || fail "tc does not carry"
assert_log 'offload interface=eth0 result=no-xdp reason="eth0 takes VLAN tags out .*ethtool -K eth0 rxvlan off'
stop_dsrd

step "the same, from a moment on"
rxvlan off
start_dsrd
wait_servers_up web web1 web2
state_is xdp-generic || fail "XDP does not carry"
rxvlan on
# A sandbox lets no program be attached any more: then every frame goes through dsrd itself.
without_xdp() {
	state_is tc || state_is off
}
wait_until 15 without_xdp || fail "XDP still carries"
assert_log 'offload interface=eth0 result=no-xdp'
fetch >"$NET_DIR/page" || fail "no server answers"
stop_dsrd
