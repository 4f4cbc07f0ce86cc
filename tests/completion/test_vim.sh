#!/bin/sh
# SPDX-License-Identifier: ISC
# The syntax for vim matches the table of keys. Vim, if installed, accepts the sample and a configuration with all kinds
# of
# values, and marks each error in another one.
set -eu
LC_ALL=C
export LC_ALL
made=$SOURCE_DIR/contrib/vim
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

wrong() {
	echo "$*" >&2
	exit 1
}

"$BUILD_DIR/tests/completion/tables" >"$tmp/tables"
awk -v frame="$made/syntax.in" -f "$made/syntax.awk" "$tmp/tables" >"$tmp/made"
cmp -s "$tmp/made" "$made/syntax/dsrd.vim" || wrong "contrib/vim/syntax/dsrd.vim is old: make completions"
if awk -v frame="$made/syntax.in" -f "$made/syntax.awk" /dev/null >/dev/null 2>&1; then
	wrong "a table without keys is taken"
fi

vim --version 2>/dev/null | grep -q '+syntax' || exit 0

SEEN=$tmp/groups
HOME=$tmp
export SEEN HOME

look() { # FILE: where which group begins, into $SEEN
	rm -f "$SEEN"
	vim -es -N -u NONE -i NONE --cmd "set runtimepath^=$made" -c 'filetype plugin on' -c 'syntax on' -c "edit $1" \
	    -S "$SOURCE_DIR/tests/completion/groups.vim" </dev/null >"$tmp/said" 2>&1 || true
	[ -s "$SEEN" ] || wrong "vim cannot read $1: $(cat "$tmp/said")"
	grep -q '^filetype dsrd, comments ; %s$' "$SEEN" || wrong "vim: $(tail -n 1 "$SEEN")"
}

has() { # LINE:COLUMN GROUP
	grep -qx "$*" "$SEEN" || wrong "no \`$*\` in: $(cat "$SEEN")"
}

# Nothing is wrong with what is right: the sample, with everything in it switched on, too.
sed -e 's/^;\([a-z-]* = \)/\1/' -e 's/^;\[/[/' "$SOURCE_DIR/etc/dsrd.conf" >"$tmp/dsrd.conf"
for file in "$SOURCE_DIR/etc/dsrd.conf" "$tmp/dsrd.conf"; do
	look "$file"
	if grep dsrdBad "$SEEN"; then
		wrong "the above, of $file, is wrong to vim"
	fi
done
keys=$(grep -c 'Key$' "$SEEN")
[ "$keys" -ge "$(grep -c '^key' "$tmp/tables")" ] || wrong "vim knows only $keys keys of the sample"

cat >"$tmp/dsrd.conf" <<END
[dsrd]
offload = xdp ; a comment
connections = 64k
[service web]
listen = 2001:db8::10 tcp/80
scheduler = least-latency
server = web1 192.0.2.11 weight=3 backup
check = tcp send="a\\x3b\\n"
persist = 5m /24
END
look "$tmp/dsrd.conf"
if grep dsrdBad "$SEEN"; then
	wrong "the above is wrong to vim"
fi
has 1:1 dsrdSection
has 2:1 dsrdDsrdKey
has 2:11 dsrdOffloadWord
has 2:15 dsrdComment
has 3:15 dsrdNumber
has 5:10 dsrdAddress
has 5:23 dsrdProtocol
has 6:13 dsrdSchedulerWord
has 7:15 dsrdAddress
has 7:26 dsrdOption
has 7:35 dsrdOption
has 8:9 dsrdCheckWord
has 8:20 dsrdEscape
has 9:11 dsrdDuration

cat >"$tmp/dsrd.conf" <<END
[dsrd]
scheduler = rr
offload = fast
[defaults]
listen = 192.0.2.10 tcp/80
gaintervall = 2s
[service]
[other]
key = value
END
look "$tmp/dsrd.conf"
has 2:1 dsrdBadKey
has 3:11 dsrdBad
has 5:1 dsrdBadKey
has 6:1 dsrdBadKey
has 7:1 dsrdBad
has 8:1 dsrdBad
has 9:1 dsrdBad
