#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The packet engines and the platform layer on a real interface, without the daemon: captured frames, frames that are
# not queued, remaining privileges and offloads, and restored settings.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require ping setpriv nginx curl
ENGINE=$BUILD_DIR/tests/integration/engine_test
[ -x "$ENGINE" ] || skip "there is no $ENGINE: type 'make' first"
net_up 1

engine() { # TEST ARGUMENT...: on the director
	run_in director "$ENGINE" "$@"
}

value() { # KEY FILE-OR-'-': of the last word KEY=VALUE or KEY="VALUE"
	sed -n "s/.*\\<$1=\"\\([^\"]*\\)\".*/\\1/p; t
s/.*\\<$1=\\([^ \"]*\\).*/\\1/p" "$2" | tail -n 1
}

start_engine() { # NAME TEST ARGUMENT...: and wait until it is ready
	engine_name=$1
	shift
	start_in director "$engine_name" "$ENGINE" "$@"
	wait_until 10 grep -q ready "$NET_DIR/$engine_name.log" ||
		fail "$1 is not ready: $(cat "$NET_DIR/$engine_name.log")"
}

await_engine() { # NAME
	wait_until 10 pid_gone "$(pid_of "$1")" || fail "$1 does not end"
	wait "$(pid_of "$1")" || fail "$1 failed: $(cat "$NET_DIR/$1.log")"
}

expect() { # WHAT KEY EXPECTED FILE
	assert_equal "$1" "$3" "$(value "$2" "$4")"
}

out=$NET_DIR/out

step "frames are captured, those of the filter only"
start_engine capture capture eth0 'icmp and ether dst 02:00:00:00:00:01' 20
run_in client ping -q -n -c 20 -i 0.01 -s 1000 "$SERVER_PREFIX.1" >"$NET_DIR/ping"
await_engine capture
expect "frames captured" frames 20 "$NET_DIR/capture.log"
expect "their length" largest 1042 "$NET_DIR/capture.log"
expect "frames that were cut" cut 0 "$NET_DIR/capture.log"
expect "frames the kernel counts" received 20 "$NET_DIR/capture.log"
expect "frames the ring had no room for" dropped 0 "$NET_DIR/capture.log"

# Whatever offloads the interface has: large frames must not make the slots of the ring large, nor small slots cut them.
step "thousands of frames are kept for a late reader, and super-frames among them are whole"
mkfifo "$NET_DIR/late"
start_in director late sh -c \
    "\"$ENGINE\" hold eth0 'ether dst $DIRECTOR_MAC and (icmp or tcp port 80)' <\"$NET_DIR/late\""
exec 8>"$NET_DIR/late"
wait_until 10 grep -q ready "$NET_DIR/late.log" || fail "hold is not ready: $(cat "$NET_DIR/late.log")"
run_in client ping -q -n -f -c 6000 -l 6000 "$SERVER_PREFIX.1" >"$NET_DIR/ping" || fail "ping: $(cat "$NET_DIR/ping")"
start_nginx director
head -c 2000000 /dev/zero >"$NET_DIR/zeros"
run_in client curl -sS --max-time 20 -H 'Expect:' -T "$NET_DIR/zeros" "http://$SERVER_PREFIX.1/up/zeros" ||
	fail "the upload broke off"
echo go >&8
exec 8>&-
await_engine late
assert_at_least "frames kept" 6000 "$(value frames "$NET_DIR/late.log")"
expect "frames the ring had no room for" dropped 0 "$NET_DIR/late.log"
expect "frames that were cut" cut 0 "$NET_DIR/late.log"
assert_at_least "the largest" 10000 "$(value largest "$NET_DIR/late.log")"

step "a bad filter is refused with a reason"
if engine capture eth0 'tcp port eighty-one' 1 >"$out"; then
	fail "the filter was taken: $(cat "$out")"
fi
grep -q 'eighty-one' "$out" || fail "no word about the filter: $(cat "$out")"

step "an interface that goes away ends the capture"
ip -n "$NET-director" link add gone0 type veth peer name gone1
ip -n "$NET-director" link set gone0 up
start_engine gone capture gone0 icmp 1
ip -n "$NET-director" link delete gone0
await_engine gone
expect "result" result failed "$NET_DIR/gone.log"
[ -n "$(value error "$NET_DIR/gone.log")" ] || fail "no reason: $(cat "$NET_DIR/gone.log")"

step "what can't be captured is refused with a reason"
ip -n "$NET-director" link add down0 type bridge
if engine capture down0 icmp 1 >"$out"; then
	fail "an interface that is down was opened"
fi
grep -q 'down0 is down' "$out" || fail "no word about it: $(cat "$out")"
if engine capture nowhere0 icmp 1 >"$out"; then
	fail "an interface that is not there was opened"
fi
grep -q "no interface \`nowhere0\`" "$out" || fail "no word about it: $(cat "$out")"
ip -n "$NET-director" tuntap add mode tun name tun0 || skip "tun devices cannot be made here"
ip -n "$NET-director" link set tun0 up
if engine capture tun0 icmp 1 >"$out"; then
	fail "an interface without Ethernet was opened"
fi
grep -q 'no Ethernet frames' "$out" || fail "no word about it: $(cat "$out")"

step "our own frames are not seen, nor do they fill the ring"
engine own eth0 >"$out"
expect "frames sent" sent 100 "$out"
expect "frames that could not be sent" failed 0 "$out"
expect "own frames seen" own 0 "$out"
engine own eth0 ignore >"$out"
expect "os_ignore_outgoing()" ignore 0 "$out"
expect "own frames seen" own 0 "$out"
expect "own frames in the ring" received 0 "$out"

step "libnet's socket, which would take every frame, takes none"
start_engine deaf deaf eth0
run_in client ping -q -n -c 100 -i 0.002 "$SERVER_PREFIX.1" >"$NET_DIR/ping"
await_engine deaf
expect "did the frames come" came 1 "$NET_DIR/deaf.log"
expect "frames queued" queued 0 "$NET_DIR/deaf.log"
expect "os_silence_socket(), for what came before" silence 0 "$NET_DIR/deaf.log"
expect "is there one left" left -1 "$NET_DIR/deaf.log"
expect "frames sent" sent 100 "$NET_DIR/deaf.log"
expect "frames that could not be sent" failed 0 "$NET_DIR/deaf.log"

step "a capture lives through its interface going down and up"
start_engine updown capture eth0 'icmp and ether dst 02:00:00:00:00:01' 20
ip -n "$NET-director" link set eth0 down
ip -n "$NET-director" link set eth0 up
wait_until 10 run_in client ping -q -n -c 1 -W 1 "$SERVER_PREFIX.1" || fail "the director's interface is not up again"
run_in client ping -q -n -c 20 -i 0.01 "$SERVER_PREFIX.1" >"$NET_DIR/ping"
await_engine updown
expect "result" result fine "$NET_DIR/updown.log"
assert_at_least "frames captured" 20 "$(value frames "$NET_DIR/updown.log")"

step "frames that an interface does not take are counted"
engine refused eth0 >"$out"
expect "frames sent" sent 0 "$out"
expect "frames that could not be sent" failed 1 "$out"
expect "last errno (EMSGSIZE)" errno 90 "$out"

# Everything but the bits that say how a feature came to be: the state that dsrd must leave as it found it.
offloads() {
	run_in director ethtool -k eth0 | sed 's/ \[.*//'
}

step "receive offloads go off, and come back as they were"
run_in director ethtool -K eth0 gro on rx-udp-gro-forwarding on || fail "ethtool could not turn offloads on"
offloads >"$NET_DIR/offloads-before"
mkfifo "$NET_DIR/go"
start_in director offload sh -c "\"$ENGINE\" offload eth0 <\"$NET_DIR/go\""
exec 9>"$NET_DIR/go"
wait_until 5 grep -q '^off=' "$NET_DIR/offload.log" || fail "nothing was turned off: $(cat "$NET_DIR/offload.log")"
expect "os_offload_off()" off 0 "$NET_DIR/offload.log"
expect "what was turned off" which "gro rx-udp-gro-forwarding" "$NET_DIR/offload.log"
offloads >"$NET_DIR/offloads-off"
assert_equal "merging features that are still on" "" \
    "$(grep -E '^(generic-receive-offload|large-receive-offload|rx-gro-hw|rx-udp-gro-forwarding|rx-gro-list): on' \
	"$NET_DIR/offloads-off" || true)"
assert_equal "features that differ" 2 "$(diff "$NET_DIR/offloads-before" "$NET_DIR/offloads-off" | grep -c '^<' || true)"
echo go >&9
exec 9>&-
await_engine offload
offloads >"$NET_DIR/offloads-after"
cmp -s "$NET_DIR/offloads-before" "$NET_DIR/offloads-after" || fail "offloads are not as they were found"

step "offloads that were off are left alone"
run_in director ethtool -K eth0 gro off rx-udp-gro-forwarding off
echo go | engine offload eth0 >"$out"
expect "os_offload_off()" off 0 "$out"
expect "what was turned off" which none "$out"
run_in director ethtool -k eth0 | grep -q '^generic-receive-offload: off' || fail "GRO was turned on"

step "whose addresses"
engine address "$SERVER_PREFIX.1" >"$out"
expect "an own address" holds 1 "$out"
expect "its interface" interface eth0 "$out"
engine address "$SERVER_PREFIX.100" >"$out"
expect "a neighbor's address" holds 0 "$out"
engine address 198.51.100.1 >"$out"
expect "an address without a route" holds 0 "$out"
ip -n "$NET-director" address add 198.51.100.7/32 dev eth0 label eth0:vip
engine address 198.51.100.7 >"$out"
expect "an address with a label" holds 1 "$out"
expect "its interface" interface eth0 "$out"
ip -n "$NET-director" route add local 203.0.113.0/24 dev lo
engine address 203.0.113.9 >"$out"
expect "an address in a local route" holds 1 "$out"
expect "its interface" interface lo "$out"

step "forwarding"
engine forwards eth0 >"$out"
expect "forwards" forwards 0 "$out"
run_in director sysctl -q -w net.ipv4.conf.eth0.forwarding=1
engine forwards eth0 >"$out"
expect "forwards" forwards 1 "$out"
fix=$(value fix "$out")
# shellcheck disable=SC2086
run_in director $fix >/dev/null || fail "the command that should fix it fails: $fix"
engine forwards eth0 >"$out"
expect "forwards, fixed" forwards 0 "$out"

step "root is dropped, but for what frames and offloads need"
run_in director ethtool -K eth0 gro on
offloads >"$NET_DIR/offloads-before"
engine drop nobody:daemon eth0 >"$out" || fail "it fails: $(cat "$out")"
expect "user" uid "$(id -u nobody)" "$out"
expect "group" gid "$(getent group daemon | cut -d: -f3)" "$out"
expect "supplementary groups" groups 1 "$out"
# CAP_NET_ADMIN is 12, CAP_NET_RAW is 13 (linux/capability.h).
expect "permitted capabilities" CapPrm 0000000000003000 "$out"
expect "effective capabilities" CapEff 0000000000003000 "$out"
expect "inheritable capabilities" CapInh 0000000000000000 "$out"
expect "ambient capabilities" CapAmb 0000000000000000 "$out"
expect "bounding set" CapBnd 0000000000003000 "$out"
expect "no new privileges" NoNewPrivs 1 "$out"
expect "becoming root again" back -1 "$out"
expect "reading root's files" shadow -1 "$out"
expect "opening an interface after that" open 1 "$out"
expect "turning offloads off after that" off 0 "$out"
expect "turning them on again" restored 0 "$out"
expect "dropping once more" again 0 "$out"
offloads >"$NET_DIR/offloads-after"
cmp -s "$NET_DIR/offloads-before" "$NET_DIR/offloads-after" || fail "offloads are not as they were found"

step "root without CAP_NET_ADMIN and CAP_SETPCAP, as in containers"
run_in director setpriv --bounding-set -net_admin,-setpcap "$ENGINE" drop nobody eth0 >"$out" || fail "it fails: $(cat "$out")"
expect "effective capabilities" CapEff 0000000000002000 "$out"
expect "opening an interface after that" open 1 "$out"
expect "turning offloads off after that" off -1 "$out"

step "what is missing without privilege is said"
engine missing >"$out"
expect "root lacks" missing "" "$out"
run_in director setpriv --reuid nobody --clear-groups --inh-caps -all "$ENGINE" missing >"$out"
grep -q CAP_NET_RAW "$out" || fail "no word about CAP_NET_RAW: $(cat "$out")"
if run_in director setpriv --reuid nobody --clear-groups --inh-caps -all "$ENGINE" capture eth0 icmp 1 >"$out"; then
	fail "user nobody may capture"
fi
expect "errno (EPERM)" errno 1 "$out"
run_in director setpriv --reuid nobody --clear-groups --inh-caps -all "$ENGINE" drop daemon eth0 >"$out" &&
	fail "user nobody became daemon"
grep -q 'cannot become user daemon' "$out" || fail "no word about it: $(cat "$out")"
