#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsr-realserver and system files: a missing mark, a full disk, eight concurrent runs and a kill at every step leave the
# files unchanged or complete, and undo restores them byte for byte, with mode and owner.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require sysctl unshare setsid
SCRIPT=$(CDPATH='' cd -- "$(dirname -- "$0")/../../contrib/realserver" && pwd)/dsr-realserver

net_up 0
net_host_add web1
net_attach web1 eth0 lan "$(server_mac 1)" "$(server_ip 1)/24"
run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0

# Runs on the real server, in a mount namespace with small disks.
cat >"$NET_DIR/inner" <<'END'
set -u
script=$1 vip=$2 dir=$3
file=/etc/network/interfaces
state=/var/lib/dsr-realserver/state
mount --make-rprivate / && mkdir -p "$dir/network" && mount -t tmpfs -o size=32k tmpfs "$dir/network" &&
    mkdir -p "$dir/etc/network" "$dir/etc/sysctl.d" && mount --bind "$dir/etc" /etc &&
    mount --bind "$dir/network" /etc/network && mount -t tmpfs -o size=64k tmpfs /var/lib || exit 71

wrong() {
	echo "inner: $*" >&2
	[ ! -s "$dir/said" ] || cat "$dir/said" >&2
	exit 1
}

expect() { # STATUS WORD...
	want=$1
	shift
	got=0
	sh "$script" "$@" >"$dir/said" 2>&1 || got=$?
	[ $got -eq "$want" ] || wrong "dsr-realserver $*: expected status $want, got $got"
}

says() { # PATTERN
	grep -q -e "$1" "$dir/said" || wrong "no line matches '$1'"
}

same() { # FILE COPY
	cmp -s "$1" "$2" || { cat "$1" >&2; wrong "$1 is not what it was: $3"; }
	[ "$(stat -c '%a %u %g' "$1")" = "640 7 8" ] || wrong "$1 has lost its mode or owner: $3"
}

