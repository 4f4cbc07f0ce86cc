#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs the integration tests: each in a network of its own, made of namespaces, with real programs.
#
#   tests/integration/run.sh BUILD_DIR [NAME...]      e.g. run.sh /tmp/build wrr dns
#
# Prints a line a test, and the end of its log when it failed. Status 0: none failed. Environment: DSRD_CI=1 makes a
# skipped test a failure, DSRD_KEEP=1 keeps what the tests wrote, TEST_TIMEOUT (seconds) bounds each test, TEST_TRIES=2
# gives a failed test a second try and says so: a machine that is busy with others fails what is right.

set -u

usage() {
	echo "usage: ${0##*/} BUILD_DIR [NAME...]" >&2
	exit 64 # EX_USAGE, sysexits(3)
}

[ $# -ge 1 ] || usage
[ -d "$1" ] || { echo "${0##*/}: $1: no such directory; build dsrd first" >&2; exit 64; }
BUILD_DIR=$(CDPATH='' cd -- "$1" && pwd)
export BUILD_DIR
shift
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
log=$(mktemp "${TMPDIR:-/tmp}/dsrd-run.XXXXXX") || exit 71
running=
finish() {
	trap - EXIT INT TERM
	if [ -n "$running" ]; then
		kill -TERM "$running" 2>/dev/null
		wait "$running"
	fi
	rm -f "$log"
	exit "$1"
}
trap 'finish $?' EXIT
trap 'finish 130' INT
trap 'finish 143' TERM

if [ $# -eq 0 ]; then
	set -- "$here"/test_*.sh
fi

# Sets `status` and `took`; the test's output is in $log.
run_test() { # FILE
	begin=$(date +%s)
	# timeout(1) makes a process group of its own, so an interrupt reaches the test only if it is passed on.
	timeout -k 20 "${TEST_TIMEOUT:-300}" sh "$1" >"$log" 2>&1 </dev/null &
	running=$!
	wait "$running"
	status=$?
	running=
	took=$(($(date +%s) - begin))
	[ "$status" != 124 ] || echo "FAILED: not done after ${TEST_TIMEOUT:-300} s" >>"$log"
}

tell_log() {
	tail -n 60 "$log" | sed 's/^/    /'
}

passed=0 failed=0 skipped=0
for test in "$@"; do
	name=${test##*/}
	name=${name#test_}
	name=${name%.sh}
	file=$here/test_$name.sh
	if [ ! -f "$file" ]; then
		echo "not ok $name: there is no $file"
		failed=$((failed + 1))
		continue
	fi
	run_test "$file"
	try=1
	while [ "$status" -ne 0 ] && [ "$status" -ne 77 ] && [ "$try" -lt "${TEST_TRIES:-1}" ]; do
		echo "again $name (${took}s), status $status; the end of its log:"
		tell_log
		try=$((try + 1))
		run_test "$file"
	done
	case $status in
	0)
		echo "ok $name (${took}s$([ "$try" -eq 1 ] || echo ", try $try"))"
		passed=$((passed + 1))
		;;
	77)
		echo "skip $name: $(sed -n 's/^SKIPPED: //p' "$log" | tail -n 1)"
		skipped=$((skipped + 1))
		;;
	*)
		echo "not ok $name (${took}s), status $status; the end of its log:"
		tell_log
		failed=$((failed + 1))
		;;
	esac
done
echo "integration: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
