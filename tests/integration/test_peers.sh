#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two directors that share connections; the VIP is moved by hand (with an engine: test_keepalived.sh). With maglev nothing is
# sent while servers stay, also during a flood. The active one is killed: the other continues every connection that is
# older than the documented lag, with sync, and not without it. Drains outlive a director; peers and their key change by
# reload; a peer that reads nothing is dropped.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=lib_peers.sh
. "$(dirname -- "$0")/lib_peers.sh"
net_require python3
FLOOD=$BUILD_DIR/tests/integration/flood
LONG=$(dirname -- "$0")/long.py
HELD=200
pair_up 3
for server in web1 web2 web3; do
	start_in "$server" "$server" python3 "$LONG" serve 80
done

write_pair() { # SCHEDULER OFFLOAD SYNC
	DSRD_OFFLOAD=$2 pair_conf <<-END

	[service web]
	listen = $VIP tcp/80
	listen = $VIP6 tcp/80
	scheduler = $1
	sync = $3
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
}

# A line of long.py's file: answered, broken, requests, failed, silence.
held() { # WORD
	cut -d ' ' -f "$1" "$NET_DIR/held"
}

all_answer() {
	[ "$(held 1)" -eq "$HELD" ]
}

begin_traffic() {
	vip_to director
	rm -f "$NET_DIR/held"
	start_in client held python3 "$LONG" hold "$HELD" 80 "$NET_DIR/held" "$VIP" "$VIP6"
	wait_until 15 all_answer || fail "only $(held 1) of $HELD connections begin"
}

requests_above() { # COUNT
	[ "$(held 3)" -gt "$1" ]
}

# So many more short requests have been begun.
wait_requests() { # MORE
	wait_until 20 requests_above $(($(held 3) + $1)) || fail "no short requests any more"
}

report() { # WHAT
	step "$1: $(held 2) of $HELD connections broke, $(held 4) of $(held 3) short requests failed, longest silence $(held 5) ms"
}

start_pair() {
	rm -f "$NET_DIR"/*.state
	start_dsrd
	start_second
	wait_servers_up web web1 web2 web3
	wait_second_up web/web1 web/web2 web/web3
	wait_complete
}

stop_pair() {
	stop_dsrd
	stop second
	assert_equal "exit status of the second director" 0 "$STOP_STATUS"
}

# The active director is killed; after the engine's detection time the VIP moves.
kill_active() {
	wait_requests 100 # two seconds: the connections are older than the lag
	kill -KILL "$(pid_of dsrd)"
	wait_until 5 pid_gone "$(pid_of dsrd)"
	sleep 0.3 # what an engine takes to notice
	vip_to second
	wait_requests 150
}

write_pair wlc off auto
if "$DSRD" -n -f "$NET_DIR/dsrd.conf" 2>&1 | grep -q 'needs OpenSSL'; then
	skip "dsrd was built without OpenSSL, so it has no peers"
fi
step "maglev sends no connection while servers stay"
sent_of() { # MEMBER: of the first director's peer
	"$DSRCTL" -s "$NET_DIR/dsrd.sock" --json show peers | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p" | head -n 1
}
write_pair maglev off auto
start_pair
begin_traffic
wait_requests 100
run_in client "$FLOOD" eth0 "$DIRECTOR_MAC" "$VIP" 80 20000 20000 s >/dev/null
wait_requests 50
assert_equal "connections sent with maglev" 0 "$(sent_of flows_sent)"
kill_active
report "killed, maglev"
assert_equal "connections that broke" 0 "$(held 2)"
stop held
stop second

step "with wlc and offload to the kernel those are sent that the hash would get wrong"
write_pair wlc tc auto
start_pair
begin_traffic
wait_requests 100
# The hash would choose the same server for a third of them.
assert_at_least "connections sent with wlc" $((HELD / 2)) "$(sent_of flows_sent)"
kill_active
report "killed, wlc, offload tc"
assert_equal "connections that broke" 0 "$(held 2)"
# Those that began in the 0.3 s before the VIP moves, at 50 a second.
assert_at_most "short requests that failed" 20 "$(held 4)"
ctl2 0 --json show peers
said '"state": *"down"'
stop held
stop second

step "without sync most connections break with wlc: that is what the test above sees"
write_pair wlc off off
start_pair
begin_traffic
kill_active
report "killed, wlc, sync = off"
assert_at_least "connections that broke" $((HELD / 3)) "$(held 2)"
stop held
stop second

step "an operator's drain outlives the director on which it was ordered"
write_pair wlc off auto
start_pair
begin_traffic
ctl 0 drain web/web3
is_drained_at() { # dsrd|second
	"$DSRCTL" -s "$NET_DIR/$1.sock" show | grep -q '^web/web3 .*drained by root'
}
wait_until 5 is_drained_at second || fail "the second director does not know of the drain"
ctl 0 show peers
said '^lb2  *192.0.2.2:9191  *up .* same '
wait_requests 100
vip_to second
stop_dsrd
rm -f "$NET_DIR/dsrd.state"
wait_requests 50
start_dsrd
wait_servers_up web web1 web2
wait_complete
wait_until 5 is_drained_at dsrd || fail "the first director has lost the drain"
vip_to director
wait_requests 50
report "replaced"
assert_equal "connections that broke" 0 "$(held 2)"
# One that was under way when the VIP moved is younger than what is shared, and follows the hash.
assert_at_most "short requests that failed" 10 "$(held 4)"
stop held

step "differences are named"
sed -i 's/^server = web2 .*/& weight=7/' "$NET_DIR/second.conf"
ctl2 0 reload
named() {
	ctl 0 show peers
	grep -q 'web/web2 .*its weight is 1 here and 7 there' "$NET_DIR/said"
}
wait_until 10 named || fail "dsrctl show peers does not name the weight: $(cat "$NET_DIR/said")"
wait_log 5 'peer-differs problem=begin subject=lb2'
ctl 0 --json show peers
python3 "$(dirname -- "$0")/members.py" "$(dirname -- "$0")/../../man/dsrd-json.7.in" "show peers" <"$NET_DIR/said" ||
	fail "a member is not documented"

step "the key and the peers change by reload"
echo "another key of more than 16 bytes" >"$NET_DIR/key"
ctl2 0 reload
wait_log 10 'peer-down problem=begin subject=lb2'
wait_until 10 grep -q 'peer-refused .*its key is another one' "$NET_DIR/second.log" ||
	fail "the second director does not say that the key is wrong"
ctl 0 reload
wait_complete
mv "$NET_DIR/dsrd.conf" "$NET_DIR/with_peer.conf"
grep -v '^peer = ' "$NET_DIR/with_peer.conf" >"$NET_DIR/dsrd.conf"
ctl 0 reload
ctl 0 show peers
said 'no peers'
mv "$NET_DIR/with_peer.conf" "$NET_DIR/dsrd.conf"
ctl 0 reload
wait_complete
chmod 644 "$NET_DIR/key"
ctl 0 reload
wait_log 5 'reload key=peer result=failed reason=.*others can read it'
wait_complete
chmod 600 "$NET_DIR/key"
stop_pair
chmod 644 "$NET_DIR/key"
start_in second second "$DSRD" -d -f "$NET_DIR/second.conf"
wait_until 10 pid_gone "$(pid_of second)" || fail "dsrd starts with a key that others can read"
grep -q 'others can read it: type `chmod 600' "$NET_DIR/second.log" || fail "no word about the key's mode"
