#!/bin/sh
# SPDX-License-Identifier: ISC
# What configure took of hardening flags is in the programs that were linked: a flag that gets lost on the way, as by a
# CFLAGS of a package, is a fault. Needs readelf, and objdump for one of them.
#     hardening.sh [DIRECTORY]     checks dsrd and dsrctl in the build directory DIRECTORY (default: .)
#     hardening.sh --selftest      proves that each rule can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# A value of config.status, with blanks around.
substituted() { # DIRECTORY NAME
	echo " $(sed -n "s/^S\\[\"$2\"\\]=\"\\(.*\\)\"\$/\\1/p" "$1/config.status") "
}

# Prints PROGRAM's fault if configure took FLAG, and COMMAND does not succeed.
expect() { # PROGRAM FLAGS FLAG WHAT COMMAND...
	case $2 in
	*" $3"*) ;;
	*) return 0 ;;
	esac
	hardening_what="${1##*/}: configure took $3, and the program has no $4"
	shift 4
	"$@" >/dev/null 2>&1 || {
		echo "$hardening_what"
		bad=1
	}
}

is_pie() {
	readelf -h "$1" | grep -q 'Type: *DYN' && readelf -d "$1" | grep -q 'FLAGS_1.*PIE'
}
binds_now() {
	readelf -d "$1" | grep -q -e 'BIND_NOW' -e 'FLAGS_1.*NOW'
}
has_relro() {
	readelf -lW "$1" | grep -q GNU_RELRO
}
has_data_stack() {
	readelf -lW "$1" | grep GNU_STACK | grep -qv 'E *0x[0-9a-f]*$'
}
has_symbol() { # PROGRAM PATTERN
	readelf --dyn-syms -W "$1" | grep -q -e "$2"
}
# The mark in the program's notes needs a C library that has it, too: Debian's has not.
has_cet() {
	objdump -d --disassemble=main "$1" | awk '/<main>:/ { getline; found = /endbr(32|64)/ } END { exit !found }'
}
# A page of a large frame is touched before the next one is used: gcc does that with an "or", clang with a "mov".
probes_stack() {
	objdump -d "$1" | awk '
		/or[ql] +\$0x0,(0x[0-9a-f]+)?\(%[re]sp\)/ || (/mov[ql] +\$0x0,\(%[re]sp\)/ && last ~ /sub +\$0x1000,%[re]sp/) { found = 1 }
		{ last = $0 }
		END { exit !found }'
}

lint() { # BUILD-DIRECTORY
	bad=0
	flags="$(substituted "$1" HARDEN_CFLAGS)$(substituted "$1" HARDEN_LDFLAGS)$(substituted "$1" HARDEN_CPPFLAGS)"
	for program in "$1/dsrd" "$1/dsrctl"; do
		expect "$program" "$flags" -pie "PIE flag" is_pie "$program"
		expect "$program" "$flags" -Wl,-z,now "BIND_NOW" binds_now "$program"
		expect "$program" "$flags" -Wl,-z,relro "GNU_RELRO segment" has_relro "$program"
		expect "$program" "$flags" -Wl,-z,noexecstack "stack without execution" has_data_stack "$program"
		expect "$program" "$flags" -fstack-protector-strong "__stack_chk_fail" has_symbol "$program" \
		    __stack_chk_
		# glibc's; other C libraries have the checks in their headers.
		! has_symbol "$program" GLIBC || expect "$program" "$flags" -D_FORTIFY_SOURCE "function that checks" \
		    has_symbol "$program" '_chk@'
	done
	if command -v objdump >/dev/null && readelf -h "$1/dsrd" | grep -q 'X86-64'; then
		expect "$1/dsrd" "$flags" -fcf-protection "mark where jumps may go" has_cet "$1/dsrd"
		expect "$1/dsrd" "$flags" -fstack-clash-protection "probe of the stack" probes_stack "$1/dsrd"
	fi
	return "$bad"
}

# One program without anything, under the claim that it has FLAG.
compile() { # FLAG...
	: "${tree:?}"
	mkdir -p "$tree"
	printf '#include <stdio.h>\nint main(int c, char **v) { char b[9000]; return snprintf(b, sizeof(b), "%%d%%s", c, v[0]); }\n' \
	    >"$tree/program.c"
	# shellcheck disable=SC2086 # CC may be several words
	${CC:-cc} "$@" -o "$tree/dsrd" "$tree/program.c" && cp "$tree/dsrd" "$tree/dsrctl"
}
selftest() {
	bare="-O0 -fno-stack-protector -fno-pie -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack"
	# shellcheck disable=SC2086 # words
	compile $bare || { echo "${0##*/}: no compiler for the selftest, or none that takes these flags" >&2; return; }
	put ./config.status 'S["HARDEN_CFLAGS"]=""\n'
	must_pass
	for flag in -pie -Wl,-z,now -Wl,-z,relro -Wl,-z,noexecstack -fstack-protector-strong; do
		must_fail ./config.status "S[\"HARDEN_LDFLAGS\"]=\" $flag\"\\n" "took $flag"
	done
	must_fail ./config.status 'S["HARDEN_CPPFLAGS"]="-D_FORTIFY_SOURCE=2"\n' 'took -D_FORTIFY_SOURCE'
	if readelf -h "$tree/dsrd" | grep -q 'X86-64'; then
		must_fail ./config.status 'S["HARDEN_CFLAGS"]=" -fstack-clash-protection"\n' \
		    'took -fstack-clash-protection'
		# shellcheck disable=SC2086 # words
		compile $bare -fcf-protection=none
		must_fail ./config.status 'S["HARDEN_CFLAGS"]=" -fcf-protection"\n' 'took -fcf-protection'
	fi
}

command -v readelf >/dev/null || { echo "${0##*/}: readelf is not installed" >&2; exit 77; }
if [ "${1:-}" != --selftest ]; then
	directory=${1:-.}
	[ -f "$directory/dsrd" ] || { echo "${0##*/}: there is no $directory/dsrd: type make" >&2; exit 1; }
	readelf -h "$directory/dsrd" >/dev/null 2>&1 || { echo "${0##*/}: not ELF" >&2; exit 77; }
	lint_main "$directory"
	exit
fi
lint_main --selftest
