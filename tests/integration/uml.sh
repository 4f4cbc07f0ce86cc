#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs a test in another Linux kernel: Debian's user-mode-linux, which has bonds, VLANs, ipvlan, dummies and IPVS as
# modules
# where the machine's own kernel may lack them. It starts in two seconds and takes one process's memory.
#     uml.sh SCRIPT
# The kernel sees this machine's files, read-only, but has a /run of its own, where SCRIPT's TMPDIR is.
# BUILD_DIR, DSRD, DSRD_OFFLOAD and DSRD_CI are passed on. Prints what SCRIPT prints, and ends with its status.
#
# Environment: DSRD_UML, the kernel (default: linux.uml); DSRD_UML_MODULES, its modules (default: /usr/lib/uml/modules).
set -eu

uml=${DSRD_UML:-linux.uml} modules=${DSRD_UML_MODULES:-/usr/lib/uml/modules}

if [ "${1:-}" = --init ]; then
	# In that kernel, as its first process.
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TMPDIR=/run/tmp
	export PATH HOME TMPDIR
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/host /run/tmp /run/modules/lib
	chmod 1777 /run/tmp
	mount -t hostfs -o "$UML_DIRECTORY" none /run/host
	ln -s "$modules" /run/modules/lib/modules
	for module in af_packet veth bridge bonding 8021q macvlan ipvlan dummy ip_vs ip_vs_rr nf_tables nft_compat \
	    xt_addrtype \
	    xt_conntrack xt_comment xt_nat xt_MASQUERADE nft_chain_nat nft_ct nft_nat; do
		modprobe -d /run/modules "$module" 2>>/run/host/modules || true
	done
	ip link set lo up
	status=0
	NET_KERNEL=uml NET_PATIENCE=3 NET_PAUSE=0.2 sh "$UML_SCRIPT" >/run/host/output 2>&1 </dev/null || status=$?
	echo "$status" >/run/host/status
	sync
	# Turn the machine off, which needs no more than this call (reboot(2), RB_POWER_OFF).
	exec python3 -c 'import ctypes; ctypes.CDLL(None).reboot(0x4321fedc)'
fi

[ $# -eq 1 ] || {
	echo "usage: uml.sh SCRIPT" >&2
	exit 64
}
directory=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-uml.XXXXXX")
process=
# shellcheck disable=SC2317 # called by the trap
finish() {
	[ -z "$process" ] || kill -KILL "$process" 2>/dev/null || true
	[ ! -f "$directory/output" ] || cat "$directory/output"
	rm -rf "$directory"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

absolute() {
	echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
}
{
	echo '#!/bin/sh'
	echo "export UML_DIRECTORY='$directory' UML_SCRIPT='$(absolute "$1")' BUILD_DIR='$(cd "${BUILD_DIR:-.}" && pwd)'"
	echo "export DSRD_OFFLOAD='${DSRD_OFFLOAD:-off}' DSRD_CI='${DSRD_CI:-0}' DSRD_UML_MODULES='$modules'"
	[ -z "${DSRD:-}" ] || echo "export DSRD='$(absolute "$DSRD")'"
	echo "exec sh '$(absolute "$0")' --init"
} >"$directory/init"
chmod 755 "$directory/init"
: >"$directory/console"
TMPDIR='' "$uml" mem=512M umid="dsrd$$" quiet root=/dev/root rootfstype=hostfs rootflags=/ ro init="$directory/init" \
    con=null con0=null,fd:2 con1=null </dev/null >"$directory/console" 2>&1 &
process=$!
wait "$process" || true
process=
[ -s "$directory/status" ] || {
	echo "the kernel ended before the test did:" >&2
	tail -n 20 "$directory/console" >&2
	exit 1
}
exit "$(cat "$directory/status")"
