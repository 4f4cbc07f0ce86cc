#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs the tests from a fresh clone: installs the packages they need, builds, runs and counts. Without an option it runs
# the
# quick set for testing a change, in minutes; with --all everything, in every supported build, as continuous integration
# does.
# The last line is "N passed, M failed"; the exit status is 0 if no test failed.
# shellcheck disable=SC2317 # functions are run by step() and timed(), by name
set -u

usage() {
	cat <<END
usage: tests/run.sh [--all | --check] [--only STEP] [--no-install]
    (no option)    one build, "make check" and, as root, the integration tests
    --all          everything: other compilers, sanitizers, fuzzers, other systems, packages; takes root and 25 minutes
    --check        one build and "make check": no privilege, no tools beyond those for building
    --only STEP    that step of an earlier run with the same options again, in the directories that it left
    --no-install   installs no packages; a test that misses one is skipped or fails
Environment:
    DSRD_TEST_DIR  where to build and to keep the logs (default: build-tests in the source tree)
    DSRD_CACHE     where libraries for other systems stay for the next run (default: dsrd-tests in ~/.cache)
    CI=true        a test that cannot run here is a failure, not a skip
    FUZZ_SECONDS   for each fuzzer (default: 20)
END
}

what=quick install=yes only=''
while [ $# -gt 0 ]; do
	case $1 in
	--all | --check) what=${1#--} ;;
	--no-install) install=no ;;
	--only)
		[ $# -ge 2 ] || {
			usage >&2
			exit 64
		}
		only=$2
		shift
		;;
	-h | --help)
		usage
		exit 0
		;;
	*)
		usage >&2
		exit 64
		;;
	esac
	shift
done

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 71
work=${DSRD_TEST_DIR:-$top/build-tests}
fuzz_seconds=${FUZZ_SECONDS:-20}
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
PATH=$PATH:/usr/sbin:/sbin
# The tests expect untranslated messages of system programs.
LC_ALL=C
# The first finding of any sanitizer ends the program.
UBSAN_OPTIONS=print_stacktrace=1
export PATH LC_ALL UBSAN_OPTIONS
if [ "${CI:-}" = true ]; then
	DSRD_CI=1
	export DSRD_CI
fi

# --- counting and reporting ------------------------------------------------------------------------------------------

# Lanes run in parallel and share their state in files:
#     state/STEP     "ok" or "failed": the step has finished
#     state/counts   a line "PASSED FAILED SKIPPED" for each step
#     state/failed   the commands that run each failed test alone

# report NAME TEXT: one line of progress.
report() {
	printf '%-36s %s\n' "$1" "$2"
}

# show LOG: prints the end of the log of a failed step.
show() {
	echo "    --- end of $1:"
	tail -n 40 "$1" | sed 's/^/    /'
	echo "    ---"
}

# failed COMMAND: records the command that runs the failed test alone.
failed() {
	echo "    to run it alone: $1"
	echo "$1" >>"$work/state/failed"
}

# wanted STEP: false if another step was selected.
wanted() {
	[ -z "$only" ] || [ "$only" = "$1" ] || {
		echo ok >"$work/state/$1"
		return 1
	}
}

# ended STEP ok|failed: notifies lanes that wait for it.
ended() {
	echo "$2" >"$work/state/$1"
}

# await STEP: waits until it has finished in any lane. True if it was ok.
await() {
	while [ ! -s "$work/state/$1" ]; do
		sleep 0.5
	done
	[ "$(cat "$work/state/$1")" = ok ]
}

# timed NAME COMMAND...: runs it with its log in logs/NAME.log. `took` is the time and the CPU time; the status is that
# of the
# command.
timed() {
	log=$work/logs/$1.log
	shift
	begin=$(date +%s)
	(
		("$@")
		timed_status=$?
		times >"$log.times"
		exit "$timed_status"
	) >"$log" 2>&1 </dev/null
	timed_status=$?
	took="$(($(date +%s) - begin)) s, CPU $(awk -F '[ ms]+' 'END { printf "%.0f", $1 * 60 + $2 + $3 * 60 + $4 }' "$log.times") s"
	rm -f "$log.times"
	return "$timed_status"
}

# step NAME COMMAND...: one test that passes or fails.
step() {
	step_name=$1
	wanted "$step_name" || return 0
	if timed "$@"; then
		count 1 0 0
		report "$step_name" "ok ($took)"
		ended "$step_name" ok
		return 0
	fi
	count 0 1 0
	# In one write, because other lanes report too.
	step_report=$(
		report "$step_name" "FAILED ($took)"
		show "$log"
		failed "sh $top/tests/run.sh $([ "$what" = quick ] || echo "--$what ")--only $step_name"
	)
	echo "$step_report"
	ended "$step_name" failed
	return 1
}

