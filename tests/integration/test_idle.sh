#!/bin/sh
# SPDX-License-Identifier: ISC
#
# An idle director uses no measurable CPU time, even after traffic, and still works afterwards.
#
# Alone: it measures CPU time and how often the process wakes.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl
net_up 2
for server in web1 web2; do
	start_nginx "$server"
done

# The defaults of a real installation: a check every two seconds.
cat >"$NET_DIR/dsrd.conf" <<END
[dsrd]
control = off
interface = eth0
log = stderr
user = root

[service web]
listen = $VIP tcp/80
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END
start_dsrd
wait_servers_up web web1 web2
fetch_many 100 "$NET_DIR/pages"

# User and system time so far, in ticks of 1/100 s (proc(5), fields 14 and 15).
ticks() {
	cut -d ' ' -f 14,15 "/proc/$(pid_of dsrd)/stat" | {
		read -r user system
		echo $((user + system))
	}
}

# How often it was woken: a busy loop could hide in many short turns.
turns() {
	sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' "/proc/$(pid_of dsrd)/status"
}

step "ten idle seconds"
before=$(ticks)
turns_before=$(turns)
sleep 10
used=$(($(ticks) - before))
woken=$(($(turns) - turns_before))
echo "# $used ticks, woken $woken times"
# Ten seconds are 1000 ticks; two are what rounding and the checks may take.
assert_at_most "ticks of CPU time in ten idle seconds" 2 "$used"
assert_at_most "times that it woke in ten idle seconds" 300 "$woken"

case $(fetch /) in
web[12]) ;;
*) fail "after its rest the director does not serve" ;;
esac
stop_dsrd
