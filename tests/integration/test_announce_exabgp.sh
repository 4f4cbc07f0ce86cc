#!/bin/sh
# SPDX-License-Identifier: ISC
#
# ExaBGP with the file of doc/operating.md runs `dsrctl announce`, and a router with BIRD learns and loses the VIP: when
# dsrd is killed, when it hangs, when it is drained, and when the only server fails.

# shellcheck source-path=SCRIPTDIR source=net.sh
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=lib_ecmp.sh
. "$(dirname -- "$0")/lib_ecmp.sh"
net_require exabgp bird python3 ip

# shellcheck disable=SC2034 # lib_ecmp.sh uses them
ECMP_DIRECTORS=d1 ECMP_SERVERS=1
ecmp_up
sed -i -e '/^announce/d' -e '/^peer/d' -e '/^sync-key/d' "$NET_DIR/d1/dsrd.conf"
ecmp_guide BIRD /etc/bird/bird.conf 2 | ecmp_patient >"$NET_DIR/router.conf"
ecmp_guide ExaBGP /etc/exabgp/exabgp.conf 1 |
	sed "s|run .*dsrctl|run $DSRCTL -s $NET_DIR/d1/sock|" >"$NET_DIR/exabgp.conf"
[ -s "$NET_DIR/exabgp.conf" ] || fail "doc/operating.md does not show /etc/exabgp/exabgp.conf"
# ExaBGP speaks no BFD.
sed -i '/bfd on/d' "$NET_DIR/router.conf"
ecmp_start d1
start_in router daemon-router bird -f -c "$NET_DIR/router.conf" -s "$NET_DIR/bird" -P "$NET_DIR/bird.pid"
start_in d1 daemon-d1 env exabgp.daemon.user=root exabgp.daemon.drop=false exabgp.api.cli=false exabgp.log.destination=stdout \
    exabgp "$NET_DIR/exabgp.conf"

withdrawn_after() { # WHAT SECONDS COMMAND...
	withdrawn_what=$1 withdrawn_most=$2
	shift 2
	withdrawn_begin=$(ecmp_milliseconds)
	"$@"
	ecmp_wait_hops "$withdrawn_most" "" "$withdrawn_what"
	step "measured: ExaBGP: $withdrawn_what: withdrawn after $(($(ecmp_milliseconds) - withdrawn_begin)) ms"
}

ecmp_wait_hops 30 1 "at the start"
withdrawn_after "dsrd killed" 3 ecmp_kill d1
ecmp_start d1
ecmp_wait_hops 20 1 "dsrd started again"
withdrawn_after "dsrd stopped" 5 ecmp_stop_running d1
ecmp_resume d1
ecmp_wait_hops 20 1 "dsrd resumed"
withdrawn_after "director drained" 5 ecmp_ctl d1 drain director
ecmp_enable d1
ecmp_wait_hops 5 1 "director enabled"
withdrawn_after "the only server fails" 10 stop server-web1
