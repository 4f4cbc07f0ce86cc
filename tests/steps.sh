# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2317 # variables and callers are in run.sh
#
# The steps of tests/run.sh, which sources this file: each is a function that builds, tests or checks in $work.

# --- building --------------------------------------------------------------------------------------------------------

# Builds use a copy, so that the source tree may be configured, read-only or owned by another user.
copy_source() {
	cd "$top" || return 1
	if git ls-files -co --exclude-standard >"$work/files" 2>/dev/null && [ -s "$work/files" ]; then
		:
	else
		find . -type d \( -name .git -o -name 'build*' -o -name autom4te.cache \) -prune -o -type f -print |
		    sed 's|^\./||' >"$work/files"
	fi
	while IFS= read -r file; do
		if [ -e "$file" ]; then
			printf '%s\n' "$file"
		fi
	done <"$work/files" >"$work/present"
	mkdir -p "$work/src" && tar -cf - -T "$work/present" | (cd "$work/src" && tar -xf -)
}

# with_ccache COMPILER: several builds and later runs compile the same files.
with_ccache() {
	if command -v ccache >/dev/null; then
		echo "ccache $1"
	else
		echo "$1"
	fi
}

autogen() {
	cd "$work/src" && ./autogen.sh
}

# configure DIRECTORY OPTIONS...
configure() {
	mkdir -p "$work/$1" && cd "$work/$1" || return 1
	shift
	../src/configure "$@"
}

# build DIRECTORY: everything, including test programs.
build() {
	cd "$work/$1" && make -j "$jobs" && make -j "$jobs" check TESTS=
}

# check DIRECTORY: runs the tests of the build and writes "PASSED FAILED SKIPPED" to DIRECTORY/counts.
check() {
	cd "$work/$1" || return 1
	check_status=0
	# Files that no build changes are tested once.
	[ "$1" = gcc ] || set -- "$1" source_tests=
	# Some of them mostly wait.
	make -j $((2 * jobs)) check ${2+"$2"} || check_status=$?
	# The log of a unit test has the number of functions that passed, that of a golden test a line for each case.
	# Every
	# other test counts as one, and so does a test that died early.
	find tests -name '*.trs' | sed 's/\.trs$//' | while IFS= read -r name; do
		result=$(sed -n 's/^:test-result: //p' "$name.trs")
		awk -v result="$result" '
			/^[0-9]+%: Checks: / {
				gsub(/,/, "")
				bad += $5 + $7
				good += $3 - $5 - $7
			}
			/^ok /     { cases++ }
			/^FAILED / { failures++ }
			END {
				if (cases > 0) {
					good += cases
					bad += failures
				}
				if (result == "SKIP")
					print 0, 0, 1
				else if (result != "PASS" && bad == 0)
					print good, 1, 0
				else
					print good + (good + bad == 0), bad + 0, 0
			}' "$name.log"
	done | awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' >counts
	cat counts
	return "$check_status"
}

# Counts and reports the results of check() in DIRECTORY.
make_check() {
	wanted "$1-check" || return 0
	status=0
	timed "$1-check" check "$1" || status=$?
	good=0 bad=0 skip=0
	if [ -s "$work/$1/counts" ]; then
		read -r good bad skip <"$work/$1/counts"
	fi
	# An error without a failed test, or a run without tests, is a failure too.
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
		bad=1
	fi
	count "$good" "$bad" "$skip"
	if [ "$bad" -eq 0 ]; then
		report "$1: make check" "$good ok, $skip skipped ($took)"
		ended "$1-check" ok
		return
	fi
	check_report=$(
		report "$1: make check" "$good ok, $bad FAILED, $skip skipped ($took)"
		if [ -s "$work/$1/test-suite.log" ]; then
			show "$work/$1/test-suite.log"
		fi
		show "$log"
		for name in $(cd "$work/$1" && find tests -name '*.trs' -exec grep -l -e '^:test-result: FAIL' -e '^:test-result: ERROR' {} +); do
			failed "make -C $work/$1 check TESTS=${name%.trs}$([ -x "$work/$1/${name%.trs}" ] || echo .sh)"
		done
	)
	echo "$check_report"
	ended "$1-check" failed
}

