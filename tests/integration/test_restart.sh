#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A restart loses no connection: fifty downloads with wlc continue while the director is killed twenty times and stopped
# twice, with and without offload. Changes made with dsrctl are kept, and an invalid state file is ignored.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl
DOWNLOADS=50
net_up 3
for server in web1 web2 web3; do
	start_nginx "$server"
done

write_conf() { # OFFLOAD
	{
		conf_head | sed "s/^offload = .*/offload = $1/"
		cat <<-END

		[service web]
		listen = $VIP tcp/80
		scheduler = wlc
		server = web1 $(server_ip 1)
		server = web2 $(server_ip 2) weight=2
		server = web3 $(server_ip 3)
		END
	} >"$NET_DIR/dsrd.conf"
}

each_download() { # COMMAND...: with the download's name behind it
	for number in $(seq "$DOWNLOADS"); do
		"$@" "get$number"
	done
}

begin_download() { # NAME
	start_in client "$1" curl -sN -H 'Connection: close' -D "$NET_DIR/$1.head" -o "$NET_DIR/$1.part" \
	    "http://$VIP/slow/long"
	wait_until 5 grep -q '^X-Server:' "$NET_DIR/$1.head" || fail "the download $1 does not begin"
}

note_size() { # NAME
	wc -c <"$NET_DIR/$1.part" >"$NET_DIR/$1.size"
}

has_grown() { # NAME: by more than was under way without an answer
	[ "$(wc -c <"$NET_DIR/$1.part")" -gt $(($(cat "$NET_DIR/$1.size") + 100000)) ]
}

grows() { # NAME
	wait_until 20 has_grown "$1" || fail "the download $1 from $(server_of "$1") stands still"
}

carries() {
	dump_dsrd
	[ "$(counter offloaded)" -gt 0 ]
}

goes_on() { # NAME
	is_running "$1" || fail "the download $1 from $(server_of "$1") broke off: $(cat "$NET_DIR/$1.log")"
}

# What the director restored the last time.
restored() { # WORD
	sed -n "s/.*restore result=ok .* $1=\\([0-9]*\\).*/\\1/p" "$NET_DIR/dsrd.log" | tail -n 1
}

kill_and_start() { # TIMES
	for _ in $(seq "$1"); do
		kill -KILL "$(pid_of dsrd)"
		wait_until 5 pid_gone "$(pid_of dsrd)" || fail "the director survives SIGKILL"
		start_dsrd
		assert_at_least "connections restored" "$DOWNLOADS" "$(restored connections)"
		# Clients send meanwhile; a frame that goes astray resets its connection.
		wait_until 5 some_frames || fail "no frame is forwarded after a restart"
		assert_equal "frames dropped for lack of a server" "0 0" \
		    "$(drop_count no-server) $(drop_count no-neighbor)"
		each_download goes_on
	done
}

some_frames() {
	dump_dsrd
	[ "$(counter forwarded)" -gt 20 ]
}

step "fifty downloads, by the number of connections"
write_conf off
start_dsrd
wait_servers_up web web1 web2 web3
each_download begin_download
each_download server_of | sort >"$NET_DIR/servers"
step "web1 web2 web3 have $(shares_of "$NET_DIR/servers")"
each_download goes_on

step "changes by dsrctl survive an immediate kill, with user and time"
ctl 0 drain web/web1
ctl 0 weight web/web2 5
kill_and_start 1
assert_log 'server-state server=web/web3 from=unknown to=up reason="restored'
assert_log 'admin server=web/web1 action=drained by=uid:0 user=root at=[0-9]* reason="restored'
ctl 0 show
said '^web/web1  *draining .*drained by root (uid 0) at 20'
said '^web/web2  *up .*weight set by root (uid 0) at 20.*: the file says 2'
assert_equal "mode of the state file" 600 "$(stat -c %a "$NET_DIR/dsrd.state")"
ctl 0 enable web/web1
ctl 0 weight web/web2 2

step "killed nine more times"
kill_and_start 9

step "killed ten times with offload = tc"
write_conf tc
stop_dsrd
start_dsrd
assert_at_least "connections restored after SIGTERM" "$DOWNLOADS" "$(restored connections)"
wait_until 10 carries || fail "the kernel carries nothing"
kill_and_start 10
wait_until 10 carries || fail "the kernel carries nothing of what was restored"

step "stopped and started"
write_conf off
stop_dsrd
start_dsrd
assert_at_least "connections restored after SIGTERM" "$DOWNLOADS" "$(restored connections)"
wait_servers_up web web1 web2 web3
each_download note_size
each_download grows
each_download goes_on
each_download stop
stop_dsrd

step "a state that cannot be believed is ignored, in one line"
ignored() { # REASON [LINE-OF-THE-LOG]
	start_dsrd
	assert_equal "lines about the state" 1 "$(grep -c 'restore ' "$NET_DIR/dsrd.log")"
	assert_log "restore result=ignored file=$NET_DIR/dsrd.state reason=\".*$1"
	wait_servers_up web web1 web2 web3
	[ $# -eq 1 ] || wait_log 5 "$2"
	stop_dsrd
}
chmod 644 "$NET_DIR/dsrd.state"
ignored "its mode 644"
printf 'xxxx' | dd of="$NET_DIR/dsrd.state" bs=1 seek=40 conv=notrunc status=none
ignored "damaged"
echo "not to be overwritten" >"$NET_DIR/dsrd.state"
ignored "not a state file of dsrd" 'state-lost problem=begin subject=director reason=".*not a state file of dsrd'
assert_equal "what is in another file" "not to be overwritten" "$(cat "$NET_DIR/dsrd.state")"
rm "$NET_DIR/dsrd.state"
start_dsrd
assert_equal "lines about the state" 0 "$(log_count 'restore ')"
stop_dsrd

step "a full file system is a problem, and costs nothing else"
mkdir "$NET_DIR/small"
mount -t tmpfs -o size=128k none "$NET_DIR/small" || fail "no file system for it"
sed -i "s|^state = .*|state = $NET_DIR/small/dsrd.state|" "$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3
fetch / -o "$NET_DIR/page" || fail "no page"
wait_log 5 'state-lost problem=begin subject=director reason=".*no room'
mount -o remount,size=4m "$NET_DIR/small"
wait_log 5 'state-lost problem=end'
stop_dsrd
umount "$NET_DIR/small"
