#!/bin/sh
# SPDX-License-Identifier: ISC
# All tests, from a fresh clone: installs what it needs, builds in every way that is supported, and counts.
# The last line is "N passed, M failed"; the status is 0 when nothing failed.
# shellcheck disable=SC2317 # functions are run by step() and timed(), by name
set -u

usage() {
	cat <<END
usage: tests/run.sh [--quick] [--no-install]
    --quick        only build and "make check": no privilege, no tools beyond those for building
    --no-install   install no packages; what is missing then makes tests fail
Environment:
    DSRD_TEST_DIR  where to build and to keep the logs (default: build-tests in the source tree)
    CI=true        a test that cannot run here is a failure, not a skip
    FUZZ_SECONDS   for each fuzzer (default: 20)
END
}

quick=no
install=yes
for option in "$@"; do
	case $option in
	--quick) quick=yes ;;
	--no-install) install=no ;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 64
		;;
	esac
done

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 71
work=${DSRD_TEST_DIR:-$top/build-tests}
fuzz_seconds=${FUZZ_SECONDS:-20}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
PATH=$PATH:/usr/sbin:/sbin
# The tests' words are the programs' own, not the user's language.
LC_ALL=C
export PATH LC_ALL
if [ "${CI:-}" = true ]; then
	DSRD_CI=1
	export DSRD_CI
fi

passed=0
failed=0
skipped=0

# --- counting and telling --------------------------------------------------------------------------------------------

# tell NAME TEXT: one line of progress.
tell() {
	printf '%-28s %s\n' "$1" "$2"
}

# show LOG: the end of the log of what failed.
show() {
	echo "    --- the end of $1:"
	tail -n 40 "$1" | sed 's/^/    /'
	echo "    ---"
}

# timed NAME COMMAND...: runs it with its log in logs/NAME.log. `took` has the seconds, the status is the command's.
timed() {
	log=$work/logs/$1.log
	shift
	begin=$(date +%s)
	("$@") >"$log" 2>&1 </dev/null
	timed_status=$?
	took=$(($(date +%s) - begin))
	return "$timed_status"
}

# step NAME COMMAND...: one thing that passes or fails.
step() {
	step_name=$1
	if timed "$@"; then
		passed=$((passed + 1))
		tell "$step_name" "ok (${took}s)"
		return 0
	fi
	failed=$((failed + 1))
	tell "$step_name" "FAILED (${took}s)"
	show "$log"
	return 1
}

# count PASSED FAILED SKIPPED
count() {
	passed=$((passed + $1))
	failed=$((failed + $2))
	if [ "${DSRD_CI:-0}" = 1 ]; then
		failed=$((failed + $3))
	else
		skipped=$((skipped + $3))
	fi
}

finish() {
	echo
	echo "Logs: $work/logs"
	if [ "$skipped" -gt 0 ]; then
		echo "Skipped: $skipped (CI=true makes them failures)"
	fi
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ]
	exit $?
}

# --- what the steps do -----------------------------------------------------------------------------------------------

# Builds happen on a copy, so that a source tree that was configured, is read-only or belongs to somebody else will do.
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

autogen() {
	cd "$work/src" && ./autogen.sh
}

# configure DIRECTORY OPTIONS...
configure() {
	mkdir -p "$work/$1" && cd "$work/$1" || return 1
	shift
	../src/configure "$@"
}

# build DIRECTORY: everything, the tests' programs too.
build() {
	cd "$work/$1" && make -j "$jobs" && make -j "$jobs" check TESTS=
}

