#!/bin/sh
# SPDX-License-Identifier: ISC
# dsrd for other systems: configured, compiled and linked for each, and tested where a Linux machine can run it.
#     portability.sh sources|freebsd|netbsd|openbsd|macos|musl|i386|s390x|bmake SOURCE WORK
# SOURCE is a source tree with its configure made. "sources" comes first: it downloads the libraries' sources and a
# compiler for the BSDs to WORK. Each of the others then builds in WORK/TARGET, with dsrd in "dsrd" there. "bmake" does
# not need
# "sources": it builds for this machine with the BSDs' make.
#
# Libraries built for a target are kept in the directory DSRD_CACHE (default: WORK/cache) for later runs, under a hash
# of their
# inputs. Entries that have not been used for a month are removed.
# shellcheck disable=SC2317,SC2016 # functions are run by name; scripts are written with their $ as it is
set -eu

# The C compiler with headers and libraries of the BSDs and macOS.
zig_version=0.17.1
libraries="libpcap libnet libevent libinih check"
# Debian releases to try for packages that this machine's release no longer has.
other_suites="trixie"

usage() {
	echo "usage: portability.sh sources|freebsd|netbsd|openbsd|macos|musl|i386|s390x|bmake SOURCE WORK" >&2
	exit 64
}

[ $# -eq 3 ] || usage
target=$1
[ -x "$2/configure" ] || {
	echo "$2 has no configure: run autogen.sh there" >&2
	exit 66
}
source_tree=$(CDPATH='' cd -- "$2" && pwd)
mkdir -p "$3"
work=$(CDPATH='' cd -- "$3" && pwd)
root=$work/$target
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
mkdir -p "${DSRD_CACHE:-$work/cache}"
cache=$(CDPATH='' cd -- "${DSRD_CACHE:-$work/cache}" && pwd)
zig=$cache/zig-$zig_version
recipe=$(sha256sum <"$0")

# --- sources ---------------------------------------------------------------------------------------------------------

fetch_compiler() {
	if [ ! -x "$zig/ziglang/zig" ]; then
		python3 -m venv "$work/python"
		"$work/python/bin/pip" install -q --retries 10 --disable-pip-version-check --target "$zig.$$" \
		    "ziglang==$zig_version"
		# Another run may have created it.
		mv -T "$zig.$$" "$zig" || rm -rf "$zig.$$"
	fi
	touch "$zig"
	echo "zig $("$zig/ziglang/zig" version)"
}

# Cache entries older than a month. A run takes minutes, so no current run uses them.
clean_cache() {
	find "$cache" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} +
}

# apt_for SUITE: a separate apt for source packages from the archive that this machine uses. SUITE replaces the
# machine's
# release; "" is that release.
apt_for() {
	rm -rf "$work/apt"
	mkdir -p "$work/apt/sources" "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	suite=${1:-$codename}
	for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$list" ] ||
			sed -n -e "s/$codename/$suite/g" -e 's/^deb /deb-src /p' "$list" \
			    >"$work/apt/sources/${list##*/}.list"
	done
	for list in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$list" ] ||
			sed -e "/^Suites:/s/$codename/$suite/g" -e 's/^Types:.*/Types: deb-src/' "$list" \
			    >"$work/apt/sources/${list##*/}"
	done
	cat >"$work/apt/conf" <<CONF
Dir::Etc::SourceList "/dev/null";
Dir::Etc::SourceParts "$work/apt/sources";
Dir::State::Lists "$work/apt/lists";
Dir::Cache "$work/apt/cache";
Acquire::Retries "5";
APT::Sandbox::User "$(id -un)";
CONF
	APT_CONFIG=$work/apt/conf
	export APT_CONFIG
	apt-get -qq update
}

# Debian's upstream tarballs without Debian's patches, verified by apt.
fetch_libraries() {
	wanted=$libraries
	rm -rf "$work/tarballs" "$work/libraries"
	mkdir -p "$work/tarballs"
	for suite in "" $other_suites; do
		[ -n "$wanted" ] || break
		apt_for "$suite"
		lost=
		for library in $wanted; do
			(cd "$work/tarballs" && apt-get -qq source --download-only --tar-only "$library${suite:+/$suite}") ||
				lost="$lost $library"
		done
		wanted=$lost
	done
	[ -z "$wanted" ] || {
		echo "no source package to be had:$wanted" >&2
		exit 1
	}
	for library in $libraries; do
		mkdir -p "$work/libraries/$library"
		tar -xf "$work/tarballs/$library"_*.orig.tar.* --strip-components=1 -C "$work/libraries/$library"
	done
	(cd "$work/tarballs" && ls)
	# Debian's tarball of libnet has no configure. Warnings of autoreconf about its configure.ac are ignored.
	cd "$work/libraries/libnet"
	[ -x configure ] || autoreconf -fi 2>"$work/libnet.autoreconf" || {
		cat "$work/libnet.autoreconf"
		exit 1
	}
}

