#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs the packages that building, showing and testing dsrd takes: the one place that knows their names.
#     packages.sh [--list] build|demo|quick|test
# Each includes those before it: "quick" is for tests/run.sh, "test" for tests/run.sh --all. With --list the names are printed and nothing is installed. Where there is no apt-get
# it names what is needed, and the status is 0: what is missing is said by whoever misses it.
set -eu

usage() {
	echo "usage: packages.sh [--list] build|demo|quick|test" >&2
	exit 64
}

list=no
if [ "${1:-}" = --list ]; then
	list=yes
	shift
fi
[ $# -eq 1 ] || usage
set_name=${1#--}

build="gcc libc6-dev make autoconf automake pkg-config libpcap-dev libnet1-dev libevent-dev libinih-dev libssl-dev
	clang libbpf-dev"
demo="iproute2 procps ethtool nginx-light curl tcpdump"
quick="git check iputils-arping iputils-ping dnsmasq-base bind9-dnsutils nftables openssl python3 jq"
tests="ccache keepalived libclang-rt-dev mandoc shellcheck cppcheck iperf3 pen python3-venv prometheus chromium zsh fish
	apparmor checkpolicy debhelper debootstrap
	dpkg-dev lintian rpm semodule-utils systemd tshark vim valgrind
	musl-tools gcc-i686-linux-gnu libc6-dev-i386-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user
	bmake flex bison libtool file"

# Everybody's names, for systems whose packages are called otherwise.
plain_build="a C11 compiler, make, autoconf, automake, pkg-config, libpcap, libnet, libevent, inih, OpenSSL (for https checks), clang and libbpf (for the fast path in the Linux kernel)"
plain_demo="iproute2, nginx, curl, tcpdump, ethtool"
plain_quick="git, check, arping, ping, dnsmasq, dig, nft, openssl, python3, jq"
plain_tests="ccache, clang with libFuzzer, mandoc, shellcheck, cppcheck, iperf3, pen, keepalived, venv and pip for python3, promtool, chromium, zsh, fish, tshark, vim, valgrind, musl, GCC for i686 and s390x with their C libraries, qemu for programs, bmake, flex, bison, libtool, file, and on Debian what builds and checks packages"

case $set_name in
build)
	packages=$build
	plain=$plain_build
	;;
demo)
	packages="$build $demo"
	plain="$plain_build, $plain_demo"
	;;
quick)
	packages="$build $demo $quick"
	plain="$plain_build, $plain_demo, $plain_quick"
	;;
test)
	packages="$build $demo $quick $tests"
	plain="$plain_build, $plain_demo, $plain_quick, $plain_tests"
	;;
*)
	usage
	;;
esac

if [ "$list" = yes ]; then
	# Unquoted: one name a line.
	# shellcheck disable=SC2086
	printf '%s\n' $packages
	exit 0
fi

if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null 2>&1; then
	echo "No apt-get here, so nothing was installed. Needed: $plain."
	exit 0
fi

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	case $status in
	*" installed") ;;
	*) missing="$missing $package" ;;
	esac
done
if [ -z "$missing" ]; then
	exit 0
fi

echo "Installing:$missing"
if [ "$(id -u)" -eq 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1; then
	as_root=sudo
else
	echo "Only root can install packages, and there is no sudo. Type as root:" >&2
	echo "    apt-get install --no-install-recommends$missing" >&2
	exit 77
fi
# shellcheck disable=SC2086 # both are lists of words
{
	$as_root apt-get -q update &&
	    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends $missing
}
# Debian starts what it installs. Ours run in namespaces, with configurations of their own.
case $missing in
*nginx* | *prometheus* | *keepalived*)
	if command -v systemctl >/dev/null 2>&1; then
		echo "Debian may have started what was installed as services of this machine. To stop them:"
		echo "    systemctl disable --now nginx prometheus prometheus-node-exporter keepalived"
	fi
	;;
esac
