# SPDX-License-Identifier: ISC
# shellcheck shell=sh
# Functions shared by tests of dsrctl. Source it after net.sh.

SOCKET=$NET_DIR/dsrd.sock
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}

ctl() { # STATUS WORD...: what it says is in $NET_DIR/said, errors in $NET_DIR/complained
	ctl_status=$1
	shift
	ctl_got=0
	"$DSRCTL" -s "$SOCKET" "$@" >"$NET_DIR/said" 2>"$NET_DIR/complained" || ctl_got=$?
	[ "$ctl_got" = "$ctl_status" ] || {
		cat "$NET_DIR/said" "$NET_DIR/complained" >&2
		fail "dsrctl $*: expected status $ctl_status, got $ctl_got"
	}
}

said() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || {
		cat "$NET_DIR/said" >&2
		fail "no line of the above matches '$1'"
	}
}

complained() { # PATTERN
	grep -q -e "$1" "$NET_DIR/complained" || {
		cat "$NET_DIR/complained" >&2
		fail "no line of the above matches '$1'"
	}
}

is_json() {
	! command -v python3 >/dev/null || python3 -m json.tool "$NET_DIR/said" >/dev/null || {
		cat "$NET_DIR/said" >&2
		fail "the above is not JSON"
	}
}