# --- the libraries of a target ---------------------------------------------------------------------------------------

# configured LIBRARY OPTIONS...: in a separate directory, where the build continues.
configured() {
	library=$1
	shift
	mkdir -p "$root/build/$library"
	cd "$root/build/$library"
	"$work/libraries/$library/configure" --build="$build" --host="$host" --prefix="$usr" --disable-shared CC="$cc" \
	    AR="$ar" \
	    RANLIB="$ranlib" CFLAGS='-O1 -w -fPIC' CPPFLAGS="$cppflags" "$@"
}

build_libpcap() {
	configured libpcap --with-pcap="$capture" --disable-universal --disable-usb --disable-netmap \
	    --disable-bluetooth --disable-dbus \
	    --disable-rdma --disable-remote --without-dag --without-septel --without-snf --without-turbocap \
	    --without-dpdk \
	    --without-libnl
	make -j "$jobs" libpcap.a
	make install DESTDIR="$stage"
}

build_libnet() {
	configured libnet --with-link-layer="$link_layer" --disable-tests --disable-samples \
	    --disable-dependency-tracking \
	    --includedir="$usr/include$libnet_place" --libdir="$usr/lib$libnet_place"
	make -j "$jobs"
	make install DESTDIR="$stage"
}

# On some systems the libraries still have arc4random_addrandom(), and the headers no longer do.
build_libevent() {
	configured libevent ac_cv_func_arc4random_addrandom=no --disable-openssl --disable-samples \
	    --disable-libevent-regress --disable-dependency-tracking
	make -j "$jobs"
	make install DESTDIR="$stage"
}

# By hand, because it is one file and its build needs meson.
build_libinih() {
	cd "$work/libraries/libinih"
	$cc -O1 -fPIC -c ini.c -o "$root/build/ini.o"
	$ar cr "$stage$usr/lib/libinih.a" "$root/build/ini.o"
	$ranlib "$stage$usr/lib/libinih.a"
	cp ini.h "$stage$usr/include/"
}

build_check() {
	configured check --disable-subunit --disable-build-docs --disable-timeout-tests --disable-dependency-tracking
	make -j "$jobs" -C lib
	make -j "$jobs" -C src
	make -C src install DESTDIR="$stage"
	cp check_stdint.h "$stage$usr/include/"
}

# All in parallel, because most of the time is spent in configure, which uses one processor.
build_libraries() {
	mkdir -p "$root/build" "$stage$usr/include" "$stage$usr/lib"
	begin=$(date +%s)
	for library in $libraries; do
		(set -e && "build_$library") >"$root/$library.log" 2>&1 &
		eval "pid_$library=\$!"
	done
	for library in $libraries; do
		eval "wait \"\$pid_$library\"" || {
			echo "$library was not built for $target. The end of $root/$library.log:"
			tail -n 60 "$root/$library.log"
			exit 1
		}
	done
	echo "libraries for $target: $(($(date +%s) - begin)) s"
}

# The locations of libnet in the systems' packages: configure must find each.
place_libnet() {
	cd "$stage$usr"
	rm -f bin/libnet-config.1
	case $libnet_told in
	pkg-config) rm bin/libnet-config ;;
	nothing) rm bin/libnet-config "lib$libnet_place/pkgconfig/libnet.pc" ;;
	*)
		rm "lib$libnet_place/pkgconfig/libnet.pc"
		mv bin/libnet-config "bin/${tool_prefix}$libnet_told"
		;;
	esac
}

# --- dsrd for a target -----------------------------------------------------------------------------------------------

build_dsrd() {
	mkdir -p "$root/dsrd"
	cd "$root/dsrd"
	begin=$(date +%s)
	PATH=$usr/bin:$PATH PKG_CONFIG_LIBDIR=$usr/lib/pkgconfig "$source_tree/configure" --build="$build" \
	    --host="$host" \
	    --enable-werror --without-openssl --without-bpf CC="$cc" AR="$ar" RANLIB="$ranlib" CFLAGS="$cflags" \
	    CPPFLAGS="$cppflags -isystem $usr/include" LDFLAGS="$ldflags -L$usr/lib"
	make -j "$jobs"
	make -j "$jobs" check TESTS=
	echo "dsrd for $target: $(($(date +%s) - begin)) s"
}

