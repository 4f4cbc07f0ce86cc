#!/bin/sh
# SPDX-License-Identifier: ISC
# The completions match the tables of dsrctl and dsrd, and bash, zsh and fish, as far as installed, complete with them.
# shellcheck disable=SC2317 # by_bash(), by_zsh() and by_fish() are called by offers()
set -eu
LC_ALL=C
export LC_ALL
here=$SOURCE_DIR/tests/completion
made=$SOURCE_DIR/contrib/completion
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

wrong() {
	echo "$*" >&2
	failed=1
}

# --- they are up to date ---

"$BUILD_DIR/tests/completion/tables" >"$tmp/tables"
for file in bash/dsrctl bash/dsrd zsh/_dsrctl zsh/_dsrd fish/dsrctl.fish fish/dsrd.fish; do
	program=$(basename "$file" .fish)
	sh "$made/generate.sh" "$tmp/tables" "${file%/*}" "${program#_}" >"$tmp/made"
	cmp -s "$tmp/made" "$made/$file" || wrong "contrib/completion/$file is old: make completions"
done
# An unknown kind of argument is an error, so that its completion must be added with it.
printf 'command\tfly\tMOON\tgoes there\n' >"$tmp/other"
if sh "$made/generate.sh" "$tmp/other" bash dsrctl >/dev/null 2>"$tmp/why"; then
	wrong "an argument of unknown kind is accepted"
fi
grep -q 'complete MOON' "$tmp/why" || wrong "the reason is missing: $(cat "$tmp/why")"

# --- they complete ---

# Instead of a director: it says its names, and which socket it was asked for.
mkdir "$tmp/bin"
cat >"$tmp/bin/dsrctl" <<-END
	#!/bin/sh
	echo "\$*" >>"$tmp/asked"
	cat <<NAMES
	NAME            KIND
	web             service
	web/web1        server
	web/web2        server
	192.0.2.10      vip
	2001:db8::10    vip
	NAMES
END
chmod +x "$tmp/bin/dsrctl"
PATH=$tmp/bin:$PATH
HOME=$tmp
export PATH HOME
: >"$tmp/a-file"
cd "$tmp"

by_bash() { # LINE; in COMPREPLY only what is behind the last "=" or ":"
	# shellcheck disable=SC2016,SC1003 # bash's
	bash --norc --noprofile -c '
		COMP_WORDBREAKS=$'\'' \t\n"'\''\'\'\''><=;|&(:'\''
		source "$1/${2%% *}"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDS=("${2%% *}")
		"_${2%% *}"
		((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"
	' bash "$made/bash" "$1"
}

by_zsh() {
	zsh -f "$here/complete.zsh" "$1" "$made/zsh" "$tmp/zsh-output"
	cat "$tmp/zsh-output"
}

by_fish() {
	# shellcheck disable=SC2016 # fish's
	fish --no-config -c 'source $argv[1]/dsrctl.fish; source $argv[1]/dsrd.fish; complete -C "$argv[2]"' \
	    "$made/fish" "$1" | cut -f 1
}

offers() { # WORDS LINE: in any order
	got=$("by_$shell" "$2" | sed 's/.*=\(.\)/\1/; s/=$//; /^$/d' | sort -u | tr '\n' ' ')
	# shellcheck disable=SC2086 # words
	wanted=$(printf '%s\n' $1 | sed '/^$/d' | sort -u | tr '\n' ' ')
	[ "$got" = "$wanted" ] || wrong "$shell, \`$2\`: expected '$wanted', got '$got'"
}

complete_all() {
	# zsh has a style, prefix-needed, by which its user decides whether options are offered before a dash is typed.
	if [ "$shell" != zsh ]; then
		offers "--empty --timeout --wait web/web1 web/web2" "dsrctl drain web/web1 "
		offers "--count -c web web/web1 web/web2" "dsrctl top "
	fi
	offers "drain" "dsrctl dr"
	offers "drain" "dsrctl -j dr"
	offers "--plan" "dsrctl reload --p"
	offers "config connections" "dsrctl show con"
	offers "director web/web1 web/web2" "dsrctl drain "
	offers "web/web1 web/web2" "dsrctl drain web/"
	offers "--wait" "dsrctl drain web/web1 --w"
	offers "30s 5m 1h" "dsrctl drain web/web1 --wait "
	offers "active observe standby" "dsrctl role "
	offers "web/web1 web/web2" "dsrctl enable web/web1 "
	offers "web/web2" "dsrctl top -c 5 web/web2"
	offers "--problems" "dsrctl show --p"
	offers "web/web1 web/web2" "dsrctl show web/"
	offers "client limit port protocol server service state vip web web/web1 web/web2" "dsrctl show connections "
	offers "verdict" "dsrctl trace verd"
	offers "" "dsrctl show connections verd"
	offers "error notice warning" "dsrctl events level="
	offers "192.0.2.10: [2001:db8::10]:" "dsrctl why tcp 192.0.2.1:1 "
	offers "web web/web1 web/web2" "dsrctl doctor w"
	offers "tcp udp sctp" "dsrctl why "
	offers "established" "dsrctl show connections client=192.0.2.1 state=est"
	offers "web" "dsrctl show connections service="
	offers "a-file" "dsrctl -s a-f"
	offers "a-file" "dsrd -n -f a-f"
	offers "a-file" "dsrd --config a-f"
	: >"$tmp/asked"
	offers "web/web1 web/web2" "dsrctl -s other.sock weight "
	grep -qx -e '-s other.sock show names' "$tmp/asked" || wrong "$shell asks: $(cat "$tmp/asked")"
}

for shell in bash zsh fish; do
	if command -v "$shell" >/dev/null 2>&1; then
		complete_all
	fi
done
exit $failed
