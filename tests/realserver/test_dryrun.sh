#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The output of dsr-realserver --dry-run for each system, compared with expected output, and rejected command lines.
# Needs no
# privileges and changes nothing.
#
#   test_dryrun.sh [--accept]     --accept writes the expected output; review the difference before you commit it

set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
script=$here/../../contrib/realserver/dsr-realserver
shell=${TEST_SHELL:-sh}
accept=false
[ "${1:-}" != --accept ] || accept=true
failures=0
cases=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

dry() { # SYSTEM WORD...
	dry_system=$1
	shift
	# shellcheck disable=SC2086 # "busybox sh" is two words
	DSR_REALSERVER_SYSTEM=$dry_system $shell "$script" "$@" --dry-run
}

golden() { # NAME SYSTEM WORD...
	golden_file=$here/golden/$1.txt
	shift
	cases=$((cases + 1))
	golden_got=$(dry "$@" 2>&1; echo "exit status $?")
	if $accept; then
		printf '%s\n' "$golden_got" >"$golden_file"
	else
		printf '%s\n' "$golden_got" | diff -u "$golden_file" - ||
			fail "$* prints something else than $golden_file"
	fi
}

refused() { # PATTERN WORD...
	refused_pattern=$1
	shift
	cases=$((cases + 1))
	refused_said=$(dry linux "$@" 2>&1)
	refused_status=$?
	[ $refused_status -eq 64 ] || fail "$*: expected status 64, got $refused_status: $refused_said"
	printf '%s\n' "$refused_said" | grep -q -e "$refused_pattern" ||
		fail "$*: no '$refused_pattern' in: $refused_said"
}

canonical() { # WRITTEN EXPECTED
	cases=$((cases + 1))
	dry freebsd apply --vip "$1" | grep -q "inet6 $2 prefixlen" || fail "$1 did not become $2"
}

for system in freebsd openbsd netbsd dragonfly macos illumos; do
	golden $system $system apply --vip 192.0.2.10 2001:db8::10
	golden $system-persist $system apply --vip 192.0.2.10 --vip 192.0.2.20 --vip 2001:db8::10 --persist
	golden $system-6 $system apply --vip 2001:db8::10
done
golden linux linux apply --vip 192.0.2.10 2001:db8::10
golden linux-4 linux apply --vip 192.0.2.10
golden linux-6 linux apply --vip 2001:db8::10
golden linux-interface linux apply --vip 192.0.2.10 --interface eth0.10
golden linux-nft linux apply --vip 192.0.2.10 192.0.2.20 --interface eth0 --method nft
for how in networkd networkmanager ifupdown; do
	golden linux-$how linux apply --vip 192.0.2.10 192.0.2.20 2001:db8::10 --persist=$how
	golden linux-$how-nft linux apply --vip 192.0.2.10 --interface eth0 --method nft --persist=$how
done
for method in ipip gre gue gue1; do
	golden linux-$method linux apply --vip 192.0.2.10 2001:db8::10 --method $method
done
for how in networkd networkmanager ifupdown; do
	for method in ipip gre gue gue1; do
		golden linux-$method-$how linux apply --vip 192.0.2.10 2001:db8::10 --method $method --persist=$how
	done
	golden linux-dscp-$how linux apply --vip 192.0.2.10 2001:db8::10 --method dscp --dscp 5 --persist=$how
done
golden freebsd-ipip-persist freebsd apply --vip 192.0.2.10 --method ipip --director 10.0.0.1 --address 10.9.0.1 --persist
golden linux-dscp linux apply --vip 192.0.2.10 2001:db8::10 --method dscp --dscp 5
for method in ipip gre; do
	golden freebsd-$method freebsd apply --vip 192.0.2.10 --method $method --director 10.0.0.1 --address 10.9.0.1
	golden openbsd-$method openbsd apply --vip 192.0.2.10 --method $method --director 10.0.0.1 --address 10.9.0.1
done
golden freebsd-gue freebsd apply --vip 192.0.2.10 --method gue
golden openbsd-dscp openbsd apply --vip 192.0.2.10 --method dscp --dscp 5
golden openbsd-ends openbsd apply --vip 192.0.2.10 --method ipip
for system in netbsd dragonfly macos illumos; do
	golden $system-ipip $system apply --vip 192.0.2.10 --method ipip
