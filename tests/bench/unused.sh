#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The cost of unused control and monitoring for each frame: processor instructions, counted by callgrind in a daemon
# with
# open control socket and HTTP listener. Instructions do not depend on other load.
#
#     unused.sh BUILD_DIR     needs root, valgrind, nginx and curl

BUILD_DIR=$(CDPATH='' cd -- "${1:-.}" && pwd)
export BUILD_DIR
tests=$(CDPATH='' cd -- "$(dirname -- "$0")/../integration" && pwd)
# shellcheck source-path=SCRIPTDIR source=../integration/net.sh
. "$tests/net.sh"
net_require nginx curl valgrind callgrind_annotate
net_up 2
for server in web1 web2; do
	start_nginx "$server"
	head -c 4000000 /dev/zero >"$NET_DIR/$server/www/big"
done
# The daemon is fifty times slower here: checks wait longer.
{
	conf_head | sed 's/^interval.*/interval = 3s/; s/^timeout.*/timeout = 3s/; s/^log = stderr/&\nhttp = 127.0.0.1:9190/'
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = wrr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_in director dsrd valgrind -q --tool=callgrind --callgrind-out-file="$NET_DIR/callgrind" "$DSRD" -d -f \
    "$NET_DIR/dsrd.conf"
wait_until 60 dsrd_settled || fail "the director did not become ready under callgrind"
for server in web1 web2; do
	wait_until 60 grep -q "server-state server=web/$server .*to=up" "$NET_DIR/dsrd.log" || fail "$server is not up"
done
for round in 1 2 3 4 5; do
	run_in client curl -sS --max-time 60 "http://$VIP/big" "http://$VIP/?[1-20]" >/dev/null ||
		fail "download $round"
done
frames=$("$BUILD_DIR/dsrctl" -s "$NET_DIR/dsrd.sock" show drops | sed -n 's/^frames  *\([0-9]*\) .*/\1/p')
stop_dsrd
callgrind_annotate --inclusive=yes --threshold=100 --auto=no "$NET_DIR/callgrind" >"$NET_DIR/inclusive"
callgrind_annotate --threshold=100 --auto=no "$NET_DIR/callgrind" >"$NET_DIR/self"
of() { # FILE FUNCTION: instructions
	sed -n "s/^ *\([0-9,]*\) (.*[:/]$2 \[.*/\1/p" "$NET_DIR/$1" | head -n 1 | tr -d ,
}
whole=$(of inclusive take_frame) commands=$(of inclusive commands_take_frame) asks=$(of self take_frame) \
    measures=$(of inclusive measure_segment)
for figure in "$whole" "$commands" "$asks" "$measures" "$frames"; do
	[ -n "$figure" ] || fail "callgrind does not name the functions: was this built without symbols?"
done
echo "Instructions for a frame without trace, doctor or requests, over $frames frames:"
echo
awk -v frames="$frames" -v whole="$whole" -v commands="$commands" -v asks="$asks" -v measures="$measures" 'BEGIN {
	printf "  %7.1f           from capture to sender\n", whole / frames
	printf "  %7.1f  %5.1f %%  checks for a running trace or doctor\n", (commands + asks) / frames,
	    100 * (commands + asks) / whole
	printf "  %7.1f  %5.1f %%  statistics from the client'"'"'s acknowledgements (always on)\n", measures / frames,
	    100 * measures / whole
}'
echo
echo "The control socket and HTTP do no work for a frame: they read counters on request."