# Each program must be linked for that system, according to "file".
programs() {
	find "$root/dsrd/dsrd" "$root/dsrd/dsrctl" "$root/dsrd/tests" -type f -perm -u+x ! -name '*.sh' ! -name '*.o'
}

see_programs() {
	programs >"$root/programs"
	for name in dsrd dsrctl tests/unit/forward/test_forward; do
		grep -q "/dsrd/$name\$" "$root/programs" || {
			echo "$name was not linked"
			exit 1
		}
	done
	while read -r program; do
		file -b "$program" | grep -q "$kind" || {
			echo "not for $target: $(file "$program")"
			exit 1
		}
	done <"$root/programs"
	echo "linked for $target: $(wc -l <"$root/programs") programs, $(file -b "$root/dsrd/dsrd" | cut -c 1-120)"
}

# Programs of another machine, run by qemu under their names.
run_by_qemu() {
	while read -r program; do
		mv "$program" "$program.$target"
		printf '#!/bin/sh\nexec %s -0 "$0" "%s" "$@"\n' "$qemu" "$program.$target" >"$program"
		chmod +x "$program"
	done <"$root/programs"
}

# qemu-user differs from a kernel in two tests: capture without an interface, and a missing program.
check_by_qemu() {
	cd "$root/dsrd"
	make -j "$jobs" check TESTS="$(sed -n "s|^$root/dsrd/\(tests/unit/.*/test_\)|\1|p" "$root/programs" |
	    grep -v -e '/test_io$' -e '/test_probe$' | tr '\n' ' ')"
}

# --- targets ---------------------------------------------------------------------------------------------------------

# zig TARGET: scripts call the compiler, so that its arguments need no quoting.
use_zig() {
	mkdir -p "$root/bin"
	# Its libraries for a system are compiled at first use, into the first of these.
	ZIG_GLOBAL_CACHE_DIR=$cache/zig-$zig_version-global ZIG_LOCAL_CACHE_DIR=$root/zig
	export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
	printf '#!/bin/sh\nexec "%s" cc -target %s "$@"\n' "$zig/ziglang/zig" "$1" >"$root/bin/cc"
	# Nothing runs, and clang's warnings do not depend on optimization. Without it zig adds a sanitizer.
	cflags='-O0 -fno-sanitize=all'
	printf '#!/bin/sh\nexec "%s" ar "$@"\n' "$zig/ziglang/zig" >"$root/bin/ar"
	# On some systems libtool calls ranlib only to touch the archive: nothing to do.
	printf '#!/bin/sh\n[ "$1" = -t ] || exec "%s" ranlib "$@"\n' "$zig/ziglang/zig" >"$root/bin/ranlib"
	chmod +x "$root/bin/cc" "$root/bin/ar" "$root/bin/ranlib"
	cc=$root/bin/cc ar=$root/bin/ar ranlib=$root/bin/ranlib
}

# musl has no kernel headers; use those of this machine's C library, and no others.
kernel_headers() {
	mkdir -p "$root/headers"
	for name in linux asm-generic; do
		ln -sfn "/usr/include/$name" "$root/headers/$name"
	done
	ln -sfn "/usr/include/$(gcc -print-multiarch)/asm" "$root/headers/asm"
}

# Missing in the compiler's headers of macOS. libnet includes the first and does not use it; the second is RFC 3542, 3.2.
macos_headers() {
	mkdir -p "$root/headers/sys" "$root/headers/netinet"
	: >"$root/headers/sys/timeb.h"
	cat >"$root/headers/netinet/icmp6.h" <<'HEADER'
#include <stdint.h>
#include <string.h>
#define ICMP6_FILTER 18
struct icmp6_filter {
	uint32_t icmp6_filt[8];
};
#define ICMP6_FILTER_SETBLOCKALL(filter) memset(filter, 0, sizeof(struct icmp6_filter))
#define ICMP6_FILTER_SETPASS(type, filter) ((filter)->icmp6_filt[(type) >> 5] |= UINT32_C(1) << ((type) & 31))
HEADER
}