# check DIRECTORY: runs what was built and leaves "PASSED FAILED SKIPPED" in DIRECTORY/counts.
check() {
	cd "$work/$1" || return 1
	check_status=0
	make -j "$jobs" check || check_status=$?
	# A unit test's log says how many of its functions passed, a golden test's has a line for each case. Everything else
	# is one test, and so is what died before it could say.
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

# Counts and tells what check() found in DIRECTORY.
make_check() {
	status=0
	timed "$1-check" check "$1" || status=$?
	good=0 bad=0 skip=0
	if [ -s "$work/$1/counts" ]; then
		read -r good bad skip <"$work/$1/counts"
	fi
	# Failed without a failed test, or ran no test at all: that is a failure too.
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$good" -eq 0 ]; }; then
		bad=1
	fi
	count "$good" "$bad" "$skip"
	if [ "$bad" -eq 0 ]; then
		tell "$1: make check" "$good ok, $skip skipped (${took}s)"
	else
		tell "$1: make check" "$good ok, $bad FAILED, $skip skipped (${took}s)"
		if [ -s "$work/$1/test-suite.log" ]; then
			show "$work/$1/test-suite.log"
		fi
		show "$log"
	fi
}

# The tests of whole programs in networks made of namespaces, with the dsrd of DIRECTORY. They have time limits of a
# network's kind, which a busy machine cannot always keep: a second try is allowed, and told.
integration() {
	integration_by off "$1"
}

# integration_by OFFLOAD DIRECTORY [TEST...]: some of them again, with decided flows carried by the kernel.
integration_by() {
	by=$1 directory=$2
	shift 2
	status=0
	timed "$directory-integration-$by" env DSRD_OFFLOAD="$by" sh "$top/tests/integration/run.sh" -r \
	    "$work/$directory" "$@" || status=$?
	good=$(grep -c '^ok ' "$log")
	bad=$(grep -c '^not ok ' "$log")
	skip=$(grep -c '^skip ' "$log")
	if [ "$bad" -eq 0 ] && { [ "$status" -ne 0 ] || [ $((good + skip)) -eq 0 ]; }; then
		bad=1
	fi
	count "$good" "$bad" "$skip"
	grep -e '^skip ' -e ', second try' "$log" | sed 's/^/    /'
	if [ "$bad" -eq 0 ]; then
		tell "$directory: integration, offload $by" "$good ok, $skip skipped (${took}s)"
	else
		tell "$directory: integration, offload $by" "$good ok, $bad FAILED, $skip skipped (${took}s)"
		grep -A 40 '^not ok ' "$log" | head -n 200 | sed 's/^/    /'
		echo "    --- all of it: $log"
	fi
}

# The benchmarks, as short as can be, so that they do not rot: each figure has to be there, not to be good.
bench_quick() {
	sh "$top/tests/bench/run.sh" --quick "$work/$1" && sh "$top/tests/bench/sweep.sh" --quick "$work/$1"
}

# The golden frames through the program in the kernel, where that lets it be loaded.
carried_golden() {
	SOURCE_DIR=$work/src BUILD_DIR=$work/$1 sh "$top/tests/golden/carried.sh" --kernel || [ $? -eq 77 ]
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

# The scripts for Windows: nothing here runs them, but grammars from PyPI can read them.
lint_windows() {
	python3 -m venv "$work/python" &&
		"$work/python/bin/pip" install -q tree-sitter tree-sitter-powershell tree-sitter-batch || return 1
	cd "$work/src" || return 1
	"$work/python/bin/python" tests/lint/windows.py --selftest >/dev/null &&
		"$work/python/bin/python" tests/lint/windows.py contrib/realserver/dsr-realserver.ps1 contrib/realserver/dsr-realserver.cmd
}

lint_cppcheck() {
	cd "$work/src" || return 1
	# The headers of the system are not searched: what only they could tell is not asked, and their macros are told here.
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    --suppressions-list=tests/lint/cppcheck.txt --suppress=missingIncludeSystem -j "$jobs" -DHAVE_CONFIG_H \
	    -DSO_PEERCRED=17 '-DSEC(name)=' '-DDECLARE_LIBBPF_OPTS(type,name,...)=struct type name = { __VA_ARGS__ }' \
	    -I src -I ../gcc src
}

# Style too. Which other manuals this machine has is no fault of the page.
lint_man() {
	cd "$work/gcc" || return 1
	lint_said=$(mandoc -T lint "man/$1" 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' || true)
	[ -z "$lint_said" ] || {
		echo "$lint_said"
		return 1
	}
}

# Everything that is in the repository is in the release, but for what is about the repository itself.
lint_dist() {
	cd "$work/gcc" && make dist >/dev/null || return 1
	for archive in dsrd-*.tar.gz; do
		[ -s "$archive" ] || return 1
		gzip -dc "$archive" | tar -tf - | sed 's|^[^/]*/||' | grep -v '/$' | sort >"$work/packed"
	done
	grep -v -e '^\.gitignore$' -e '^\.ci/' -e '^\.github/' "$work/present" | sort | comm -23 - "$work/packed" >"$work/unpacked"
	if [ -s "$work/unpacked" ]; then
		echo "not in the release (see EXTRA_DIST in the Makefile fragments):"
		cat "$work/unpacked"
		return 1
	fi
}

# Two tarballs of the same sources are the same, and what is packaged from one can be installed.
dist_reproducible() {
	cd "$work/gcc" || return 1
	SOURCE_DATE_EPOCH=1700000000
	export SOURCE_DATE_EPOCH
	for archive in first.tgz second.tgz; do
		rm -f dsrd-*.tar.gz
		make dist >/dev/null || return 1
		mv dsrd-*.tar.gz "$work/$archive"
		# The clock's second is another one the next time.
		sleep 1
	done
	cmp "$work/first.tgz" "$work/second.tgz"
}

packaging() {
	cd "$work/gcc" && make dist >/dev/null || return 1
	sh "$top/tests/packaging.sh" dsrd-*.tar.gz "$work/packaging"
}

# portability TARGET: see there.
portability() {
	sh "$top/tests/portability.sh" "$1" "$work/src" "$work/portability"
}

# portability_check TARGET: the tests of what this machine can run.
portability_check() {
	if step "portability-$1" portability "$1"; then
		ln -s "portability/$1/dsrd" "$work/$1"
		make_check "$1"
	fi
}

# What README.md shows, in a fresh clone: the build is in the tree, and git sees nothing of it.
in_tree() {
	rm -rf "$work/in-tree" && mkdir "$work/in-tree" && tar -cf - -C "$work/src" -T "$work/present" |
	    tar -xf - -C "$work/in-tree" || return 1
	cd "$work/in-tree" && git init -q . && git add -A &&
	    git -c user.name=test -c user.email=test@example.org commit -q -m test || return 1
	./autogen.sh && ./configure && make -j "$jobs" && make -j "$jobs" check &&
	    make install DESTDIR="$work/in-tree-installed" || return 1
	git status --porcelain >"$work/in-tree.status"
	if [ -s "$work/in-tree.status" ]; then
		echo "the build leaves behind what .gitignore does not list:"
		cat "$work/in-tree.status"
		return 1
	fi
}

distcheck() {
	# A test that fails there says why.
	cd "$work/gcc" && VERBOSE=1 make distcheck
}

# fuzz PROGRAM: on a copy of the corpus, which it adds to.
fuzz() {
	name=${1##*/fuzz_}
	mkdir -p "$work/corpus/$name" "$work/found" || return 1
	cp "$work/src/tests/fuzz/corpus/$name"/* "$work/corpus/$name/" || return 1
	"$1" -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix="$work/found/$name-" "$work/corpus/$name"
}

# --- all of it -------------------------------------------------------------------------------------------------------

if ! mkdir -p "$work/logs" 2>/dev/null || ! [ -w "$work" ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-tests.XXXXXX") || exit 71
	mkdir -p "$work/logs"
fi
# Only what an earlier run made. distcheck leaves read-only directories behind when it fails.
for name in src gcc asan clang none fuzz corpus found logs packaging portability musl i386 in-tree in-tree-installed; do
	if [ -h "$work/$name" ]; then
		rm "$work/$name"
	elif [ -d "$work/$name" ]; then
		chmod -R u+w "$work/$name"
		rm -rf "${work:?}/$name"
	fi
done
mkdir -p "$work/logs"
echo "Building in $work, with $jobs jobs"

if [ "$install" = yes ]; then
	if [ "$quick" = yes ]; then
		packages='build'
	else
		packages='test'
	fi
	if timed packages sh "$top/contrib/packages.sh" "$packages"; then
		tell packages "ok (${took}s)"
	else
		tell packages "not installed; going on with what is there"
		show "$log"
	fi
fi

step source copy_source || finish
step autogen autogen || finish

if step gcc-configure configure gcc --enable-werror && step gcc-build build gcc; then
	make_check gcc
	if [ "$quick" = yes ]; then
		finish
	fi
	integration gcc
	step carried-golden carried_golden gcc
	if [ "$(id -u)" -eq 0 ] && [ "$jobs" -ge 2 ]; then
		step bench-quick bench_quick gcc
	else
		count 0 0 1
		tell bench-quick "skipped: benchmarks take root and two processors"
	fi
	integration_by tc gcc transfer ipv6 fragments two_arm two_services vlan reload on_down max_connections flood_bad measure \
	    withhold
	integration_by xdp gcc transfer ipv6 two_arm vlan withhold
elif [ "$quick" = yes ]; then
	finish
fi

if step asan-configure configure asan --enable-werror --enable-sanitizers && step asan-build build asan; then
	# The first finding ends the program, whichever sanitizer has it.
	UBSAN_OPTIONS=print_stacktrace=1
	export UBSAN_OPTIONS
	make_check asan
	integration asan
fi

step clang-configure configure clang CC=clang --enable-werror && step clang-build build clang
# The files for platforms we know nothing of must not rot because nobody builds them.
step none-configure configure none --enable-werror --with-platform=none && step none-build build none

# Systems that are not here.
if step portability-sources portability sources; then
	for system in freebsd netbsd openbsd macos s390x; do
		step "portability-$system" portability "$system"
	done
	portability_check musl
	portability_check i386
fi
step portability-bmake portability bmake

step shellcheck lint_shell
step cppcheck lint_cppcheck
step windows-scripts lint_windows
for page in "$work"/src/man/*.in; do
	page=${page##*/}
	step "mandoc-${page%.in}" lint_man "${page%.in}"
done
step in-tree in_tree
step dist-complete lint_dist
step distcheck distcheck
step dist-reproducible dist_reproducible
if [ "$(id -u)" -eq 0 ]; then
	step packaging packaging
else
	count 0 0 1
	tell packaging "skipped: a fresh Debian system takes root"
fi

if step fuzz-configure configure fuzz CC=clang --enable-werror --enable-fuzzer && step fuzz-build build fuzz; then
	fuzzers=0
	for program in "$work"/fuzz/tests/fuzz/fuzz_*; do
		case $program in
		*.o | *.c) continue ;;
		esac
		[ -x "$program" ] || continue
		fuzzers=$((fuzzers + 1))
		program_name=${program##*/}
		step "$program_name" fuzz "$program"
	done
	if [ "$fuzzers" -eq 0 ]; then
		step fuzzers false
	fi
fi

finish
