#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsrd in a container of podman with the host's network, as contrib/Containerfile says: a root directory that is
# read-only and
# has nothing but dsrd and its libraries, no capabilities but CAP_NET_RAW and CAP_NET_ADMIN, podman's filter of system
# calls,
# dsrd as process 1. It forwards, checks by script, reloads, notices that its interface changes, and ends on SIGTERM.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
net_require nginx curl podman crun ldd nsenter
net_up 2
start_nginx web1
start_nginx web2

# The image: the programs, what they are linked with, and users.
root=$NET_DIR/root
mkdir -p "$root/usr/sbin" "$root/etc" "$root/run/dsrd" "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
cp "$DSRD" "$root/usr/sbin/dsrd"
cp "$DSRCTL" "$root/usr/sbin/dsrctl"
cp /bin/sh "$root/bin/sh"
# A check that succeeds, and leaves a process behind that only process 1 can wait for.
printf '#!/bin/sh\n( ( read -r x </proc/self/stat ) & )\nexit 0\n' >"$root/bin/answers"
chmod 755 "$root/bin/answers"
printf 'root:x:0:0::/:/bin/sh\n_dsrd:x:990:990::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\n_dsrd:x:990:\n' >"$root/etc/group"
for file in $(ldd "$DSRD" "$DSRCTL" /bin/sh | grep -o '/[^ ]*' | grep -v ':$' | sort -u); do
	mkdir -p "$root${file%/*}"
	cp "$file" "$root$file"
done
mkdir -p "$NET_DIR/run"
chown 990:990 "$NET_DIR/run"
write_conf() { # SERVERS
	cat >"$NET_DIR/container.conf" <<-END
	[dsrd]
	control = /run/dsrd/dsrd.sock
	state = /run/dsrd/state
	interface = eth0
	log = stderr
	user = _dsrd
	offload = ${DSRD_OFFLOAD:-off}

	[defaults]
	interval = 300ms
	timeout = 250ms

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = tcp
	check = script /bin/answers
	END
	for number in $(seq "$1"); do
		echo "server = web$number $(server_ip "$number")"
	done >>"$NET_DIR/container.conf"
}

# Only the network is the director's. Storage of its own; control groups and limits do not matter here, and the machine
# that runs
# tests may have old control groups or not be allowed to raise limits.
pod() {
	# shellcheck disable=SC2016 # for the inner shell
	exec nsenter --net="/run/netns/$NET-director" unshare -m sh -c \
	    'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh \
	    podman --root "$NET_DIR/storage" --runroot "$NET_DIR/podman" --storage-driver vfs --cgroup-manager \
	    cgroupfs \
	    --events-backend none --runtime crun "$@"
}

# The container's options behind its own.
start_container() { # OPTION...
	: >"$NET_DIR/dsrd.log"
	rm -f "$NET_DIR/pid"
	pod run --rm --name dsrd --network host --read-only --cgroups disabled --ulimit nofile=1024:1024 --ulimit \
	    nproc=1024:1024 \
	    --pidfile "$NET_DIR/pid" --cap-drop ALL --cap-add NET_RAW --cap-add NET_ADMIN "$@" \
	    -v "$NET_DIR/container.conf:/etc/dsrd.conf:ro" -v "$NET_DIR/run:/run/dsrd" --rootfs "$root" /usr/sbin/dsrd \
	    -d -f /etc/dsrd.conf \
	    >"$NET_DIR/dsrd.log" 2>&1 </dev/null &
	container=$!
	wait_until 20 grep -q ' ready ' "$NET_DIR/dsrd.log" || fail "dsrd does not start in the container"
	process=$(cat "$NET_DIR/pid")
	wait_servers_up web web1 web2
}

stop_container() {
	kill -TERM "$process"
	wait_until 10 pid_gone "$container" || fail "the container did not end"
	container_status=0
	wait "$container" || container_status=$?
	assert_equal "exit status of dsrd in the container" 0 "$container_status"
}

process_has() { # KEY of /proc/PID/status
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$process/status"
}

forwards() {
	fetch_many 10 "$NET_DIR/pages"
	assert_equal "pages from web1 web2 web3" "5 5 0" "$(shares_of "$NET_DIR/pages")"
}

step "as a user, who gets two capabilities from podman"
write_conf 2
start_container --user _dsrd
forwards
assert_equal "its number in the container" 1 "$(process_has NSpid | awk '{ print $2 }')"
# The process beside it has CAP_NET_ADMIN, 12, and CAP_NET_RAW, 13 (linux/capability.h), and no other.
privileged=0
for pid in $(net_host_pids director); do
	if grep -q '^Name:[[:space:]]*dsrd' "/proc/$pid/status" &&
		grep -q '^CapEff:[[:space:]]*0000000000003000' "/proc/$pid/status"; then
		privileged=$((privileged + 1))
	fi
done
assert_equal "processes with these two capabilities" 1 "$privileged"
assert_equal "the director's capabilities" 0000000000000000 "$(process_has CapEff)"
assert_equal "filter of system calls" 2 "$(process_has Seccomp)"
assert_no_log check-trouble
assert_no_log 'result=failed'
SOCKET=$NET_DIR/run/dsrd.sock
ctl 0 doctor

step "a reload"
write_conf 1
ctl 0 reload
fetch_many 10 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "10 0 0" "$(shares_of "$NET_DIR/pages")"
write_conf 2
ctl 0 reload
wait_servers_up web web2

step "the interface goes down and comes back with another MAC address"
mac_set director eth0 02:00:00:00:00:31
wait_log 10 'interface-changed .*mac=02:00:00:00:00:31'
wait_until 10 fetch "" --max-time 1 || fail "nothing is forwarded with the new address"

step "no process is left behind"
zombies() {
	for pid in $(net_host_pids director); do
		grep -l '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null || true
	done
}
no_zombies() {
	[ -z "$(zombies)" ]
}
wait_until 5 no_zombies || fail "process 1 does not wait for its children's children: $(zombies)"
stop_container

step "as root that becomes a user, as in Docker, which gives users no capabilities"
rm -f "$NET_DIR/run"/*
start_container --cap-add SETUID --cap-add SETGID --cap-add CHOWN --cap-add DAC_OVERRIDE
forwards
assert_equal "the director's capabilities" 0000000000000000 "$(process_has CapEff)"
assert_equal "user" 990 "$(process_has Uid | awk '{ print $1 }')"
wait_until 10 test -s "$NET_DIR/run/state" || fail "the state for a restart is not kept"
assert_no_log state-lost
assert_no_log 'result=failed'
stop_container