# The times of OpenBSD's own libpcap are two unsigned numbers of 32 bits (struct bpf_timeval, since lib/libpcap/pcap.h 1.14);
# upstream's, which is linked here, has a struct timeval. dsrd is compiled with OpenBSD's; nothing of it runs here.
openbsd_times() {
	mkdir -p "$root/openbsd/pcap"
	sed '/^struct pcap_pkthdr {/,/^}/s/struct timeval ts;/struct { unsigned tv_sec, tv_usec; } ts;/' \
	    "$usr/include/pcap/pcap.h" >"$root/openbsd/pcap/pcap.h"
	! cmp -s "$usr/include/pcap/pcap.h" "$root/openbsd/pcap/pcap.h" || {
		echo "$usr/include/pcap/pcap.h has no \`struct timeval ts\`: OpenBSD's times cannot be put there"
		exit 1
	}
	sed -i "s|\"\$@\"|-I '$root/openbsd' &|" "$root/bin/cc"
	# It is used: its times are not a struct timeval.
	! printf '#include <pcap.h>\nstruct pcap_pkthdr h;\nstruct timeval *ts = &h.ts;\n' |
	    "$root/bin/cc" -I "$usr/include" -Werror -x c -c -o "$root/openbsd/times.o" - 2>/dev/null || {
		echo "dsrd for OpenBSD is not compiled with OpenBSD's times"
		exit 1
	}
}

# The name of a target's libraries in the cache: a hash of their sources, this script and the compiler.
libraries_key() {
	{
		echo "$recipe"
		"$cc" --version 2>/dev/null || ${cc%% *} --version
		cat "$work/tarballs"/*.orig.tar.*
	} | sha256sum | cut -c 1-16
}

# They are installed in a staging directory and moved, so that cache entries are complete.
cross() {
	usr=$cache/$target-$(libraries_key)/usr stage=$root/stage
	if [ ! -d "$usr" ]; then
		build_libraries
		place_libnet
		mv -T "$stage${usr%/usr}" "${usr%/usr}" || [ -d "$usr" ]
	fi
	touch "${usr%/usr}"
	[ "$target" != openbsd ] || openbsd_times
	build_dsrd
	see_programs
}

# Without GNU make: the BSDs' make creates a release, which is unpacked, built and tested.
bmake_dsrd() {
	rm -rf "$root"
	mkdir -p "$root/dsrd"
	cd "$root/dsrd"
	# The compiler is not the subject here.
	DISTCHECK_CONFIGURE_FLAGS=CFLAGS=-O0
	export DISTCHECK_CONFIGURE_FLAGS
	"$source_tree/configure" --enable-werror CFLAGS=-O0 MAKE=bmake
	VERBOSE=1 bmake distcheck
}

case $target in
sources)
	fetch_compiler
	fetch_libraries
	clean_cache
	exit 0
	;;
bmake)
	bmake_dsrd
	exit 0
	;;
esac

rm -rf "$root"
mkdir -p "$root"
build=$("$work/libraries/check/config.guess")
capture=bpf link_layer=bpf cppflags='' cflags='-g -O2' ldflags='' libnet_place='' libnet_told=pkg-config tool_prefix=''

case $target in
freebsd)
	host=x86_64-unknown-freebsd14.0 kind='for FreeBSD' libnet_told=libnet-config tool_prefix=$host-
	use_zig x86_64-freebsd.14.0
	cross
	;;
netbsd)
	host=x86_64-unknown-netbsd10.1 kind='for NetBSD' libnet_told=libnet11-config tool_prefix=$host- libnet_place=/libnet11
	use_zig x86_64-netbsd.10.1
	cross
	;;
openbsd)
	host=x86_64-unknown-openbsd7.8 kind='for OpenBSD' libnet_told=libnet-config-1.1 tool_prefix=$host- libnet_place=/libnet-1.1
	use_zig x86_64-openbsd.7.8
	cross
	;;
macos)
	host=aarch64-apple-darwin23 kind='Mach-O 64-bit arm64'
	use_zig aarch64-macos
	macos_headers
	cppflags="-isystem $root/headers"
	cross
	;;
musl)
	host=x86_64-linux-musl kind='ld-musl' capture=linux link_layer=linux
	cc="musl-gcc -isystem $root/headers" ar=ar ranlib=ranlib
	kernel_headers
	cross
	;;
i386)
	host=i686-linux-gnu kind='ELF 32-bit LSB' capture=linux link_layer=linux libnet_told=nothing
	cc=$host-gcc ar=$host-ar ranlib=$host-ranlib
	# This machine's kernel runs it; loader and libraries are those of Debian's cross compiler.
	ldflags="-Wl,--dynamic-linker=/usr/$host/lib/ld-linux.so.2 -Wl,-rpath=/usr/$host/lib"
	cross
	;;
s390x)
	host=s390x-linux-gnu kind='ELF 64-bit MSB' capture=linux link_layer=linux libnet_told=nothing
	cc=$host-gcc ar=$host-ar ranlib=$host-ranlib
	qemu="qemu-s390x -L /usr/$host"
	cross
	run_by_qemu
	check_by_qemu
	;;
*) usage ;;
esac
