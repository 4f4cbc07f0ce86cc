# SPDX-License-Identifier: ISC
# shellcheck shell=sh disable=SC2154,SC2317 # variables and callers are in run.sh
#
# What the steps of tests/run.sh do, which sources this file: each is a function that builds, tests or looks in $work.

# --- building --------------------------------------------------------------------------------------------------------

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

# with_ccache COMPILER: several builds compile the same, and so does the next run.
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

# build DIRECTORY: everything, the tests' programs too.
build() {
	cd "$work/$1" && make -j "$jobs" && make -j "$jobs" check TESTS=
}

# check DIRECTORY: runs what was built and leaves "PASSED FAILED SKIPPED" in DIRECTORY/counts.
check() {
	cd "$work/$1" || return 1
	check_status=0
	# Some of them wait most of the time.
	make -j $((2 * jobs)) check || check_status=$?
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

# Counts and reports what check() found in DIRECTORY.
make_check() {
	wanted "$1-check" || return 0
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

# integration OFFLOAD DIRECTORY [TEST...]: the tests of whole programs in networks made of namespaces, with the dsrd of
# DIRECTORY, and decided flows carried by the kernel or not. They have time limits of a network's kind, which a busy machine
# cannot always keep: a second try, alone, is allowed, and reported.
integration() {
	by=$1 directory=$2
	shift 2
	wanted "$directory-integration-$by" || return 0
	status=0
	# What measures is in the last of the runs only. The others must not keep it waiting until the builds have ended.
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
	sed -n 's/^    to run it by itself: //p' "$log" >>"$work/state/failed"
	integration_report=$(
		grep -e '^skip ' -e '^ok .*, second try' "$log" | sed 's/^/    /'
		if [ "$bad" -eq 0 ]; then
			report "$directory: integration, offload $by" "$good ok, $skip skipped ($took)"
		else
			report "$directory: integration, offload $by" "$good ok, $bad FAILED, $skip skipped ($took)"
			grep -A 61 '^not ok ' "$log" | head -n 300 | sed 's/^/    /'
			echo "    --- all of it: $log"
		fi
	)
	echo "$integration_report"
	ended "$directory-integration-$by" ok
}

# What is not run again under the sanitizers, since dsrd does in it nothing that it does not do in others or in unit tests,
# which run under the sanitizers. Every other test is, also a new one: it parses, forwards or allocates.
#   realserver*, facts                       scripts and the kernel, no dsrd
#   documents                                the commands of other tests, as documents have them
#   wrr wlc maglev warmup mixed_families     other schedules and addresses for the same path of a frame, and unit tests
#   two_services dns mac_change loop bypass  likewise
#   web                                      what a browser makes of answers that test_http gets as well
#   reload_limits                            a limit of memory, in which a sanitizer cannot live; test_reload is run
# And what runs alone since it measures: under the sanitizers its figures mean nothing.
asan_spares=" realserver realserver_persist realserver_files facts documents wrr wlc maglev warmup mixed_families two_services
	dns mac_change loop bypass web "

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

# The scripts for Windows, by grammars from PyPI and a table of the commands that every Windows Server has.
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

# What README.md shows, in a fresh clone: the build is in the tree, and git sees nothing of it.
in_tree() {
	rm -rf "$work/in-tree" "$work/in-tree-installed"
	mkdir "$work/in-tree" && tar -cf - -C "$work/src" -T "$work/present" | tar -xf - -C "$work/in-tree" || return 1
	cd "$work/in-tree" && git init -q . && git add -A &&
	    git -c user.name=test -c user.email=test@example.org commit -q -m test || return 1
	./autogen.sh && ./configure CC="$(with_ccache gcc)" --with-systemdsystemunitdir=/usr/local/lib/systemd/system &&
	    make -j "$jobs" && make -j "$jobs" check && make install DESTDIR="$work/in-tree-installed" || return 1
	for file in systemd/system/dsrd.service sysusers.d/dsrd.conf tmpfiles.d/dsrd.conf; do
		[ -s "$work/in-tree-installed/usr/local/lib/$file" ] || return 1
	done
	cmp contrib/realserver/dsr-realserver.cmd "$work/in-tree-installed/usr/local/share/dsrd/dsr-realserver.cmd" || return 1
	git status --porcelain >"$work/in-tree.status"
	if [ -s "$work/in-tree.status" ]; then
		echo "the build leaves behind what .gitignore does not list:"
		cat "$work/in-tree.status"
		return 1
	fi
}

# Everything that is in the repository is in the release, but for what is about the repository itself.
lint_dist() {
	cd "$work/gcc" && make dist >/dev/null || return 1
	for archive in dsrd-*.tar.gz; do
		[ -s "$archive" ] || return 1
		gzip -dc "$archive" | tar -xOf - "${archive%.tar.gz}/contrib/realserver/dsr-realserver.cmd" |
			cmp - "$work/src/contrib/realserver/dsr-realserver.cmd" || return 1
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
	DSRD_CACHE=$cache sh "$top/tests/portability.sh" "$1" "$work/src" "$work/portability"
}

# portability_check TARGET: the tests of what this machine can run.
portability_check() {
	if step "portability-$1" portability "$1"; then
		ln -sfn "portability/$1/dsrd" "$work/$1"
		make_check "$1"
	fi
}

# fuzz PROGRAM: on a copy of the corpus, which it adds to.
fuzz() {
	name=${1##*/fuzz_}
	mkdir -p "$work/corpus/$name" "$work/found" || return 1
	cp "$work/src/tests/fuzz/corpus/$name"/* "$work/corpus/$name/" || return 1
	"$1" -max_total_time="$fuzz_seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 \
	    -artifact_prefix="$work/found/$name-" "$work/corpus/$name"
}
