#!/bin/sh
# SPDX-License-Identifier: ISC
# contrib/ipvs2dsrd: each NAME.in becomes NAME.expected, with NAME.remarks on standard error, and dsrd accepts it. With
# every awk there is: what one takes for a syntax error another does not.
set -eu

here=$SOURCE_DIR/tests/convert
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$here"

convert() { # NAME AWK...
	name=$1
	shift
	status=0
	"$@" -f "$SOURCE_DIR/contrib/ipvs2dsrd" "$name.in" >"$work/out" 2>"$work/remarks" || status=$?
	if [ "$status" -ne 1 ]; then
		echo "$name by $*: status $status instead of 1"
		cat "$work/remarks"
		exit 1
	fi
	diff -u "$name.expected" "$work/out"
	diff -u "$name.remarks" "$work/remarks"
	# A dsrd without https is told to do what its message says.
	if grep -q '^#define HAVE_TLS 0' "$BUILD_DIR/config.h"; then
		sed 's/^check = https.*/check = tcp/' "$work/out" >"$work/plain"
		mv "$work/plain" "$work/out"
	fi
	"$BUILD_DIR/dsrd" -n -f "$work/out" >/dev/null
}

for name in ipvsadm keepalived ldirectord; do
	convert "$name" awk
	for other in mawk gawk original-awk; do
		if command -v "$other" >/dev/null; then
			convert "$name" "$other"
		fi
	done
	if busybox awk 'BEGIN { exit }' 2>/dev/null; then
		convert "$name" busybox awk
	fi
done

# All is well with a plain one, and an empty one is no configuration.
sed 2q ipvsadm.in | awk -f "$SOURCE_DIR/contrib/ipvs2dsrd" - >"$work/out" 2>"$work/remarks"
if [ -s "$work/remarks" ] || ! grep -q '^server = 192.0.2.11 192.0.2.11$' "$work/out"; then
	echo "a plain service was not converted silently:"
	cat "$work/remarks" "$work/out"
	exit 1
fi
status=0
awk -f "$SOURCE_DIR/contrib/ipvs2dsrd" /dev/null >/dev/null 2>&1 || status=$?
if [ "$status" -ne 2 ]; then
	echo "nothing to convert: status $status instead of 2"
	exit 1
fi
