#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes ./configure and what it needs from a fresh clone. Release archives bring them along.
set -eu

cd "$(dirname "$0")"

missing=
for tool in autoconf automake aclocal autoreconf; do
	command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -n "$missing" ]; then
	echo "autogen.sh: not found:$missing" >&2
	echo "autogen.sh: install autoconf and automake (Debian: apt-get install autoconf automake pkg-config)" >&2
	exit 1
fi

# PKG_CHECK_MODULES comes from pkg-config's or pkgconf's pkg.m4; without it configure would be broken in odd ways.
pkg_m4=no
for directory in $(aclocal --print-ac-dir) /usr/share/aclocal /usr/local/share/aclocal /usr/pkg/share/aclocal \
    $(echo "${ACLOCAL_PATH:-}" | tr ':' ' '); do
	if [ -r "$directory/pkg.m4" ]; then
		pkg_m4=yes
	fi
done
if [ "$pkg_m4" = no ]; then
	echo "autogen.sh: pkg.m4 not found: install pkg-config or pkgconf, or name its directory in ACLOCAL_PATH" >&2
	exit 1
fi

exec autoreconf -fi