# Nothing is left of an apply.
clean() {
	same $file "$dir/original" "$1"
	[ "$(ls -A /etc/network /etc/sysctl.d)" = "$listing" ] || wrong "files are left: $1: $(ls -A /etc/network /etc/sysctl.d)"
	[ ! -e "${state%/*}" ] || wrong "left of the state: $1: $(ls -A "${state%/*}")"
	! ip -o addr show dev lo | grep -q 192.0.2 || wrong "an address is left: $1"
	[ "$(sysctl -n net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce | tr -d '\n')" = 00 ] || wrong "ARP is not as before: $1"
}

start() {
	{
		printf 'auto lo\niface lo inet loopback\n'
		i=0
		while [ $i -lt 60 ]; do
			printf '# site network, line %d of what the operator wrote\n' $i
			i=$((i + 1))
		done
		printf 'auto eth0\niface eth0 inet static\n\taddress 192.0.2.11/24'
	} >$file
	chown 7:8 $file && chmod 640 $file && cp -p $file "$dir/original"
	listing=$(ls -A /etc/network /etc/sysctl.d)
}

marks() {
	start
	expect 0 apply --vip "$vip" --persist=ifupdown
	cp -p $file "$dir/applied"
	cmp -s "$state.etc.network.interfaces" "$dir/original" || wrong "no copy of the file with the state file"
	grep -qx "backup $file $state.etc.network.interfaces" $state || wrong "the copy is not in the state"
	for damage in '/dsr-realserver end/d' '/dsr-realserver begin/d' '$ s/$/\n# dsr-realserver begin/' \
	    's/^auto dsr0$/# dsr-realserver end/' '/^# dsr-realserver begin/ { h; d; }; /^# dsr-realserver end/ G'; do
		sed -i "$damage" $file && chown 7:8 $file && cp -p $file "$dir/damaged"
		expect 1 check
		says "^wrong  $file has .* but first edit $file"
		expect 71 apply --vip "$vip" 192.0.2.20 --persist=ifupdown
		says 'nothing was changed. First edit .*etc.network.interfaces is the file as it was before'
		! ip -o addr show dev lo | grep -q 192.0.2.20 || wrong "an address came in spite of the damage"
		expect 71 undo
		says "$file has .*, so it is not known which lines to remove"
		same $file "$dir/damaged" "$damage"
		cp -p "$dir/applied" $file
		expect 0 apply --vip "$vip" --persist=ifupdown
	done
	expect 0 undo
	clean "marks"
	# A link to the file stays a link.
	mv $file /etc/network/real && ln -s real $file
	expect 0 apply --vip "$vip" --persist=ifupdown
	expect 0 undo
	[ -L $file ] || wrong "the link became a file"
	rm $file && mv /etc/network/real $file
	clean "link"
}

# fill DIRECTORY: until nothing more goes in.
fill() {
	dd if=/dev/zero of="$1/.fill" bs=1k count=1000 2>/dev/null
	[ -s "$1/.fill" ] || wrong "$1 could not be filled"
}

full() {
	start
	fill /etc/network
	expect 71 apply --vip "$vip" --persist=ifupdown
	says "cannot write $file, so it was not changed; 'dsr-realserver undo' takes back"
	same $file "$dir/original" "full disk, apply"
	expect 0 undo
	rm /etc/network/.fill
	clean "full disk, apply"

	expect 0 apply --vip "$vip" --persist=ifupdown
	cp -p $file "$dir/applied"
	fill /etc/network
	expect 71 undo
	says "cannot write $file, so it was not changed"
	same $file "$dir/applied" "full disk, undo"
	rm /etc/network/.fill
	expect 0 undo
	clean "full disk, undo"

	fill /var/lib
	expect 71 apply --vip "$vip" --persist=ifupdown
	says 'cannot write .*state: without it undo could not restore'
	expect 0 undo
	rm /var/lib/.fill
	clean "full disk of the state"
}

eight() {
	start
	for i in 1 2 3 4 5 6 7 8; do
		sh "$script" apply --vip 192.0.2.2$i --persist=ifupdown >"$dir/said.$i" 2>&1 &
	done
	wait
	for i in 1 2 3 4 5 6 7 8; do
		ip -o addr show dev lo | grep -q "192.0.2.2$i/32" || { cat "$dir/said.$i" >&2; wrong "192.0.2.2$i was not added"; }
		grep -qx "vip 192.0.2.2$i.*" $state || wrong "192.0.2.2$i is not noted"
		grep -q "192.0.2.2$i/32" $file || wrong "192.0.2.2$i is not in $file"
	done
	expect 0 undo
	clean "eight concurrent runs"
	# The lock of a process that is gone does not stop the next one; that of a living one does.
	mkdir -p "${state%/*}"
	sleep 0 &
	wait $!
	ln -s $! $state.lock
	expect 0 apply --vip "$vip"
	expect 0 undo
	clean "old lock"
}

# The commands that change anything count their calls, and kill the run at the one that is asked for.
count_commands() {
	mkdir "$dir/bin"
	for name in mv cp rm mkdir rmdir ln chmod ip sysctl; do
		printf '#!/bin/sh\n%s\nexec %s "$@"\n' \
		    'read -r n <"$STEPS"; n=$((n + 1)); echo $n >"$STEPS"; [ $n -ne "$KILL_AT" ] || kill -9 0' \
		    "$(command -v $name)" >"$dir/bin/$name"
		chmod +x "$dir/bin/$name"
	done
}

# killed N WORD...: a run that is killed at its Nth command; false when it ended before.
killed() {
	at=$1
	shift
	echo 0 >"$dir/steps"
	STEPS=$dir/steps KILL_AT=$at PATH=$dir/bin:$PATH setsid -w sh "$script" "$@" >"$dir/said" 2>&1
	got=$?
	[ $got -ne 0 ] || return 1
	[ $got -eq 137 ] || wrong "killed at $at: status $got"
}

kills() {
	start
	count_commands
	expect 0 apply --vip "$vip" --persist=ifupdown
	cp -p $file "$dir/applied"
	expect 0 undo
	n=1
	while killed $n apply --vip "$vip" --persist=ifupdown; do
		cmp -s $file "$dir/original" || same $file "$dir/applied" "apply killed at command $n"
		expect 0 undo
		clean "apply killed at command $n"
		n=$((n + 1))
	done
	[ $n -gt 20 ] || wrong "apply has run only $n commands"
	m=1
	while killed $m undo; do
		cmp -s $file "$dir/original" || same $file "$dir/applied" "undo killed at command $m"
		expect 0 undo
		clean "undo killed at command $m"
		expect 0 apply --vip "$vip" --persist=ifupdown
		m=$((m + 1))
	done
	[ $m -gt 10 ] || wrong "undo has run only $m commands"
	clean "undo"
	echo "killed at $((n - 1)) places of apply and $((m - 1)) of undo"
}

$4
END

run() { # CASE
	run_in web1 unshare -m sh "$NET_DIR/inner" "$SCRIPT" "$VIP" "$NET_DIR" "$1" || fail "$1"
}

step "a file whose marks are damaged is not touched, and a copy of the original is kept"
run marks

step "a full disk leaves the files as they were"
run full

step "eight concurrent runs: each VIP is added, recorded, and removed"
run eight

step "a kill at every step: undo gives back what was"
run kills
