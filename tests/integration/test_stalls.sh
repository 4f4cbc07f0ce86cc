#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Others stall while clients send requests: the reader of standard error, the syslog daemon, the file systems of
# dsrd.conf, of
# the certificates for https checks and of scripts, rtnetlink, the resolver. The director never sleeps for more than 10 ms
# but in the call that waits for events, so that it delays no request by more; that is measured in the kernel, because on
# a busy machine requests are late for other reasons.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
[ "$net_os" = linux ] || skip "what stalls here is made with Linux's means"
net_require nginx curl python3
here=$(dirname -- "$0")
net_up 2
start_nginx web1
start_nginx web2

# A connection after the other for 2 seconds, into FILE.
measure() { # FILE
	run_in client python3 "$here/pace.py" measure "$VIP" 80 2 >"$1" 2>"$1.errors"
}

# The process that forwards frames.
director() {
	"$DSRCTL" -s "$SOCKET" show process | awk '$1 == "director" { print $2 }'
}

step "a process that sleeps for 50 ms is noticed, one that waits for events is not"
python3 -c 'import time
while True: time.sleep(0.05)' &
sleeper=$!
python3 -c 'import select
events = select.epoll()
while True: events.poll(0.05)' &
waiter=$!
sleep 0.5
noticed=0
python3 "$here/blocked.py" "$sleeper" 1 10 >/dev/null || noticed=$?
assert_equal "status for the one that sleeps" 1 "$noticed"
python3 "$here/blocked.py" "$waiter" 1 10 || fail "waiting for events counts as a sleep"
kill "$sleeper" "$waiter"

# For requests, the machine may be busy with other work: a director that really waits is late each time.
expect_no_delay() { # WHAT
	for attempt in 1 2 3; do
		python3 "$here/blocked.py" "$(director)" 2 10 >"$NET_DIR/blocked" 2>&1 &
		looker=$!
		measure "$NET_DIR/stalled"
		slept=0
		wait "$looker" || slept=1
		if python3 "$here/pace.py" compare "$NET_DIR/baseline" "$NET_DIR/stalled" >"$NET_DIR/compared" 2>&1 &&
			[ $slept = 0 ]; then
			echo "# $1: the director $(sed 's/^[^:]*: //' "$NET_DIR/blocked")"
			return
		fi
		echo "$1, attempt $attempt: $(tail -n 1 "$NET_DIR/compared"); $(tail -n 1 "$NET_DIR/blocked")" >&2
	done
	fail "$1: requests wait for it"
}

write_conf() { # LOG
	conf_head | sed "s/^log = .*/log = $1/" >"$NET_DIR/dsrd.conf"
	cat >>"$NET_DIR/dsrd.conf" <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
}

# The counters, some kilobytes each time: more than a pipe and the ring hold.
talk_much() {
	for _ in $(seq 150); do
		kill -USR1 "$(pid_of dsrd)"
		sleep 0.01
	done
}

step "standard error is a pipe whose reader is stopped"
write_conf stderr
mkfifo "$NET_DIR/pipe"
# shellcheck disable=SC2016 # the shell's in the director
start_in director dsrd sh -c 'exec "$1" -F -f "$2" >"$3" 2>&1' sh "$DSRD" "$NET_DIR/dsrd.conf" "$NET_DIR/pipe"
cat "$NET_DIR/pipe" >>"$NET_DIR/dsrd.log" &
reader=$!
wait_until 15 dsrd_settled || fail "the director is not ready"
wait_servers_up web web1 web2
measure "$NET_DIR/baseline"
kill -STOP "$reader"
talk_much
expect_no_delay "the reader of standard error"
ctl 0 show
kill -CONT "$reader"

# A command again and again in the background, with so many seconds in between.
repeat() { # SECONDS COMMAND...
	net_pause=$1
	shift
	(
		while :; do
			"$@" >/dev/null 2>&1 || true
			sleep "$net_pause"
		done
	) &
	repeated=$!
}
end_repeat() {
	kill "$repeated" 2>/dev/null || true
	wait "$repeated" 2>/dev/null || true
}

step "it continues, and the log reports the lost lines"
wait_log 5 'warning log-lost count=[1-9]'

step "dsrd.conf is a pipe that no one writes to"
mv "$NET_DIR/dsrd.conf" "$NET_DIR/good.conf"
mkfifo "$NET_DIR/dsrd.conf"
repeat 0.5 kill -HUP "$(pid_of dsrd)"
expect_no_delay "the file of a reload"
end_repeat
ctl 1 reload
complained 'dsrd.conf: its file system, or that of a file that it includes, has not answered for 3 seconds'
complained 'nothing was changed'
ctl 1 reload --plan
complained 'has not answered'
wait_log 5 'error reload result=failed'
ctl 0 show
said 'the last reload failed'
rm "$NET_DIR/dsrd.conf"
mv "$NET_DIR/good.conf" "$NET_DIR/dsrd.conf"
ctl 0 reload
ctl 0 show

