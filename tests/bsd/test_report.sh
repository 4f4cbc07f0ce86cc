#!/bin/sh
# SPDX-License-Identifier: ISC
#
# report.sh with stand-ins for the systems' programs: what it would type on each system, compared with expected output;
# that it
# removes what it created, newest first, also when a command fails in the middle; and what it refuses. Needs no
# privileges.
#
#   test_report.sh [--accept]     --accept writes the expected output; review the difference before you commit it

set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
accept=false
[ "${1:-}" != --accept ] || accept=true
work=$(mktemp -d "${TMPDIR:-/tmp}/dsrd-report-test.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
failures=0
cases=0

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# Each stand-in writes down how it was called. STANDIN_FAILS names a call that fails.
mkdir -p "$work/bin" "$work/build" "$work/tmp"
for program in ifconfig sysctl route arp kldload nc; do
	cat >"$work/bin/$program" <<'END'
#!/bin/sh
echo "${0##*/} $*" >>"$STANDIN_LOG"
[ "${0##*/} $*" != "sysctl -n net.inet.ip.forwarding" ] || echo 0
[ "${0##*/} $*" != "${STANDIN_FAILS:-}" ]
END
done
# shellcheck disable=SC2016 # for that script
printf '#!/bin/sh\ncase ${1:-} in -s) echo "$STANDIN_SYSTEM" ;; *) echo "$STANDIN_SYSTEM 1.0" ;; esac\n' \
    >"$work/bin/uname"
printf '#!/bin/sh\necho 0\n' >"$work/bin/id"
# dsrd as the report sees it: its log, and an end on SIGTERM.
cat >"$work/build/dsrd" <<'END'
#!/bin/sh
[ "$1" != -V ] || exec echo "dsrd stand-in"
echo "notice ready version=0"
for server in web1 web2; do
	echo "notice server-state server=web/$server from=unknown to=up"
done
trap 'kill $!; exit 0' TERM
sleep 60 &
wait
END
printf '#!/bin/sh\nexit 0\n' >"$work/build/dsrctl"
chmod 755 "$work"/bin/* "$work"/build/*

report() { # SYSTEM ARGUMENT...
	report_system=$1
	shift
	: >"$work/log"
	status=0
	PATH=$work/bin:$PATH STANDIN_LOG=$work/log STANDIN_SYSTEM=$report_system STANDIN_FAILS=${fails:-} \
	    TMPDIR=$work/tmp \
	    sh "$here/report.sh" "$@" >"$work/said" 2>&1 </dev/null || status=$?
	[ -z "$(ls "$work/tmp")" ] || fail "$report_system $*: it leaves files in its temporary directory"
}

golden() { # NAME SYSTEM ARGUMENT...
	cases=$((cases + 1))
	golden_file=$here/golden/$1.txt
	shift
	report "$@"
	# Names that differ from run to run.
	sed -e "s|$work/tmp/dsrd-report\.[A-Za-z0-9]*|WORK|g" -e "s|$work/build|BUILD|g" -e "s|$here|HERE|g" \
	    "$work/said" >"$work/clean"
	echo "exit status $status" >>"$work/clean"
	[ ! -s "$work/log" ] || grep -v '^sysctl -n ' "$work/log" | grep -q . || : >"$work/log"
	[ ! -s "$work/log" ] || fail "-n calls programs: $(cat "$work/log")"
	if $accept; then
		mkdir -p "$here/golden"
		cp "$work/clean" "$golden_file"
	else
		diff -u "$golden_file" "$work/clean" || fail "$* prints something else than $golden_file"
	fi
}

golden openbsd OpenBSD -n "$work/build"
golden openbsd-real OpenBSD -n "$work/build" vio0 192.0.2.20 192.0.2.21
golden freebsd FreeBSD -n "$work/build"
golden netbsd NetBSD -n "$work/build"
golden netbsd-real NetBSD -n "$work/build" wm0 192.0.2.20 192.0.2.21

# What was created, and what was destroyed, in reverse.
cleans_up() {
	cases=$((cases + 1))
	sed -n 's/^ifconfig \([a-z0-9]*\) create.*/\1/p' "$work/log" >"$work/created"
	sed -n 's/^ifconfig \([a-z0-9]*\) destroy$/\1/p' "$work/log" >"$work/destroyed"
	[ -s "$work/created" ] || fail "nothing was created"
	sort "$work/created" | diff - "$work/expected" >/dev/null || fail "created: $(tr '\n' ' ' <"$work/created")"
	# sed -n '1!G;h;$p' prints lines in reverse.
	sed -n '1!G;h;$p' "$work/created" | diff - "$work/destroyed" || fail "not removed in reverse"
}

# Each pair that fails to appear is the end; what was there before is removed. "create" that failed created nothing.
fails='ifconfig pair3 create rdomain 12'
report OpenBSD "$work/build"
printf '%s\n' bridge9 pair1 pair101 pair102 pair2 >"$work/expected"
sed -i.bak '/^ifconfig pair3 create/d' "$work/log"
cleans_up
[ "$status" -eq 1 ] || fail "status $status after a command that failed"
grep -q '^FAILED: ifconfig pair3 create rdomain 12$' "$work/said" || fail "the command that failed is not reported"

fails='sysctl net.inet.ip.forwarding=1'
report OpenBSD "$work/build"
printf '%s\n' bridge9 pair1 pair101 pair102 pair103 pair104 pair2 pair3 pair4 >"$work/expected"
cleans_up
[ "$status" -eq 1 ] || fail "status $status where forwarding could not be turned on"
fails=

refused() { # STATUS ARGUMENT...
	cases=$((cases + 1))
	refused_status=$1
	shift
	report OpenBSD "$@"
	[ "$status" -eq "$refused_status" ] || fail "report.sh $*: status $status, expected $refused_status"
}
refused 64
refused 64 "$work/build" vio0
refused 66 "$work/tmp"
report NetBSD "$work/build"
[ "$status" -eq 1 ] || fail "NetBSD without a network: status $status"
printf '#!/bin/sh\necho 1000\n' >"$work/bin/id"
refused 77 "$work/build"

echo "$cases cases, $failures failed"
[ "$failures" -eq 0 ]
