#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/ipvs2dsrd: each NAME.in becomes NAME.expected, with NAME.remarks on standard error, and dsrd accepts it; with
# every installed awk, because they disagree about syntax errors. If any line of an input is missing, dsrd accepts the
# output,
# or the remarks say why not.
set -eu

here=$SOURCE_DIR/tests/convert
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"

fail() {
	echo "$*"
	exit 1
}

# convert FILE AWK...: into $work/out and $work/remarks; the status says whether there are remarks.
convert() {
	file=$1
	shift
	status=0
	"$@" -f "$SOURCE_DIR/contrib/ipvs2dsrd" "$file" >"$work/out" 2>"$work/remarks" || status=$?
	if [ -s "$work/remarks" ]; then
		[ "$status" -eq 1 ] || fail "$file by $*: status $status with remarks: $(cat "$work/remarks")"
	else
		[ "$status" -eq 0 ] || fail "$file by $*: status $status without a remark"
	fi
}

accepted() {
	# A dsrd without https reads the same as http: two of them may differ in their paths only.
	if grep -q '^#define HAVE_TLS 0' "$BUILD_DIR/config.h"; then
		sed -e '/^check = https/!b' -e 's/https/http/' -e 's/ verify=no//' -e 's/ sni=[^ ]*//' -e \
		    's/ ca=[^ ]*//' "$work/out" >"$work/plain"
		mv "$work/plain" "$work/out"
	fi
	"$BUILD_DIR/dsrd" -n -f "$work/out" >"$work/said" 2>&1
}

with_every_awk() { # NAME
	for awk in awk mawk gawk original-awk 'busybox awk'; do
		# shellcheck disable=SC2086 # two words
		if $awk 'BEGIN { exit }' 2>/dev/null; then
			convert "$1.in" $awk
			diff -u "$1.expected" "$work/out"
			diff -u "$1.remarks" "$work/remarks"
		fi
	done
	accepted || fail "dsrd refuses $1.expected: $(cat "$work/said")"
}

for input in *.in; do
	name=${input%.in}
	with_every_awk "$name"
	lines=$(wc -l <"$name.in")
	line=2
	while [ "$line" -lt "$lines" ]; do
		sed "${line}d" "$name.in" >"$work/$name.in"
		convert "$work/$name.in" awk
		accepted || grep -q 'no service could be converted' "$work/remarks" ||
			fail "dsrd refuses $name.in without line $line: $(cat "$work/said")"
		line=$((line + 7))
	done
done

# Each server of these is converted or named, and every key is known.
for name in syntax one_line faults keys; do
	grep -o 'real_server [^ ]* ' "$name.in" | cut -d' ' -f2 | grep '^[0-9]' | sort -u >"$work/servers"
	while read -r address; do
		grep -q -F -- "$address" "$name.expected" || fail "$name.in: $address is lost"
	done <"$work/servers"
done
if grep 'not a key known here' keys.remarks; then
	fail "keys.in has keys that ipvs2dsrd does not know"
fi
[ ! -s one_line.remarks ] || fail "there is nothing to say of one_line.in"

# -v config_id=NAME is keepalived's -i NAME.
awk -v config_id=standby -f "$SOURCE_DIR/contrib/ipvs2dsrd" syntax.in >"$work/out" 2>&1 ||
	fail "a remark: $(head -n 1 "$work/out")"
if ! grep -q '192\.0\.2\.13$' "$work/out" || grep -q '192\.0\.2\.14$' "$work/out"; then
	fail "config_id=standby takes other servers"
fi

# An empty file is no configuration.
status=0
awk -f "$SOURCE_DIR/contrib/ipvs2dsrd" /dev/null >/dev/null 2>&1 || status=$?
[ "$status" -eq 2 ] || fail "nothing to convert: status $status instead of 2"
