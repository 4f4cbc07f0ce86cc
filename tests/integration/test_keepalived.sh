#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Failover with keepalived and the three files shown in doc/operating.md: one of two directors becomes master and starts
# dsrd. When it is unplugged or its dsrd is killed, the other one takes over within seconds and keeps the VIP.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl keepalived mount
net_up 2
net_host_add standby
net_attach standby eth0 lan 02:00:00:00:00:03 "$SERVER_PREFIX.2/24"
start_nginx web1
start_nginx web2
top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
BUILD_DIR=$(CDPATH='' cd -- "$BUILD_DIR" && pwd)
DSRD=$(CDPATH='' cd -- "$(dirname -- "$DSRD")" && pwd)/${DSRD##*/}
DSRCTL=${DSRCTL:-$BUILD_DIR/dsrctl}
etc=$NET_DIR/etc
mkdir "$etc"
# keepalived requires that only root can change its scripts.
chmod 755 "$NET_DIR" "$etc"

# The block of text that follows the file's name.
for file in keepalived.conf dsrd-role dsrd-alive; do
	awk -v file="\`/etc/keepalived/$file\`" '
		!found { found = index($0, file) }
		found && /^```$/ && inside { exit }
		inside
		found && /^```text$/ { inside = 1 }' "$top/doc/operating.md" >"$etc/$file"
	[ -s "$etc/$file" ] || fail "doc/operating.md does not show /etc/keepalived/$file"
done
chmod 755 "$etc/dsrd-role" "$etc/dsrd-alive"
chmod 644 "$etc/keepalived.conf"

# --- two directors, each with its own /run, /etc/keepalived and systemctl ------------------------------------------------

director() { # HOST PROBE-ADDRESS
	mkdir "$NET_DIR/$1" "$NET_DIR/$1/bin"
	cat >"$NET_DIR/$1/dsrd.conf" <<END
[dsrd]
interface = eth0
control = $NET_DIR/$1/sock
log = stderr
user = root
probe-address = $2
offload = ${DSRD_OFFLOAD:-off}
[service web]
listen = $VIP tcp/80
scheduler = maglev
interval = 500ms
timeout = 500ms
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END
	# As with Type=notify, it has started when it serves.
	cat >"$NET_DIR/$1/bin/systemctl" <<END
#!/bin/sh
cd $NET_DIR/$1
case \$1 in
start)
	kill -0 "\$(cat pid)" && exit 0
	"$DSRD" -F -f dsrd.conf -p pid >>log 2>&1 &
	for turn in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -s pid ] || [ ! -S sock ] || break
		sleep 0.2
	done
	;;
stop) kill "\$(cat pid)" ;;
esac
END
	printf '#!/bin/sh\nexec "%s" -s %s "$@"\n' "$DSRCTL" "$NET_DIR/$1/sock" >"$NET_DIR/$1/bin/dsrctl"
	chmod 755 "$NET_DIR/$1" "$NET_DIR/$1/bin" "$NET_DIR/$1/bin"/*
	: >"$NET_DIR/$1/log"
	# Mounts are this process's own.
	cat >"$NET_DIR/$1/keepalived" <<END
set -e
mount -t tmpfs run /run
mount --bind $etc /etc/keepalived
PATH=$NET_DIR/$1/bin:$PATH exec keepalived -n -l -D
END
	start_in "$1" "keepalived-$1" sh "$NET_DIR/$1/keepalived"
}

# What runs there, by the file that it keeps.
runs() { # HOST
	[ -e "$NET_DIR/$1/pid" ] && ! pid_gone "$(cat "$NET_DIR/$1/pid")"
}

other() { # HOST
	[ "$1" = director ] && echo standby || echo director
}

# One director runs dsrd, the other one does not.
one_runs() {
	only_runs director || only_runs standby
}

only_runs() { # HOST
	runs "$1" && ! runs "$(other "$1")"
}

explain() { # TEXT
	tail -n 15 "$NET_DIR"/keepalived-*.log "$NET_DIR"/*/log >&2
	fail "$1"
}

page() {
	fetch / --max-time 1
}

takes_over() { # HOST WHAT
	begin=$(date +%s)
	wait_until 10 only_runs "$1" || explain "$2: $1 does not run dsrd, or the other one still does"
	wait_until 10 page || explain "$2: no page from $1"
	echo "# $2: a page after $(($(date +%s) - begin)) s"
}

step "one of them becomes master, and serves"
director director "$SERVER_PREFIX.6"
director standby "$SERVER_PREFIX.7"
wait_until 15 one_runs || explain "no director has started dsrd"
wait_until 10 page || explain "no page"
master=director
runs director || master=standby

step "the master is unplugged"
link_set switch "$master-eth0" down
takes_over "$(other "$master")" unplugged

step "and plugged in again: the service stays where it is"
link_set switch "$master-eth0" up
wait_until 10 grep -q 'Entering BACKUP STATE' "$NET_DIR/keepalived-$master.log" || explain "it does not become the standby"
sleep 2
only_runs "$(other "$master")" || explain "the service has moved back"
wait_until 5 page || explain "no page"
master=$(other "$master")

step "dsrd dies on the master"
kill -KILL "$(cat "$NET_DIR/$master/pid")"
takes_over "$(other "$master")" "killed"

step "keepalived ends on the master"
master=$(other "$master")
stop "keepalived-$master"
takes_over "$(other "$master")" "stopped"

grep -q 'state.*up' "$NET_DIR/$master/log" || explain "the logs are not there"
if grep 'vip-conflict' "$NET_DIR"/*/log; then
	explain "two directors had the VIP"
fi
for host in director standby; do
	! runs "$host" || kill "$(cat "$NET_DIR/$host/pid")"
done

step "contrib/ipvs2dsrd and keepalived read the same servers"
# As it ends, keepalived names each server that it had: "[192.0.2.11]:tcp:80". There is no IPVS in this network.
net_host_add reader
for name in syntax one_line; do
	{
		printf 'global_defs {\n\tscript_user root\n}\n'
		cat "$top/tests/convert/$name.in"
	} >"$NET_DIR/$name.conf"
	run_in reader timeout 2 keepalived -n -l -C -i standby -f "$NET_DIR/$name.conf" -p "$NET_DIR/reader.pid" \
	    -c "$NET_DIR/checkers.pid" >"$NET_DIR/read" 2>&1 || true
	sed -n 's/.*Shutting down .*service \[\([^]]*\)\]:\([a-z]*\):\([0-9]*\) from VS.*/\1 \2\/\3/p' "$NET_DIR/read" | sort -u \
	    >"$NET_DIR/$name.keepalived"
	awk -v config_id=standby -f "$top/contrib/ipvs2dsrd" "$NET_DIR/$name.conf" 2>/dev/null | awk '
		/^listen/ { ports = $4 }
		/^server/ { print $4, ports }' | sort -u >"$NET_DIR/$name.dsrd"
	[ -s "$NET_DIR/$name.keepalived" ] || fail "keepalived named no server: $(tail -n 5 "$NET_DIR/read")"
	diff -u "$NET_DIR/$name.keepalived" "$NET_DIR/$name.dsrd" || fail "$name.in: the lists differ"
done
