#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs the commands shown in README.md, doc/*.md and the manual, from the table tests/documents/commands. The hosts have
# the addresses of the documents, and the director has the configuration of doc/quick-start.md.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl arping tcpdump sysctl jq journalctl unshare
net_up 2
net_up6
top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
BUILD_DIR=$(CDPATH='' cd -- "$BUILD_DIR" && pwd)
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
# Where the sources of this build are, with `configure`.
sources=$(sed -n 's/^abs_top_srcdir = //p' "$BUILD_DIR/Makefile")
tab=$(printf '\t')
bin=$NET_DIR/bin
mkdir "$bin" "$NET_DIR/etc" "$NET_DIR/director"
for server in web1 web2; do
	start_nginx "$server"
	# As they come from the shop.
	vip_remove "$server" "$VIP"
	ip -n "$NET-$server" address delete "$VIP6/128" dev lo
	run_in "$server" sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0
done

# --- programs by their names, at home in this network
# --------------------------------------------------------------------

program() { # NAME: its text is standard input
	{
		echo '#!/bin/sh'
		cat
	} >"$bin/$1"
	chmod +x "$bin/$1"
}

program dsrd <<END
case " \$* " in
*" -f "*) exec "$DSRD" "\$@" ;;
*" -n "* | *" -T "*) exec "$DSRD" -f "$NET_DIR/dsrd.conf" "\$@" ;;
esac
exec "$DSRD" -f "$NET_DIR/dsrd.conf" -p "$NET_DIR/dsrd.pid" "\$@"
END
program dsrctl <<END
exec "$DSRCTL" -s "$NET_DIR/dsrd.sock" "\$@"
END
program ipvs2dsrd <<END
exec awk -f "$top/contrib/ipvs2dsrd" "\$@"
END
program dsr-realserver <<END
exec sh "$top/contrib/realserver/dsr-realserver" "\$@"
END
program ipvsadm-save <<END
exec cat "$top/tests/convert/ipvsadm.in"
END
# A minute is long.
program timeout <<'END'
shift
/usr/bin/timeout 3 "$@"
[ $? -eq 124 ]
END

# --- the director's files
# ------------------------------------------------------------------------------------------------

# The one of the quick start. Offload and the socket are this test's.
awk '/^```ini/ { show = 1; next } /^```/ { show = 0 } show' "$top/doc/quick-start.md" |
	sed "s|^\[dsrd\]|&\ncontrol = $NET_DIR/dsrd.sock\nuser = root\noffload = ${DSRD_OFFLOAD:-off}|" \
	    >"$NET_DIR/dsrd.conf"
sed -e "s|^\[dsrd\]|&\nmac = $DIRECTOR_MAC|" -e "s|^server = web1 .*|& mac=$(server_mac 1)|" \
    -e "s|^server = web2 .*|& mac=$(server_mac 2)|" "$NET_DIR/dsrd.conf" >"$NET_DIR/director/offline.conf"

# --- running
# -------------------------------------------------------------------------------------------------------------

# What a host writes below /var stays with it: `ip netns exec` gives a process its own mounts.
cat >"$NET_DIR/in-host" <<END
host=\$1
mkdir -p "$NET_DIR/\$host/var" && mount --bind "$NET_DIR/\$host/var" /var/lib && cd "$NET_DIR/\$host" &&
	PATH=$bin:\$PATH exec sh -c "\$2"
END

run() { # COMMAND...: on the director, in the middle of it all
	run_in director env PATH="$bin:$PATH" "$@"
}

is_up() { # SERVER
	run dsrctl show | grep -q "^web/$1 *up "
}

# Its process has ended, whatever became of its files.
is_gone() {
	[ ! -e "$NET_DIR/dsrd.sock" ] && { [ ! -s "$NET_DIR/dsrd.pid" ] || pid_gone "$(cat "$NET_DIR/dsrd.pid")"; }
}

# Which files the documents speak of.
translate() {
	printf '%s\n' "$1" | sed -e "s|/tmp/|$NET_DIR/|g" -e \
	    "s|/etc/keepalived/keepalived.conf|$top/tests/convert/keepalived.in|" \
	    -e "s|/etc/ha.d/ldirectord.cf|$top/tests/convert/ldirectord.in|" -e "s|@runstatedir@|$NET_DIR|g"
}

same_pids() { # HOST
	[ "$(ip netns pids "$NET-$1" | sort)" = "$pids_before" ]
}

try() { # HOST STATUS COMMAND
	got=0
	if [ "$1" = here ]; then
		(cd "$sources" && DSRD_DEMO_DIR=$BUILD_DIR sh -c "$3") >"$NET_DIR/said" 2>&1 || got=$?
	elif [ "$2" = goes-on ]; then
		pids_before=$(ip netns pids "$NET-$1" | sort)
		run_in "$1" timeout -k 2 2 sh "$NET_DIR/in-host" "$1" "$(translate "$3")" >"$NET_DIR/said" 2>&1 ||
			got=$?
		# timeout(1) says so when it was needed, with 124 or, after KILL, 137.
		case $got in
		124 | 137) got=goes-on ;;
		esac
		wait_until 10 same_pids "$1" || fail "\`$3\` on $1 left processes behind"
	else
		run_in "$1" timeout -k 5 60 sh "$NET_DIR/in-host" "$1" "$(translate "$3")" >"$NET_DIR/said" 2>&1 ||
			got=$?
	fi
	[ "$got" = "$2" ] || {
		cat "$NET_DIR/said" >&2
		fail "$1: \`$3\` ended with $got instead of $2; what it said is above"
	}
	tried=$((tried + 1))
}

tried=0
grep -v -e '^#' -e '^$' "$top/tests/documents/commands" >"$NET_DIR/commands"
while IFS=$tab read -r how command <&3; do
	step "$how: $command"
	case $how in
	+) eval "$command" || fail "$command" ;;
	web12)
		try web1 0 "$command"
		try web2 0 "$command"
		;;
	director | web1 | client | here) try "$how" 0 "$command" ;;
	*'~') try "${how%?}" goes-on "$command" ;;
	*=[0-9]) try "${how%=*}" "${how#*=}" "$command" ;;
	esac
done 3<"$NET_DIR/commands"
assert_at_least "commands that were run" 80 "$tried"
