#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Three directors behind a router, both with BIRD and the files of doc/operating.md: directors are killed, stopped,
# drained and added, and no long transfer breaks. lib_ecmp.sh has the long form.

# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_ecmp.sh
. "$(dirname -- "$0")/lib_ecmp.sh"
net_require bird birdc python3 jq ip nft

ecmp_guide_files() {
	ECMP_SECTION=BIRD ECMP_DIRECTOR_FILE=/etc/bird/bird.conf ECMP_ROUTER_FILE=/etc/bird/bird.conf
}

ecmp_daemon() { # HOST FILE
	start_in "$1" "daemon-$1" bird -f -c "$2" -s "$NET_DIR/bird-$1" -P "$NET_DIR/bird-$1.pid"
}

ecmp_test
