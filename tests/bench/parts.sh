# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2034,SC2154 # the files that are sourced together share names
#
# The parts of the benchmark: each measures the running forwarder in round $round and appends lines for table.awk to
# $RESULTS. run.sh sources this file.

# What the lines are: the part, the round, the forwarder, and the part's own words.
result() { # PART WORD...
	bench_part=$1
	shift
	echo "$bench_part $round $FORWARDER $*" | tee -a "$RESULTS"
}

# The most frames a second; and memory, once the table has a million flows.
part_rate() {
	case $FORWARDER in
	pen | dsrd*) measure_idle ;;
	esac
	memory_before="$(forwarder_rss) $(($(kernel_memory) - kernel_before))"
	for load in $LOADS; do
		case $load in
		60-10k) teach "$load" 20000 20000 ;;
		60-1m) teach "$load" $((2 * MANY)) "$TEACH_RATE" -b $((TEACH_RATE / 2)) ;;
		esac
		find_peak "$load"
		[ "$load" != 60-10k ] || peak_small=$peak
		result rate "$load" "$peak" "$lost_before" "$lost_ring"
		[ "$load" != 60-1m ] ||
			result memory "$memory_before $(forwarder_rss) $(($(kernel_memory) - kernel_before)) $(forwarder_flows "$MANY")"
	done
}

# Microseconds of processor time a second, with checks but no frames.
measure_idle() {
	idle_time=$(forwarder_time) idle_begin=$(nanoseconds)
	sleep 1
	idle_time=$(($(forwarder_time) - idle_time)) idle_begin=$(($(nanoseconds) - idle_begin))
	result idle $((idle_time / (idle_begin / 1000000)))
}

# The peak of 60 bytes and 10 000 flows, in $peak, if no part before has found it already.
know_peak() {
	if [ "$peak_small" -eq 0 ]; then
		teach 60-10k 20000 20000
		find_peak 60-10k
		peak_small=$peak
	fi
	peak=$peak_small
}

# How much of the peak can be offered without the loss of a single frame.
part_loss() {
	[ "$FORWARDER" != generator ] || return 0
	know_peak
	for percent in $LOSS_STEPS; do
		offer 60-10k "$LOSS_SECONDS" -r $((peak * percent / 100))
		result loss "$peak" "$percent" "$sent" "$came" "$lost_before" "$lost_ring"
	done
}

# Round trips of a small question and its answer, all on the director's processor: with nothing else to forward, and
# with
# half of what the forwarder can do.
part_delay() {
	[ "$FORWARDER" != generator ] || return 0
	result delay low "$(ask)"
	know_peak
	# shellcheck disable=SC2046 # words
	start_blast $(load_options 60-10k) -r $((peak / 2))
	sleep 0.2
	result delay half "$(ask)"
	stop_blast
}

# With unfinished checksums pen's questions would never be answered: it hands them on as they are.
ask() {
	run_in client ethtool -K eth0 tx-checksum-ip-generic off >/dev/null
	# shellcheck disable=SC2086 # words
	run_in client $ON_BENCH_CPU "$BUILD_DIR/tests/bench/echo" ask "$VIP" "$BENCH_PORT" "$QUESTIONS" |
		sed 's/[a-z0-9]*=//g'
	run_in client ethtool -K eth0 tx-checksum-ip-generic on >/dev/null
}

# One TCP stream up through the VIP, every offload as the system makes it.
part_tcp() {
	case $FORWARDER in
	direct | redirect | dsrd*) ;;
	*) return 0 ;;
	esac
	for bench_host in web1 web2; do
		start_in "$bench_host" "$bench_host-iperf" iperf3 -s --forceflush -B "$VIP"
		wait_until 10 grep -q listening "$NET_DIR/$bench_host-iperf.log" || fail "iperf3 does not start"
	done
	run_in client iperf3 -J -c "$VIP" -t "$TCP_SECONDS" >"$NET_DIR/iperf.json" ||
		fail "no stream through $FORWARDER"
	result tcp "$(awk '/"sum_received"/ { here = 1 }
	    here && /"bits_per_second"/ { sub(/.*:/, ""); printf "%.0f\n", $0 / 1000000; exit }' "$NET_DIR/iperf.json")"
	for bench_host in web1 web2; do
		stop "$bench_host-iperf"
	done
}
