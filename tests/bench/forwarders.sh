# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # the files that are sourced together share names
#
# The forwarders to compare: how each is started and stopped, and its own statistics. Each forwards UDP (and most of
# them
# TCP) for the VIP to web1 and web2. run.sh sources this file.

ALL_FORWARDERS='generator direct redirect pen nft nft-persist bare xsk dsrd-frame dsrd dsrd-tc dsrd-xdp'
# dsrd by each method beside mac, and a program that does no more than IP in IP: `--only methods`. dsrd-METHOD is without
# offload.
METHOD_FORWARDERS='generator redirect encap dsrd dsrd-dscp dsrd-ipip dsrd-gre dsrd-gue dsrd-gue1
    dsrd-tc dsrd-tc-dscp dsrd-tc-ipip dsrd-tc-gre dsrd-tc-gue dsrd-tc-gue1'
BENCH_FLOWS=4194304 # the tables' size: all that a round brings

# The forwarders that are available; the others are reported.
forwarders_here() {
	for bench_name in $ALL_FORWARDERS; do
		if bench_reason=$(forwarder_missing "$bench_name"); then
			[ "${DSRD_CI:-0}" != 1 ] ||
				fail "$bench_name cannot be here ($bench_reason), and DSRD_CI=1 allows no skips"
			echo "left out: $bench_name ($bench_reason)" >&2
		else
			echo "$bench_name"
		fi
	done
}

# True with a reason when it cannot be.
forwarder_missing() { # NAME
	case $1 in
	pen) ! command -v pen >/dev/null && echo "no program pen" && return 0 ;;
	xsk) ! [ -x "$BUILD_DIR/tests/bench/xsk" ] && echo "built without libxdp" && return 0 ;;
	dsrd-tc* | dsrd-xdp) "$DSRD" --version | grep -q 'bpf no' && echo "built without BPF" && return 0 ;;
	esac
	return 1
}

# web1 and web2 by a hash of the flow, which is the rule set that nftlb 1.0.7 loads for a dsr farm with the scheduler
# hash; and with persistence, in which it remembers each flow for a minute. The size of its map is nftlb's 65535
# otherwise, and flows beyond that would not be forwarded at all.
nft_rules() { # plain|persist
	cat <<-END
	table netdev nftlb {
		map proto-services-eth0 {
			type inet_proto . ipv4_addr . inet_service : verdict
			elements = { udp . $VIP . $BENCH_PORT : goto bench }
		}
		map static-sessions-bench { type ipv4_addr . inet_service : ether_addr; }
		map persist-bench {
			type ipv4_addr . inet_service : ether_addr
			size $BENCH_FLOWS
			timeout 1m
		}
		chain ingress-eth0 {
			type filter hook ingress device eth0 priority 101;
			ip protocol . ip daddr . th dport vmap @proto-services-eth0
		}
		chain bench {
	END
	nft_choice="ether saddr set $DIRECTOR_MAC
	    ether daddr set jhash ip saddr . udp sport mod 2 map { 0 : $(server_mac 1), 1 : $(server_mac 2) }"
	nft_remember='update @persist-bench { ip saddr . udp sport : ether daddr }'
	if [ "$1" = persist ]; then
		cat <<-END
			ether daddr set ip saddr . udp sport map @static-sessions-bench ether saddr set $DIRECTOR_MAC fwd to eth0
			ether daddr set ip saddr . udp sport map @persist-bench ether saddr set $DIRECTOR_MAC $nft_remember fwd to eth0
			$nft_choice $nft_remember fwd to eth0
		END
	else
		echo "$nft_choice fwd to eth0"
	fi
	printf '}\n}\n'
}

# What dsrd's `withhold` does: behind the taps the VIP's frames are dropped.
bare_rules() {
	cat <<-END
	table netdev bare {
		chain ingress-eth0 {
			type filter hook ingress device eth0 priority 101;
			ip daddr $VIP drop
		}
	}
	END
}

dsrd_conf() { # OFFLOAD METHOD
	cat <<-END
	[dsrd]
	control = $NET_DIR/dsrd.sock
	interface = eth0
	log = stderr
	user = root
	sandbox = ${BENCH_SANDBOX:-on}
	connections = $BENCH_FLOWS
	offload = $1
	withhold = yes

	[service bench]
	listen = $VIP udp/$BENCH_PORT$([ "$2" != dscp ] || echo " dscp=5")
	method = $2
	scheduler = ${BENCH_SCHEDULER:-rr}
	check = icmp
	interval = 300ms
	timeout = 250ms
	rise = 1
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)

	[service stream]
	listen = $VIP tcp/5201
	scheduler = sh
	check = none
	vip-check = off
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
}

# False when the kernel cannot carry flows for it, which dsrd says.
start_forwarder() { # NAME
	peak_small=0
	FORWARDER=$1 FORWARDER_MAC=$DIRECTOR_MAC SINK=director-eth0 GENERATOR_HOST=switch GENERATOR_PORT=director-eth0
	kernel_before=$(kernel_memory)
	case $1 in
	generator) SINK=none GENERATOR_PORT=nowhere ;;
	direct) FORWARDER_MAC=$(server_mac 1) SINK=client-eth0 GENERATOR_HOST=client GENERATOR_PORT=eth0 ;;
	redirect | encap) bpf_attach director eth0 "$1" ;;
	pen)
		# pen needs a separate interface without an address.
		ip -n "$NET-director" address flush dev eth0
		# shellcheck disable=SC2086 # words
		start_in director forwarder $ON_BENCH_CPU pen -f -U -r -O "dsr_if eth0" "$VIP:$BENCH_PORT" \
		    "$(server_ip 1)" "$(server_ip 2)"
		;;
	nft) nft_rules plain | run_in director nft -f - ;;
	nft-persist) nft_rules persist | run_in director nft -f - ;;
	bare)
		bare_rules | run_in director nft -f -
		# shellcheck disable=SC2086 # words
		start_in director forwarder $ON_BENCH_CPU "$BUILD_DIR/tests/bench/bare" eth0 "$VIP" "$DIRECTOR_MAC" \
		    "$(server_mac 1)" "$(server_mac 2)"
		;;
	xsk)
		# shellcheck disable=SC2086 # words
		start_in director forwarder $ON_BENCH_CPU "$BUILD_DIR/tests/bench/xsk" "$BUILD_DIR/tests/bench/bench.bpf.o" eth0 \
		    "$DIRECTOR_MAC" "$(server_mac 1)" "$(server_mac 2)" generic
		;;
	dsrd) start_dsrd_as "$DSRD" off mac ;;
	dsrd-frame)
		# The sandbox knows the sender of bursts, which is the one that Linux has.
		BENCH_SANDBOX=off
		start_dsrd_as "$BUILD_DIR/tests/bench/dsrd-frame" off mac
		BENCH_SANDBOX=on
		;;
	dsrd-tc) start_dsrd_as "$DSRD" tc mac || return 1 ;;
	dsrd-xdp) start_dsrd_as "$DSRD" xdp mac || return 1 ;;
	dsrd-tc-*) start_dsrd_as "$DSRD" tc "${1#dsrd-tc-}" || return 1 ;;
	dsrd-*) start_dsrd_as "$DSRD" off "${1#dsrd-}" ;;
	esac
	# So that what the client asks goes the generator's way, and no forwarder needs to answer ARP.
	ip -n "$NET-client" neighbor replace "$VIP" lladdr "$FORWARDER_MAC" dev eth0 nud permanent
	wait_until 20 serves || fail "$1 forwards nothing"
}