# integration OFFLOAD DIRECTORY [TEST...]: the tests of whole programs in networks of namespaces, with the dsrd of
# DIRECTORY,
# with or without offload. They have the time limits of networks, which a busy machine cannot always meet: a second try,
# alone,
# is allowed and reported.
integration() {
	by=$1 directory=$2
	shift 2
	wanted "$directory-integration-$by" || return 0
	status=0
	# Tests that measure are in the last run only. The others must not wait for the builds.
	alone_after=''
	[ "$directory-$by" != gcc-off ] || alone_after=$work/state/busy
	timed "$directory-integration-$by" env DSRD_OFFLOAD="$by" TEST_ALONE_AFTER="$alone_after" \
	    sh "$top/tests/integration/run.sh" -r "$work/$directory" "$@" || status=$?
	good=$(grep -c '^ok ' "$log")
	bad=$(grep -c '^not ok ' "$log")
	skip=$(grep -c '^skip ' "$log")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((good + skip)) -eq 0 ]; }; then
		bad=1
	fi
	count "$good" "$bad" "$skip"
	sed -n 's/^    to run it alone: //p' "$log" >>"$work/state/failed"
	integration_report=$(
		grep -e '^skip ' -e '^ok .*, second try' "$log" | sed 's/^/    /'
		if [ "$bad" -eq 0 ]; then
			report "$directory: integration, offload $by" "$good ok, $skip skipped ($took)"
		else
			report "$directory: integration, offload $by" "$good ok, $bad FAILED, $skip skipped ($took)"
			grep -A 61 '^not ok ' "$log" | head -n 300 | sed 's/^/    /'
			echo "    --- complete log: $log"
		fi
	)
	echo "$integration_report"
	ended "$directory-integration-$by" ok
}

# Tests that do not run under the sanitizers, because dsrd does nothing in them that it does not do in other tests under
# the
# sanitizers. All other tests, including new ones, do: they parse, forward or allocate.
#   realserver*, facts                       scripts and the kernel, no dsrd
#   documents                                the commands of other tests, as shown in documents
#   wrr wlc maglev warmup mixed_families     other schedulers and addresses for the same code, and unit tests
#   two_services dns mac_change loop bypass  likewise
#   methods_offload                          the kernel forwards; methods runs, and unit tests of both sides
#   web                                      a browser's view of answers that test_http gets too
#   linux_kinds_*                            other interfaces and servers for the same code; in a small machine
#   reload_limits                            a memory limit that is too low for a sanitizer; test_reload runs
#   sandbox                                  a sanitizer needs calls that the sandbox refuses, so there is none
#   stalls                                   measures delays; it stops dsrd while libevent resolves, which libevent never frees
# Also tests that run alone because they measure: their figures mean nothing under the sanitizers.
asan_spares=" realserver realserver_persist realserver_files facts documents wrr wlc maglev warmup mixed_families two_services
	dns mac_change loop bypass web reload_limits linux_kinds_bonds linux_kinds_interfaces linux_kinds_servers linux_kinds_ipvs
	linux_kinds_container sandbox stalls methods_offload "

asan_tests() {
	for test in "$top"/tests/integration/test_*.sh; do
		name=${test##*/test_}
		name=${name%.sh}
		case $asan_spares in
		*[[:space:]]"$name"[[:space:]]*) continue ;;
		esac
		grep -q '^# Alone: ' "$test" || echo "$name"
	done
}

# The benchmarks, as short as possible, to keep them working: figures must exist and need not be good.
bench_quick() {
	sh "$top/tests/bench/run.sh" --quick "$work/$1" && sh "$top/tests/bench/sweep.sh" --quick "$work/$1"
}

# The golden frames, and random ones by every method, through the kernel's programs, if they can be loaded.
offloaded_golden() {
	SOURCE_DIR=$work/src BUILD_DIR=$work/$1 sh "$top/tests/golden/offloaded.sh" --kernel
	case $? in
	0) ;;
	77) return 0 ;;
	*) return 1 ;;
	esac
	for program in xdp tc; do
		DSRD_TEST_KERNEL=$program CK_RUN_SUITE=offload_methods "$work/$1/tests/unit/offload/test_offload" || return 1
	done
}

# --- lints that need tools -------------------------------------------------------------------------------------------

lint_shell() {
	cd "$work/src" || return 1
	while IFS= read -r file; do
		case $file in
		*.sh) echo "$file" ;;
		*) if head -n 1 "$file" | grep -q '^#! */bin/sh'; then echo "$file"; fi ;;
		esac
	done <"$work/present" >"$work/scripts"
	[ -s "$work/scripts" ] || return 1
	cat "$work/scripts"
	xargs shellcheck <"$work/scripts"
}

# The scripts for Windows cannot run here: grammars from PyPI parse them, with a table of the commands of Windows
# Server.
lint_windows() {
	python3 -m venv "$work/python" &&
		"$work/python/bin/pip" install -q tree-sitter tree-sitter-powershell tree-sitter-batch || return 1
	cd "$work/src" || return 1
	"$work/python/bin/python" tests/lint/windows.py --selftest >/dev/null &&
		"$work/python/bin/python" tests/lint/windows.py contrib/realserver/dsr-realserver.ps1 \
		    contrib/realserver/dsr-realserver.cmd
}

