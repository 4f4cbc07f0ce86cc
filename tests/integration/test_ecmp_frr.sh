#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Three directors behind a router, both with FRR and the files of doc/operating.md; as test_ecmp_bird.sh.

# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_ecmp.sh
. "$(dirname -- "$0")/lib_ecmp.sh"
PATH=$PATH:/usr/lib/frr
net_require zebra bgpd bfdd vtysh python3 jq ip nft

ecmp_guide_files() {
	ECMP_SECTION=FRR ECMP_DIRECTOR_FILE=/etc/frr/frr.conf ECMP_ROUTER_FILE=/etc/frr/frr.conf
}

# As watchfrr and vtysh -b do, in a directory of its own.
ecmp_daemon() { # HOST FILE
	ecmp_dir=$NET_DIR/frr-$1
	mkdir -p "$ecmp_dir"
	chown frr:frr "$ecmp_dir"
	: >"$ecmp_dir/empty"
	chmod 644 "$ecmp_dir/empty"
	for ecmp_program in zebra bfdd bgpd; do
		set -- "$1" "$2" "$ecmp_program" --vty_socket "$ecmp_dir" -i "$ecmp_dir/$ecmp_program.pid" \
		    -z "$ecmp_dir/zserv" -f "$ecmp_dir/empty" -A 127.0.0.1
		[ "$ecmp_program" != bfdd ] || set -- "$@" --bfdctl "$ecmp_dir/bfdd.sock"
		ecmp_host=$1 ecmp_file=$2
		shift 2
		start_in "$ecmp_host" "daemon-$ecmp_host-$ecmp_program" "$@"
		wait_until 10 test -S "$ecmp_dir/$ecmp_program.vty" ||
			fail "$ecmp_program does not start: $(cat "$NET_DIR/daemon-$ecmp_host-$ecmp_program.log")"
		set -- "$ecmp_host" "$ecmp_file"
	done
	vtysh --vty_socket "$ecmp_dir" -f "$2" >"$ecmp_dir/vtysh.log" 2>&1 ||
		fail "FRR does not take the configuration: $(cat "$ecmp_dir/vtysh.log")"
}

ecmp_test