start_dsrd_as() { # PROGRAM OFFLOAD METHOD
	dsrd_conf "$2" "$3" >"$NET_DIR/dsrd.conf"
	# shellcheck disable=SC2086 # words
	start_in director dsrd $ON_BENCH_CPU "$1" -d -f "$NET_DIR/dsrd.conf"
	wait_until 15 dsrd_settled || fail "dsrd did not become ready within 15 s"
	wait_servers_up bench web1 web2
	[ "$2" = off ] || ! grep 'offload mode=.* result=off' "$NET_DIR/dsrd.log" >&2 || {
		stop_dsrd
		return 1
	}
}

serves() {
	before=$(arrived)
	blast -f 10 -n 20 >/dev/null
	[ "$(arrived)" -gt "$before" ]
}

stop_forwarder() {
	case $FORWARDER in
	redirect | encap) run_in director tc qdisc delete dev eth0 clsact ;;
	pen)
		is_running forwarder || fail "pen ended under load"
		stop forwarder
		ip -n "$NET-director" address replace "$SERVER_PREFIX.1/24" dev eth0
		;;
	nft | nft-persist) run_in director nft delete table netdev nftlb ;;
	bare)
		is_running forwarder || fail "bare ended under load: $(cat "$NET_DIR/forwarder.log")"
		stop forwarder
		run_in director nft delete table netdev bare
		;;
	xsk)
		is_running forwarder || fail "xsk ended under load: $(cat "$NET_DIR/forwarder.log")"
		stop forwarder
		ip -n "$NET-director" link set eth0 xdp off
		;;
	dsrd*)
		is_running dsrd || fail "$FORWARDER ended under load"
		stop_dsrd
		;;
	esac
}

# Frames that found the forwarder's ring full, as it tells itself. pen has no ring: its socket drops, and does not
# tell; nor does bare.
forwarder_lost() {
	case $FORWARDER in
	dsrd*)
		dump_dsrd
		sed -n 's/.* interface interface=eth0 .*capture-dropped=\([0-9]*\).*/\1/p' "$NET_DIR/dump"
		;;
	*) echo 0 ;;
	esac
}

forwarder_pid() {
	case $FORWARDER in
	pen | bare | xsk) pid_of forwarder ;;
	dsrd*) pid_of dsrd ;;
	esac
}

# Memory, in kB: of the forwarder's process, and what the kernel's has grown by since before it started. The latter is
# the whole machine's, so it is rough.
forwarder_rss() {
	case $FORWARDER in
	pen | dsrd*) sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(forwarder_pid)/status" ;;
	*) echo 0 ;;
	esac
}

kernel_memory() {
	awk '$1 == "SUnreclaim:" || $1 == "VmallocUsed:" || $1 == "Percpu:" { all += $2 } END { print all }' \
	    /proc/meminfo
}

# The flows in its table; if it cannot report them, the flows of the load.
forwarder_flows() { # FLOWS-OF-THE-LOAD
	case $FORWARDER in
	dsrd*)
		dump_dsrd
		sed -n 's/.* flows count=\([0-9]*\).*/\1/p' "$NET_DIR/dump"
		;;
	nft-persist) echo "$1" ;;
	*) echo 0 ;;
	esac
}

# Nanoseconds of processor time that its process has used (Documentation/scheduler/sched-stats.rst).
forwarder_time() {
	cut -d ' ' -f 1 "/proc/$(forwarder_pid)/schedstat"
}
