#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs dsrd on in.pcap of each case and compares its frames, decisions and summary with the expected ones. Needs neither
# privileges nor a network. make.py describes the files of a case.
#
#     [DSRD=./dsrd] run.sh [CASE ...]
set -u

here=${SOURCE_DIR:+$SOURCE_DIR/tests/golden}
here=${here:-$(cd "$(dirname "$0")" && pwd)}
dsrd=${DSRD:-${BUILD_DIR:-.}/dsrd}
work=$(mktemp -d "${TMPDIR:-/tmp}/golden.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

[ -x "$dsrd" ] || {
	echo "run.sh: $dsrd is not there: run make first, or set DSRD" >&2
	exit 1
}

# A savefile as text, one frame a line: time, length on the wire, bytes. The file's own byte order does not show, so
# that machines of either kind compare equal.
frames() {
	od -An -v -tu1 "$1" | awk '
	function number(at,  i, sum) {
		sum = 0
		for (i = 0; i < 4; i++)
			sum = sum * 256 + byte[little ? at + 3 - i : at + i]
		return sum
	}
	{ for (i = 1; i <= NF; i++) byte[count++] = $i }
	END {
		if (count < 24) {
			print "no savefile: " (count + 0) " bytes"
			exit
		}
		little = byte[0] == 212
		printf "magic %u link type %u\n", number(0), number(20)
		for (at = 24; at + 16 <= count; at += 16 + length_) {
			length_ = number(at + 8)
			printf "%u.%06u %u ", number(at), number(at + 4), number(at + 12)
			for (i = 0; i < length_; i++)
				printf "%02x%s", byte[at + 16 + i], i == 13 || i == 33 ? " " : ""
			print ""
		}
		if (at != count)
			print "and " (count - at) " bytes too many"
	}'
}

# Log lines stand before the summary, each with the time of this very moment.
without_times() {
	sed 's/^[0-9]\{4\}-[0-9-]*T[0-9:.]*Z //' "$1"
}

# compare WHAT EXPECTED GOT
compare() {
	diff -u "$2" "$3" >"$work/diff" && return 0
	echo "$name: $1 differs, - is expected, + is what came" >&2
	cat "$work/diff" >&2
	return 1
}

# Some cases say also what --report must print.
check_report() {
	"$dsrd" -f "$case_dir/dsrd.conf" -r "$case_dir/in.pcap" --report >"$work/report" 2>"$work/stderr" || {
		echo "$name: dsrd --report ended with status $?:" >&2
		cat "$work/stderr" >&2
		return 1
	}
	compare report "$case_dir/report" "$work/report"
}

run_case() {
	case_dir=$here/$name
	"$dsrd" -f "$case_dir/dsrd.conf" -r "$case_dir/in.pcap" -w "$work/out.pcap" >"$work/decisions" 2>"$work/stderr"
	status=$?
	result=0
	if [ "$status" -ne 0 ]; then
		echo "$name: dsrd ended with status $status:" >&2
		cat "$work/stderr" >&2
		return 1
	fi
	frames "$case_dir/out.pcap" >"$work/frames.expected"
	frames "$work/out.pcap" >"$work/frames"
	without_times "$work/stderr" >"$work/summary"
	compare frames "$work/frames.expected" "$work/frames" || result=1
	compare decisions "$case_dir/decisions" "$work/decisions" || result=1
	compare summary "$case_dir/summary" "$work/summary" || result=1
	[ ! -f "$case_dir/report" ] || check_report || result=1
	return "$result"
}

if [ $# -eq 0 ]; then
	for directory in "$here"/*/; do
		[ -f "$directory/in.pcap" ] && set -- "$@" "$(basename "$directory")"
	done
fi
[ $# -gt 0 ] || {
	echo "run.sh: there are no cases in $here" >&2
	exit 1
}

failed=0
for name; do
	rm -f "$work"/*
	if run_case; then
		echo "ok $name"
	else
		echo "FAILED $name"
		failed=$((failed + 1))
	fi
done

if command -v python3 >/dev/null 2>&1; then
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/make.py" --check "$here" || failed=$((failed + 1))
fi
echo "golden: $# cases, $failed failed"
[ "$failed" -eq 0 ]