step "the file of an https check's certificates is a pipe that no one writes to"
mkfifo "$NET_DIR/ca.pem"
cp "$NET_DIR/dsrd.conf" "$NET_DIR/good.conf"
cat >>"$NET_DIR/dsrd.conf" <<END

[service tls]
listen = $VIP tcp/443
check = https port=80 ca=$NET_DIR/ca.pem
interval = 1s
timeout = 900ms
server = web1 $(server_ip 1)
END
ctl 0 reload
expect_no_delay "the file of certificates"
assert_log 'server=tls/web1 .*ca.pem: its file system does not answer'
mv "$NET_DIR/good.conf" "$NET_DIR/dsrd.conf"
ctl 0 reload

step "rtnetlink is busy with the changes of others"
printf 'link add dummy%d type dummy\n' $(seq 60) >"$NET_DIR/links"
printf 'link del dummy%d\n' $(seq 60) >>"$NET_DIR/links"
repeat 0 run_in director ip -force -batch "$NET_DIR/links"
expect_no_delay "rtnetlink"
end_repeat

step "the doctor's resolver reads nothing"
start_in director resolver python3 -c 'import socket, time
asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asked.bind(("127.0.0.53", 53))
time.sleep(3600)'
printf 'nameserver 127.0.0.53\n' >"$NET_DIR/resolv.conf"
# The director's own /etc/resolv.conf: its mounts are not the host's.
nsenter -t "$(pid_of dsrd)" -m mount --bind "$NET_DIR/resolv.conf" "$(readlink -f /etc/resolv.conf)" ||
	fail "the director's resolv.conf cannot be replaced"
repeat 0 "$DSRCTL" -s "$SOCKET" doctor --all
expect_no_delay "the resolver"
end_repeat
stop resolver
stop_dsrd
wait "$reader" || true

step "the syslog daemon reads nothing"
write_conf syslog
cat >"$NET_DIR/syslog.py" <<'END'
import socket, sys, time
log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
log.bind(sys.argv[1])
time.sleep(3600)
END
start_in director syslog python3 "$NET_DIR/syslog.py" "$NET_DIR/log"
wait_until 5 test -S "$NET_DIR/log" || fail "there is no syslog socket"
# A host's mounts are its own: its /dev has what dsrd and scripts need, and /dev/log.
cat >"$NET_DIR/with_syslog" <<'END'
mkdir "$1/dev"
mount --bind /dev "$1/dev"
mount -t tmpfs none /dev
for device in null zero random urandom fd; do
	ln -s "$1/dev/$device" "/dev/$device"
done
ln -s "$1/log" /dev/log
exec "$2" -F -f "$1/dsrd.conf"
END
start_in director dsrd sh "$NET_DIR/with_syslog" "$NET_DIR" "$DSRD"
wait_until 15 "$DSRCTL" -s "$SOCKET" show || fail "the director is not ready"
wait_until 10 run_in client curl -sf -o "$NET_DIR/page" "http://$VIP/" || fail "no server is up"
measure "$NET_DIR/baseline"
talk_much
expect_no_delay "the syslog daemon"
ctl 0 show
stop_dsrd

step "the file system that a script and the program of notify are on does not answer"
[ -w /dev/fuse ] || skip "/dev/fuse is missing: no file system can be made to stall"
mkdir "$NET_DIR/tarpit"
chmod 711 "$NET_DIR"
write_conf stderr
cat >>"$NET_DIR/dsrd.conf" <<END

[service other]
listen = $VIP tcp/81
check = script $NET_DIR/tarpit/check
server = web1 $(server_ip 1)
server = web2 $(server_ip 2)
END
sed -i "s|^log = .*|&\nnotify = $NET_DIR/tarpit/notify|" "$NET_DIR/dsrd.conf"
start_in director dsrd python3 "$here/tarpit.py" "$NET_DIR/tarpit" "$DSRD" -d -f "$NET_DIR/dsrd.conf"
wait_until 15 dsrd_settled || fail "the director is not ready"
wait_servers_up web web1 web2
wait_server down other/web1
expect_no_delay "the file system of scripts"
assert_log 'server-state server=other/web1 .*to=down .*timeout'
stop_dsrd
