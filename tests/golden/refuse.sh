#!/bin/sh
# SPDX-License-Identifier: ISC
# Errors of offline mode: outputs that would overwrite the input or mix with the report, files that cannot be read or
# written. Needs no privileges.
#
#     [DSRD=./dsrd] refuse.sh
set -u

here=${SOURCE_DIR:+$SOURCE_DIR/tests/golden}
here=${here:-$(cd "$(dirname "$0")" && pwd)}
dsrd=${DSRD:-${BUILD_DIR:-.}/dsrd}
work=$(mktemp -d "${TMPDIR:-/tmp}/golden.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
failed=0

# refuses STATUS TEXT ARGUMENTS...   the last line on standard error must be TEXT
refuses() {
	wanted=$1 text=$2
	shift 2
	"$dsrd" -f "$here/udp/dsrd.conf" "$@" >"$work/stdout" 2>"$work/stderr"
	status=$?
	last=$(tail -n 1 "$work/stderr")
	if [ "$status" -ne "$wanted" ] || [ "$last" != "$text" ]; then
		echo "FAILED dsrd $*: status $status, not $wanted; it said"
		cat "$work/stderr"
		echo "and not"
		echo "$text"
		failed=$((failed + 1))
	fi
}

cp "$here/udp/in.pcap" "$work/in.pcap"
ln "$work/in.pcap" "$work/other-name.pcap"
ln -s in.pcap "$work/link.pcap"
same="are the same file, which writing would destroy: give -w another name"
for name in in.pcap other-name.pcap link.pcap; do
	refuses 64 "dsrd: -r $work/in.pcap and -w $work/$name $same" -r "$work/in.pcap" -w "$work/$name"
done
refuses 64 "dsrd: -w cannot be standard output, which has a line for each frame already: give -w a file's name" \
    -r "$work/in.pcap" -w -
cmp -s "$here/udp/in.pcap" "$work/in.pcap" || {
	echo "FAILED the input was written to"
	failed=$((failed + 1))
}
refuses 71 "dsrd: cannot read savefile $work/none.pcap: No such file or directory" -r "$work/none.pcap"
refuses 71 "dsrd: cannot write savefile $work/none/out.pcap: No such file or directory" \
    -r "$work/in.pcap" -w "$work/none/out.pcap"
refuses 64 "dsrd: --report requires -r FILE: it reports on offline mode" --report

# Standard input cannot be read once for each server: the rest of the report is there.
"$dsrd" -f "$here/udp/dsrd.conf" -r - --report <"$here/udp/in.pcap" >"$work/stdout" 2>&1
if ! grep -q '^without a server: not tried' "$work/stdout" || ! grep -q '^dns/a  *7  *480  *4 ' "$work/stdout"; then
	echo "FAILED --report of standard input; it said"
	cat "$work/stdout"
	failed=$((failed + 1))
fi

echo "refuse: $failed failed"
[ "$failed" -eq 0 ]
