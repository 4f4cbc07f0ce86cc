#!/bin/sh
# SPDX-License-Identifier: ISC
# The version of configure.ac is that of NEWS.md, README.md and every package; doc/release.md names these places.
#     version.sh [DIRECTORY]    lints DIRECTORY (default: $SOURCE_DIR, else .)
#     version.sh --selftest     proves that it can fail
# shellcheck source-path=SCRIPTDIR source=prove.sh
. "$(dirname -- "$0")/prove.sh"

# "FILE VERSION" for each place that has one; the version is empty where none was found.
places() { # DIRECTORY
	while IFS='|' read -r file pattern; do
		echo "$file $(sed -n "s/$pattern/\\1/p" "$1/$file" | head -n 1)"
	done <<'END'
NEWS.md|^## \([0-9][0-9.]*\).*
README.md|^Version \([0-9][0-9.]*[0-9]\).*
contrib/ports/freebsd/Makefile|^DISTVERSION=[[:space:]]*\(.*\)
contrib/ports/openbsd/Makefile|^V =[[:space:]]*\(.*\)
contrib/ports/pkgsrc/Makefile|^DISTNAME=[[:space:]]*dsrd-\(.*\)
contrib/rpm/dsrd.spec|^Version:[[:space:]]*\(.*\)
contrib/selinux/dsrd.te|^module dsrd \(.*\);
debian/changelog|^dsrd (\([0-9.]*\)-.*
END
}

lint() {
	lint_version=$(sed -n 's/^AC_INIT(\[dsrd\], \[\(.*\)\])$/\1/p' "$1/configure.ac")
	[ -n "$lint_version" ] || {
		echo "configure.ac: no version"
		return 1
	}
	places "$1" | awk -v version="$lint_version" '
		$2 != version {
			printf "%s: the version is %s, and %s in configure.ac\n", $1, $2 == "" ? "missing" : $2, version
			found = 1
		}
		END { exit found }'
}

selftest() {
	put ./configure.ac 'AC_INIT([dsrd], [1.2.3])\n'
	put ./NEWS.md '# News\n\n## 1.2.3 (2026-01-01)\n\n## 1.2.2 (2025-01-01)\n'
	put ./README.md 'Version 1.2.3.\n'
	put contrib/ports/freebsd/Makefile 'DISTVERSION=\t1.2.3\n'
	put contrib/ports/openbsd/Makefile 'V =\t\t1.2.3\n'
	put contrib/ports/pkgsrc/Makefile 'DISTNAME=\tdsrd-1.2.3\n'
	put contrib/rpm/dsrd.spec 'Version:        1.2.3\n'
	put contrib/selinux/dsrd.te 'module dsrd 1.2.3;\n'
	put debian/changelog 'dsrd (1.2.3-1) unstable; urgency=medium\n'
	must_pass
	must_fail contrib/rpm/dsrd.spec 'Version:        1.2.2\n' \
	    'contrib/rpm/dsrd.spec: the version is 1.2.2, and 1.2.3'
	must_fail debian/changelog 'dsrd (1.2.30-1) unstable\n' 'the version is 1.2.30'
	must_fail ./NEWS.md '# News\n\n## 1.3.0 (not released)\n' 'NEWS.md: the version is 1.3.0'
	must_fail ./README.md 'No version.\n' 'README.md: the version is missing'
	must_fail ./configure.ac 'AC_INIT([dsrd])\n' 'no version'
}

lint_main "$@"
