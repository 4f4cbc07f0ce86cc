#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two directors: the active one is killed, and the other continues every connection that is older than the documented lag. With wlc
# and maglev, IPv4 and IPv6, with and without offload; short requests go on. Then both are upgraded, one after the other.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
# shellcheck source-path=SCRIPTDIR source=lib_peers.sh
. "$(dirname -- "$0")/lib_peers.sh"
net_require python3
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
for way in 'wlc off' 'maglev off' 'wlc tc'; do
	# shellcheck disable=SC2086 # two words
	write_pair $way auto
	start_pair
	begin_traffic
	kill_active
	report "killed, $way"
	assert_equal "connections that broke" 0 "$(held 2)"
	# Those that began in the 0.3 s before the VIP moves, at 50 a second.
	assert_at_most "short requests that failed" 20 "$(held 4)"
	ctl2 0 --json show peers
	said '"state": *"down"'
	stop held
	stop second
done

step "without sync most connections break with wlc: that is what the test above sees"
write_pair wlc off off
start_pair
begin_traffic
kill_active
report "killed, wlc, sync = off"
assert_at_least "connections that broke" $((HELD / 3)) "$(held 2)"
stop held
stop second

step "both are upgraded, one after the other, and an operator's drain outlives that"
write_pair wlc off auto
start_pair
begin_traffic
ctl 0 drain web/web3
wait_second_drained() {
	"$DSRCTL" -s "$NET_DIR/second.sock" show | grep -q '^web/web3 .*drained by root'
}
wait_until 5 wait_second_drained || fail "the second director does not know of the drain"
ctl 0 show peers
said '^lb2  *192.0.2.2:9191  *up .* same '
wait_requests 100
vip_to second
stop_dsrd
wait_requests 50
start_dsrd
wait_servers_up web web1 web2
wait_complete
vip_to director
stop second
wait_requests 50
start_second
wait_second_up web/web1 web/web2
wait_complete
wait_until 5 wait_second_drained || fail "the second director has lost the drain"
wait_requests 50
report "upgraded"
assert_equal "connections that broke" 0 "$(held 2)"
# One that was under way when the VIP moved is younger than what is shared, and follows the hash.
assert_at_most "short requests that failed" 10 "$(held 4)"
stop held

step "differences are named, and another key keeps the peer out"
stop second
sed -i 's/^server = web2 .*/& weight=7/' "$NET_DIR/second.conf"
start_second
named() {
	ctl 0 show peers
	grep -q 'web/web2 .*its weight is 1 here and 7 there' "$NET_DIR/said"
}
wait_until 10 named || fail "dsrctl show peers does not name the weight: $(cat "$NET_DIR/said")"
wait_log 5 'peer-differs problem=begin subject=lb2'
ctl 0 --json show peers
python3 "$(dirname -- "$0")/members.py" "$(dirname -- "$0")/../../man/dsrd-json.7.in" "show peers" <"$NET_DIR/said" ||
	fail "a member is not documented"
stop second
echo "another key of more than 16 bytes" >"$NET_DIR/key"
start_second
wait_log 10 'peer-down problem=begin subject=lb2'
wait_until 10 grep -q 'peer-refused .*its key is another one' "$NET_DIR/second.log" ||
	fail "the second director does not say that the key is wrong"
stop_pair
chmod 644 "$NET_DIR/key"
start_in second second "$DSRD" -d -f "$NET_DIR/second.conf"
wait_until 10 pid_gone "$(pid_of second)" || fail "dsrd starts with a key that others can read"
grep -q 'others can read it: type `chmod 600' "$NET_DIR/second.log" || fail "no word about the key's mode"