done
golden linux-networkmanager-6 linux apply --vip 2001:db8::10 --persist=networkmanager

# RFC 5952 section 4.
canonical 2001:DB8:0:0:0:0:0:10 2001:db8::10
canonical 2001:0db8::0010 2001:db8::10
canonical 2001:db8:0:1:1:1:1:1 2001:db8:0:1:1:1:1:1
canonical 2001:0:0:1:0:0:0:1 2001:0:0:1::1
canonical 2001:db8:0:0:1:0:0:1 2001:db8::1:0:0:1
canonical 2001:db8:1:2:3:4:5:6 2001:db8:1:2:3:4:5:6
canonical 2001:db8:: 2001:db8::
canonical fd00:1:2:3:4:5:6:0 fd00:1:2:3:4:5:6:0
canonical 2001:db8:0:0:0:0:0:0 2001:db8::
canonical 2001:1020:10:1020::10 2001:1020:10:1020::10

refused 'say apply, check or undo'
refused 'say apply' --vip 192.0.2.10
refused 'apply needs --vip' apply
refused 'one action only' apply undo --vip 192.0.2.10
refused 'unknown option' apply --vip 192.0.2.10 --force
refused 'unknown word' start
refused 'needs a value' apply --vip
refused 'without a prefix length' apply --vip 192.0.2.10/32
refused 'names are not looked up' apply --vip www.example.org
refused 'names are not looked up' apply --vip '192.0.2.10;reboot'
# shellcheck disable=SC2016 # not to be expanded: that is what is tested
refused 'names are not looked up' apply --vip '$(reboot)'
refused 'names are not looked up' apply --vip '192.0.2.10 dev eth0'
refused 'names are not looked up' apply --vip '192.0.2.10
reboot'
refused 'blanks between addresses' apply --vip 192.0.2.10,192.0.2.20
refused 'needs an address' apply --vip ''
for address in 192.0.2 192.0.2.256 192.0.2.010 192.0.2.1.1 .192.0.2.1 192..2.1 1 0.0.0.0 127.0.0.2 224.0.0.1 \
    255.255.255.255 \
    192.0.2.99999999999999999999; do
	refused 'not an IPv4 address' apply --vip $address
done
for address in : ::: 2001:db8 2001:db8:::1 1::2::3 2001:db8::12345 1:2:3:4:5:6:7:8:9 1:2:3:4:5:6:7::8 :1::2 1::2: ::g \
    2001:db8::192.0.2.1 fe80::1%eth0 '2001:db8::1;reboot' 1:2:3:4:5:6:7; do
	refused 'not an IPv6 address' apply --vip "$address"
done
for address in :: ::1 fe80::1 ff02::1 ::ffff:c000:20a; do
	refused 'cannot be a VIP' apply --vip $address
done
refused "not an interface's name" apply --vip 192.0.2.10 --interface 'eth0;reboot'
refused "not an interface's name" apply --vip 192.0.2.10 --interface ../../eth0
refused "not an interface's name" apply --vip 192.0.2.10 --interface abcdefghijklmnop
refused 'not the loopback' apply --vip 192.0.2.10 --interface lo
refused 'sysctl or nft' apply --vip 192.0.2.10 --method arptables
refused 'needs --dscp N' apply --vip 192.0.2.10 --method dscp
refused 'it is 1 to 63' apply --vip 192.0.2.10 --method dscp --dscp 64
refused 'is for --method dscp' apply --vip 192.0.2.10 --method ipip --dscp 5
refused 'belong to --method' apply --vip 192.0.2.10 --dscp 5
refused 'Linux takes any sender' apply --vip 192.0.2.10 --method gre --director 10.0.0.1 --address 10.9.0.1
refused 'networkd, networkmanager or ifupdown' apply --vip 192.0.2.10 --persist=systemd
refused 'it knows what apply did' undo --persist

cases=$((cases + 1))
said=$(DSR_REALSERVER_SYSTEM=linux $shell "$script" apply --vip 192.0.2.10 2>&1)
[ $? -eq 64 ] || fail "DSR_REALSERVER_SYSTEM without --dry-run is not refused: $said"

if [ $failures -gt 0 ]; then
	echo "dsr-realserver --dry-run: $failures of $cases failed" >&2
	exit 1
fi
exit 0