lint_cppcheck() {
	cd "$work/src" || return 1
	# System headers are not searched: checks that need them are off, and their macros are defined here.
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    --suppressions-list=tests/lint/cppcheck.txt --suppress=missingIncludeSystem -j "$jobs" -DHAVE_CONFIG_H \
	    -DSO_PEERCRED=17 '-DSEC(name)=' '-DDECLARE_LIBBPF_OPTS(type,name,...)=struct type name = { __VA_ARGS__ }' \
	    -I src -I ../gcc src
}

# Includes style. The manuals installed on this machine do not matter.
lint_man() {
	cd "$work/gcc" || return 1
	lint_said=$(mandoc -T lint "man/$1" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
	[ -z "$lint_said" ] || {
		echo "$lint_said"
		return 1
	}
}

# The build of README.md in a fresh clone: it is in the tree, and git status stays clean.
in_tree() {
	rm -rf "$work/in-tree" "$work/in-tree-installed"
	mkdir "$work/in-tree" && tar -cf - -C "$work/src" -T "$work/present" | tar -xf - -C "$work/in-tree" || return 1
	cd "$work/in-tree" && git init -q . && git add -A &&
	    git -c user.name=test -c user.email=test@example.org commit -q -m test || return 1
	./autogen.sh && ./configure CC="$(with_ccache gcc)" --with-systemdsystemunitdir=/usr/local/lib/systemd/system &&
	    make -j "$jobs" && make -j "$jobs" check source_tests= && make install DESTDIR="$work/in-tree-installed" || return 1
	for file in systemd/system/dsrd.service sysusers.d/dsrd.conf tmpfiles.d/dsrd.conf; do
		[ -s "$work/in-tree-installed/usr/local/lib/$file" ] || return 1
	done
	cmp contrib/realserver/dsr-realserver.cmd "$work/in-tree-installed/usr/local/share/dsrd/dsr-realserver.cmd" ||
		return 1
	git status --porcelain >"$work/in-tree.status"
	if [ -s "$work/in-tree.status" ]; then
		echo "the build leaves files that .gitignore does not list:"
		cat "$work/in-tree.status"
		return 1
	fi
}

# Everything in the repository is in the release, except files about the repository itself.
lint_dist() {
	cd "$work/gcc" && make dist >/dev/null || return 1
	for archive in dsrd-*.tar.gz; do
		[ -s "$archive" ] || return 1
		gzip -dc "$archive" | tar -xOf - "${archive%.tar.gz}/contrib/realserver/dsr-realserver.cmd" |
			cmp - "$work/src/contrib/realserver/dsr-realserver.cmd" || return 1
		gzip -dc "$archive" | tar -tf - | sed 's|^[^/]*/||' | grep -v '/$' | sort >"$work/packed"
	done
	grep -v -e '^\.gitignore$' -e '^\.ci/' -e '^\.github/' "$work/present" | sort |
		comm -23 - "$work/packed" >"$work/unpacked"
	if [ -s "$work/unpacked" ]; then
		echo "missing in the release (see EXTRA_DIST in the Makefile fragments):"
		cat "$work/unpacked"
		return 1
	fi
}

# Two tarballs of the same source are identical, and the package built from one can be installed.
dist_reproducible() {
	cd "$work/gcc" || return 1
	SOURCE_DATE_EPOCH=1700000000
	export SOURCE_DATE_EPOCH
	for archive in first.tgz second.tgz; do
		rm -f dsrd-*.tar.gz
		make dist >/dev/null || return 1
		mv dsrd-*.tar.gz "$work/$archive"
		# The next tarball is made in another second.
		sleep 1
	done
	cmp "$work/first.tgz" "$work/second.tgz"
}

packaging() {
	cd "$work/gcc" && make dist >/dev/null || return 1
	sh "$top/tests/packaging.sh" dsrd-*.tar.gz "$work/packaging"
}

# portability TARGET: see tests/portability.sh.
portability() {
	DSRD_CACHE=$cache sh "$top/tests/portability.sh" "$1" "$work/src" "$work/portability"
}

# portability_check TARGET: the tests that this machine can run.
portability_check() {
	if step "portability-$1" portability "$1"; then
		ln -sfn "portability/$1/dsrd" "$work/$1"
		make_check "$1"
	fi
}

# fuzz PROGRAM: adds to a copy of the corpus.
fuzz() {
	name=${1##*/fuzz_}
	mkdir -p "$work/corpus/$name" "$work/found" || return 1
	cp "$work/src/tests/fuzz/corpus/$name"/* "$work/corpus/$name/" || return 1
	"$1" -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix="$work/found/$name-" "$work/corpus/$name"
}