# skipped NAME WHY
skipped() {
	wanted "$1" || return 0
	count 0 0 1
	report "$1" "skipped: $2"
	ended "$1" failed
}

# count PASSED FAILED SKIPPED
count() {
	echo "$1 $2 $3" >>"$work/state/counts"
}

finish() {
	[ -s "$work/state/counts" ] || {
		echo "no step was run${only:+: step \`$only\` does not exist, or a step that it needs failed}" >&2
		exit 64
	}
	echo
	echo "Logs: $work/logs"
	if [ -s "$work/state/failed" ]; then
		echo "To run failed tests alone:"
		sed 's/^/    /' "$work/state/failed"
	fi
	[ "$what" != quick ] || echo "This was the quick set. To run everything: sh tests/run.sh --all"
	awk -v ci="${DSRD_CI:-0}" '
		{ passed += $1; failed += $2; skipped += $3 }
		END {
			if (ci)
				failed += skipped
			if (skipped > 0)
				print "Skipped: " skipped (ci ? ", which CI=true makes failures" : " (CI=true makes them failures)")
			print passed + 0 " passed, " failed + 0 " failed"
			exit failed > 0
		}' "$work/state/counts"
	exit $?
}

# --- lanes -----------------------------------------------------------------------------------------------------------

lanes=''
# lane FUNCTION ARGUMENT...: runs its steps one after the other, in parallel with other lanes.
lane() {
	"$@" &
	lanes="$lanes $!"
}

# For lanes that compute: lanes that wait for network events take precedence.
nicely() {
	renice -n 10 -p "$(exec sh -c 'echo $PPID')" >/dev/null 2>&1 || true
}

await_lanes() {
	for lane_pid in $lanes; do
		wait "$lane_pid"
	done
	lanes=''
}

# All descendants of this process: an interrupted script must end its lanes itself.
interrupted() {
	trap '' INT TERM
	# shellcheck disable=SC2046 # process ids
	kill -TERM $(ps -A -o pid= -o ppid= | awk -v top=$$ '
		{ parent[$1] = $2 }
		END {
			for (pid in parent) {
				for (up = pid; up in parent && up != top; up = parent[up])
					;
				if (up == top && pid != top)
					print pid
			}
		}') 2>/dev/null
	wait
	exit "$1"
}
trap 'interrupted 130' INT
trap 'interrupted 143' TERM

# shellcheck source-path=SCRIPTDIR source=steps.sh
. "$top/tests/steps.sh"

# --- lanes of --all --------------------------------------------------------------------------------------------------

# Mostly waits for networks.
lane_networks() {
	step offloaded-golden offloaded_golden gcc
	# With offload: tests that forward traffic, and tests that end or move flows.
	integration tc gcc transfer ipv6 fragments two_arm two_services vlan reload on_down max_connections flood_bad \
	    measure \
	    withhold keepalived
	# The same code in another hook of the kernel: only tests that reach it.
	integration xdp gcc transfer ipv6 two_arm vlan withhold
	if await asan-build; then
		# shellcheck disable=SC2046 # names
		integration off asan $(asan_tests)
	fi
	integration off gcc
}

lane_builds() {
	nicely
	if step asan-configure configure asan CC="$(with_ccache gcc)" --enable-werror --enable-sanitizers; then
		step asan-build build asan
	else
		ended asan-build failed
	fi
	make_check gcc
	! await asan-build || make_check asan
	# The files for unknown platforms must be built regularly.
	step none-configure configure none CC="$(with_ccache gcc)" --enable-werror --with-platform=none &&
		step none-build build none
	step shellcheck lint_shell
	step cppcheck lint_cppcheck
	step windows-scripts lint_windows
	if command -v wine >/dev/null 2>&1 && command -v x86_64-w64-mingw32-gcc >/dev/null 2>&1; then
		step windows-cmd sh "$work/src/tests/realserver/cmd/test.sh"
	else
		skipped windows-cmd "no wine or no MinGW compiler; see contrib/packages.sh"
	fi
	# No package of Debian or PyPI has an engine, so continuous integration cannot run it: not counted as a skip.
	if command -v pwsh >/dev/null 2>&1; then
		step windows-ps1 sh "$work/src/tests/realserver/powershell/test.sh"
	else
		report windows-ps1 "not run: there is no pwsh (windows-scripts checks the script without one)"
	fi
	for page in "$work"/src/man/*.in; do
		page=${page##*/}
		step "mandoc-${page%.in}" lint_man "${page%.in}"
	done
	step in-tree in_tree
	step dist-complete lint_dist
	step dist-reproducible dist_reproducible
	if [ "$(id -u)" -eq 0 ]; then
		step packaging packaging
	else
		skipped packaging "a fresh Debian system takes root"
	fi
}

