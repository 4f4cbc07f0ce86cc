#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The Debian package, from the release tarball: it builds, is clean, installs in a fresh system, and leaves nothing
# behind.
# Files for other systems are parsed as far as programs here can.
#
#   tests/packaging.sh TARBALL WORK-DIRECTORY        as root, for debootstrap and chroot

set -eu
if [ $# -ne 2 ] || [ ! -f "$1" ]; then
	echo "usage: ${0##*/} TARBALL WORK-DIRECTORY" >&2
	exit 64 # EX_USAGE, sysexits(3)
fi
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
tarball=$(CDPATH='' cd -- "$(dirname -- "$1")" && pwd)/${1##*/}
mkdir -p "$2"
work=$(CDPATH='' cd -- "$2" && pwd)
root=$work/root
name=${tarball##*/}
name=${name%.tar.gz}
version=${name#dsrd-}

step() {
	echo "# $*"
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

in_root() {
	chroot "$root" /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C "$@"
}

build_package() {
	rm -rf "$work/package"
	mkdir -p "$work/package"
	cd "$work/package"
	cp "$tarball" "dsrd_$version.orig.tar.gz"
	tar xf "dsrd_$version.orig.tar.gz"
	cp -R "$top/debian" "$name/debian"
	cd "$name"
	DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -j"$(getconf _NPROCESSORS_ONLN)" >../build.log 2>&1 || {
		tail -n 30 ../build.log >&2
		fail "dpkg-buildpackage"
	}
}

# No errors or warnings; each override has a comment with its reason.
check_package() {
	cd "$work/package"
	# As root lintian would print a warning about itself.
	lintian --allow-root --fail-on error,warning ./*.changes || fail "lintian finds the above"
}

check_unit() {
	unit=$work/package/$name/debian/dsrd/usr/lib/systemd/system/dsrd.service
	# A group or call that this systemd does not have is left out of the filter.
	systemd-analyze verify "$unit" >"$work/unit" 2>&1 || true
	grep -i 'unknown\|ignoring' "$work/unit" && fail "systemd does not understand the above"
	exposure=$(systemd-analyze security --no-pager --offline=true "$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\).*/\1/p')
	echo "exposure $exposure"
	awk -v exposure="$exposure" 'BEGIN { exit !(exposure > 0 && exposure < 2.0) }' ||
		fail "the unit's exposure is $exposure, 2.0 or more"
}

# The archive that this host uses.
mirror() {
	# shellcheck disable=SC2016 # the $ are apt's
	apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
		awk -v codename="$1" '$2 == "Debian" && $3 == codename && $4 == "main" { print $1; exit }'
}

make_root() {
	# shellcheck disable=SC1091 # every Debian has it
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	archive=$(mirror "$codename")
	[ -n "$archive" ] || fail "apt knows no Debian archive of $codename"
	rm -rf "$root"
	debootstrap --variant=minbase "$codename" "$root" "$archive" >"$work/debootstrap.log" 2>&1 || {
		tail -n 20 "$work/debootstrap.log" >&2
		fail "debootstrap"
	}
	mount -t proc proc "$root/proc"
	trap 'umount "$root/proc"' EXIT
	# Times and the list of packages do not matter.
	in_root apt-get update -qq >"$work/apt.log" 2>&1 || fail "apt-get update in the fresh system"
}

# Files and accounts, without the state of apt and dpkg.
inventory() {
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./var/cache -o -path ./var/lib/apt \
	    -o -path ./var/lib/dpkg -o -path ./var/log -o -path ./packages \
	    -o -path "./etc/*-" \) -prune -o -print | LC_ALL=C sort)
	cat "$root/etc/passwd" "$root/etc/group"
}

install_package() {
	mkdir -p "$root/packages"
	cp "$work"/package/dsr*_*.deb "$root/packages"
	rm -f "$root"/packages/*dbgsym*
	# Dependencies from the archive are installed first and are not compared.
	# shellcheck disable=SC2046 # words are wanted
	in_root apt-get install -y -qq --no-install-recommends iproute2 systemd-standalone-sysusers \
	    systemd-standalone-tmpfiles \
	    $(dpkg-deb -f "$root"/packages/dsrd_*.deb Depends | tr ',' '\n' | sed 's/[|(].*//; s/^ *//; /systemd/d') \
	    >>"$work/apt.log" 2>&1 || fail "the packages that dsrd stands on"
	inventory >"$work/before"
	in_root sh -c 'dpkg -i /packages/*.deb' >"$work/install.log" 2>&1 || {
		cat "$work/install.log" >&2
		fail "dpkg -i"
	}
}

try_package() {
	in_root getent passwd _dsrd >/dev/null || fail "there is no user _dsrd"
	[ "$(in_root stat -c %U /run/dsrd)" = _dsrd ] || fail "/run/dsrd is not _dsrd's"
	in_root dsrd -n -f /etc/dsrd.conf >"$work/sample" 2>&1 && fail "the sample needs no edit, and so tests nothing"
	# The only edit.
	sed -i 's/^;interface = .*/interface = eth0/' "$root/etc/dsrd.conf"
	in_root dsrd -n -f /etc/dsrd.conf || fail "the sample is not accepted after its one edit"
	in_root dsrctl version 2>/dev/null && fail "a director runs: the package has started it"
	in_root dsrctl version 2>&1 | grep -q /run/dsrd/dsrd.sock || fail "dsrctl looks for its socket elsewhere"
	for page in man8/dsrd.8 man8/dsrctl.8 man8/dsr-realserver.8 man5/dsrd.conf.5; do
		[ -s "$root/usr/share/man/$page.gz" ] || fail "no manual page $page"
	done
	for file in lib/systemd/system/dsrd.service lib/sysusers.d/dsrd.conf lib/tmpfiles.d/dsrd.conf \
	    share/bash-completion/completions/dsrctl share/fish/vendor_completions.d/dsrctl.fish \
	    share/zsh/site-functions/_dsrctl share/vim/vimfiles/syntax/dsrd.vim share/doc/dsrd/doc/quick-start.md; do
		# Documentation may be compressed.
		[ -s "$root/usr/$file" ] || [ -s "$root/usr/$file.gz" ] || fail "no /usr/$file"
	done
	in_root dsr-realserver apply --vip 192.0.2.10 --dry-run >"$work/realserver" 2>&1 ||
		fail "dsr-realserver does not work there"
	grep -q 192.0.2.10 "$work/realserver" || fail "dsr-realserver says nothing there"
}

purge_package() {
	in_root dpkg --purge dsrd dsr-realserver >"$work/purge.log" 2>&1 || fail "dpkg --purge"
	inventory >"$work/after"
	diff -u "$work/before" "$work/after" || fail "the purge left or took what is above"
}

# The package is reproducible.
check_reproducible() {
	cp "$work"/package/dsrd_*_*.deb "$work/first.deb"
	build_package
	cmp "$work/first.deb" "$work"/package/dsrd_*_*.deb || fail "two builds of the package are not equal"
}

# The packing lists of the ports match the files of `make install`. Each has its own way to write a manual page,
# documentation
# and the sample.
check_lists() {
	rm -rf "$work/installed"
	make -C "$work/package/$name" install DESTDIR="$work/installed" >"$work/install.log" 2>&1 || fail "make install"
	(cd "$work/installed/usr" && find sbin share -type f) | LC_ALL=C sort >"$work/files"
	[ -s "$work/files" ] || fail "make install brings nothing"
	ports=$top/contrib/ports
	sed -e '/^@/d' -e 's|%%PORTDOCS%%||; s|%%DOCSDIR%%|share/doc/dsrd|; s|\.gz$||' "$ports/freebsd/pkg-plist" \
	    >"$work/freebsd.list"
	echo share/doc/dsrd/examples/dsrd.conf >>"$work/freebsd.list"
	sed -e '/^@comment/d' -e 's|^man/|share/man/|' "$ports/pkgsrc/PLIST" >"$work/pkgsrc.list"
	sed -e '/\/$/d' -e '/^share\/examples/d' -e 's/^@man /share\//; s/^@bin //; /^@/d' "$ports/openbsd/pkg/PLIST" \
	    >"$work/openbsd.list"
	for system in freebsd pkgsrc openbsd; do
		LC_ALL=C sort "$work/$system.list" | diff -u "$work/files" - ||
			fail "the packing list of $system is not what is installed"
	done
}

check_others() {
	for file in "$top"/contrib/rc/*.sh "$top"/contrib/ports/*/files/* "$top"/contrib/ports/*/pkg/*.rc; do
		sh -n "$file" || fail "$file"
	done
	rpmspec -P "$top/contrib/rpm/dsrd.spec" >/dev/null || fail "the RPM spec"
	apparmor_parser -Q -K -S "$top/contrib/apparmor/usr.sbin.dsrd" >/dev/null || fail "the AppArmor profile"
	checkmodule -M -m -o "$work/dsrd.mod" "$top/contrib/selinux/dsrd.te" >"$work/selinux.log" 2>&1 || {
		cat "$work/selinux.log" >&2
		fail "the SELinux module"
	}
	semodule_package -o "$work/dsrd.pp" -m "$work/dsrd.mod" || fail "the SELinux package"
}

step "a Debian package is built from $name.tar.gz"
build_package
step "it is clean"
check_package
check_unit
step "it is the same when it is built again"
check_reproducible
step "it installs in a fresh system and works there"
make_root
install_package
try_package
step "it leaves nothing behind"
purge_package
umount "$root/proc"
trap - EXIT
rm -rf "$root"
step "what is for other systems is complete, and can be read"
check_lists
check_others
