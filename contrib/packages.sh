#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs the packages that are needed to build, demonstrate and test dsrd. This is the only list of their names.
#     packages.sh [--list] build|demo|quick|test
# Each includes those before it: "quick" is for tests/run.sh, "test" for tests/run.sh --all. With --list the names are
# printed and nothing is installed. Without apt-get the script prints what is needed and exits with status 0: the programs
# that need a missing package report it.
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
	clang libbpf-dev libseccomp-dev"
demo="iproute2 procps ethtool nginx-light curl tcpdump"
quick="git check iputils-arping iputils-ping dnsmasq-base bind9-dnsutils nftables openssl python3 jq"
tests="ccache keepalived ucarp bird2 frr exabgp libclang-rt-dev mandoc shellcheck cppcheck iperf3 pen python3-venv prometheus chromium zsh fish
	apparmor checkpolicy debhelper debootstrap
	dpkg-dev lintian rpm semodule-utils systemd tshark vim valgrind
	musl-tools gcc-i686-linux-gnu libc6-dev-i386-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user
	bmake flex bison libtool file
	libxdp-dev wine wine64 gcc-mingw-w64-x86-64-win32 iptables kmod user-mode-linux podman crun ipvsadm"

# Common names, for systems whose packages have other names.
plain_build="a C11 compiler, make, autoconf, automake, pkg-config, libpcap, libnet, libevent, inih, OpenSSL (for https checks), clang and libbpf (for offload to the Linux kernel), libseccomp (for the sandbox)"
plain_demo="iproute2, nginx, curl, tcpdump, ethtool"
plain_quick="git, check, arping, ping, dnsmasq, dig, nft, openssl, python3, jq"
plain_tests="ccache, clang with libFuzzer, mandoc, shellcheck, cppcheck, iperf3, pen, keepalived, ucarp, BIRD 2, FRR, ExaBGP, venv and pip for python3, promtool, chromium, zsh, fish, tshark, vim, valgrind, musl, GCC for i686 and s390x with their C libraries, qemu for programs, bmake, flex, bison, libtool, file, Wine, MinGW, iptables, user-mode-linux with modprobe, podman with crun, ipvsadm, and on Debian the tools that build and check packages"

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
	echo "There is no apt-get, so nothing was installed. Needed: $plain."
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
# Debian starts installed services. The tests run their own in namespaces, with their own configurations.
case $missing in
*nginx* | *prometheus* | *keepalived* | *bird* | *frr* | *exabgp*)
	if command -v systemctl >/dev/null 2>&1; then
		echo "Debian may have started some of these packages as services of this machine. To stop them:"
		echo "    systemctl disable --now nginx prometheus prometheus-node-exporter keepalived bird frr exabgp"
	fi
	;;
esac