# Builds for other systems, two at a time, because configure takes one processor. "make distcheck" runs with the BSDs'
# make
# (bmake) only. GNU make builds, tests and installs from a release in packaging, so its distcheck would repeat that.
lane_systems() {
	nicely
	step portability-sources portability sources || return
	step portability-freebsd portability freebsd
	step portability-openbsd portability openbsd
	portability_check musl
	step portability-s390x portability s390x
	step portability-bmake portability bmake
}

lane_other_systems() {
	nicely
	# Also the build that shows clang's warnings.
	step fuzz-configure configure fuzz CC="$(with_ccache clang)" --enable-werror --enable-fuzzer &&
		step fuzz-build build fuzz
	await portability-sources || return
	step portability-netbsd portability netbsd
	step portability-macos portability macos
	portability_check i386
}

# lane_fuzzers ODD: every second one.
lane_fuzzers() {
	nicely
	fuzzers=0
	for program in "$work"/fuzz/tests/fuzz/fuzz_*; do
		case $program in
		*.o | *.c) continue ;;
		esac
		[ -x "$program" ] || continue
		fuzzers=$((fuzzers + 1))
		[ $((fuzzers % 2)) -ne "$1" ] || step "${program##*/}" fuzz "$program"
	done
	[ "$fuzzers" -gt 1 ] || step "fuzzers-$1" false
}

# Needs root and two processors, one of which measures.
benchmarks() {
	if [ "$(id -u)" -eq 0 ] && [ "$jobs" -ge 2 ]; then
		step bench-quick bench_quick gcc
	else
		skipped bench-quick "benchmarks take root and two processors"
	fi
}

# --- all of it -------------------------------------------------------------------------------------------------------

if ! mkdir -p "$work/logs" 2>/dev/null || ! [ -w "$work" ]; then
	work=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-tests.XXXXXX") || exit 71
fi
cache=${DSRD_CACHE:-${XDG_CACHE_HOME:-${HOME:-$work}/.cache}/dsrd-tests}
mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$work/cache
CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1 CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
export CCACHE_BASEDIR CCACHE_NOHASHDIR CCACHE_DIR
rm -rf "$work/state"
if [ -z "$only" ]; then
	# Only files of an earlier run. distcheck leaves read-only directories behind when it fails.
	for name in src gcc asan none fuzz corpus found logs packaging portability musl i386 in-tree in-tree-installed; do
		if [ -h "$work/$name" ]; then
			rm "$work/$name"
		elif [ -d "$work/$name" ]; then
			chmod -R u+w "$work/$name"
			rm -rf "${work:?}/$name"
		fi
	done
fi
mkdir -p "$work/logs" "$work/state"
echo "Building in $work, with $jobs jobs"

case $what in
check) packages=build ;;
quick) packages=quick ;;
all) packages='test' ;;
esac
if [ "$install" = yes ] && [ -z "$only" ]; then
	if timed packages sh "$top/contrib/packages.sh" "$packages"; then
		report packages "ok ($took)"
	else
		report packages "not installed; going on with what is there"
		show "$log"
	fi
fi

step source copy_source || finish
step autogen autogen || finish
step gcc-configure configure gcc CC="$(with_ccache gcc)" --enable-werror || finish
step gcc-build build gcc || finish

case $what in
check)
	make_check gcc
	;;
quick)
	lane_check() {
		make_check gcc
	}
	lane lane_check
	if [ "$(id -u)" -eq 0 ]; then
		integration off gcc
	else
		skipped integration "network namespaces take root"
	fi
	await_lanes
	;;
all)
	: >"$work/state/busy"
	lane lane_builds
	lane lane_systems
	lane lane_other_systems
	computing=$lanes
	lane lane_networks
	networks=${lanes##* }
	lanes=$computing
	await_lanes
	# Then those that run alone.
	rm -f "$work/state/busy"
	lanes=$networks
	await_lanes
	lane lane_fuzzers 0
	lane lane_fuzzers 1
	# In parallel with the fuzzers: figures must exist and need not be good.
	benchmarks
	await_lanes
	;;
esac

finish
