#!/bin/sh
# SPDX-License-Identifier: ISC
#
# dsr-realserver --persist on Linux: the files configure the host at the next boot, a second apply does not change them,
# check detects when they are missing, and undo restores every file byte for byte.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require arping nft sysctl unshare
SCRIPT=$(CDPATH='' cd -- "$(dirname -- "$0")/../../contrib/realserver" && pwd)/dsr-realserver
export DSR_REALSERVER_STATE="$NET_DIR/var/state"
VIP6=2001:db8::10
ETC=$NET_DIR/etc

# A command on the real server, with its own /etc and /run that last from call to call.
inside() { # CMD...
	# shellcheck disable=SC2016 # for the inner shell
	run_in web1 unshare -m sh -c '
		dir=$1
		shift
		mount --bind "$dir/etc" /etc && mount --bind "$dir/run" /run || exit 71
		PATH=$dir/bin:$PATH exec "$@"' inside "$NET_DIR" "$@"
}

expect() { # STATUS WORD...
	expect_status=$1
	shift
	expect_got=0
	# shellcheck disable=SC2086 # words
	inside ${TEST_SHELL:-sh} "$SCRIPT" "$@" >"$NET_DIR/said" 2>&1 || expect_got=$?
	[ "$expect_got" = "$expect_status" ] || {
		cat "$NET_DIR/said" >&2
		fail "dsr-realserver $*: expected status $expect_status, got $expect_got"
	}
}

expect_line() { # PATTERN
	grep -q -e "$1" "$NET_DIR/said" || {
		cat "$NET_DIR/said" >&2
		fail "no line matches '$1' in the above"
	}
}

snapshot() { # FILE
	{
		run_in web1 ip -d addr show
		run_in web1 nft list ruleset
		run_in web1 sysctl -a --pattern 'arp_(ignore|announce)$'
		(cd "$ETC" && find . -type f | sort | xargs cksum)
	} >"$1" 2>/dev/null
}

assert_same() {
	diff -u "$NET_DIR/before" "$NET_DIR/after" >&2 || fail "undo did not restore what was: see the difference above"
}

# What a restart does to the kernel's part: all that was set by hand is gone, then the files are read.
restart() {
	run_in web1 ip addr del "$VIP/32" dev lo 2>/dev/null || true
	run_in web1 ip -6 addr del "$VIP6/128" dev lo 2>/dev/null || true
	run_in web1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0
	run_in web1 nft flush ruleset
	for file in "$ETC"/sysctl.d/*.conf; do
		[ ! -f "$file" ] || run_in web1 sysctl -q -p "$file"
	done
}

boot_ifupdown() {
	if command -v ifup >/dev/null; then
		# ifup sets its own PATH; a veth that is used instead must exist before.
		inside ip link add dsr0 type dummy
		inside ifup dsr0 || fail "ifup dsr0 failed"
	else
		echo "# no ifup here: its commands are run by a shell"
		sed -n -E 's/^	(pre-up|up) //p' "$ETC/network/interfaces" >"$NET_DIR/ifup"
		inside sh -e "$NET_DIR/ifup"
	fi
}

assert_ready() {
	expect 0 check
	expect_line "^ok     $VIP is on dsr0 as /32"
	expect_line "^ok     $VIP6 is on dsr0 as /128"
	if run_in client arping -q -c 1 -w 1 -I eth0 "$VIP"; then
		fail "the server answers ARP for the VIP after a restart"
	fi
	run_in client ip neigh replace "$VIP" lladdr "$(server_mac 1)" dev eth0
	run_in client ping -q -c 1 -W 2 "$VIP" >/dev/null || fail "the server does not accept the VIP after a restart"
	run_in client ip neigh del "$VIP" dev eth0
}

net_up 0
net_host_add web1
run_in web1 sysctl -q -w net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
net_attach web1 eth0 lan "$(server_mac 1)" "$(server_ip 1)/24"
mkdir -p "$NET_DIR/bin" "$NET_DIR/run" "$ETC"
cp -a /etc/. "$ETC/" 2>/dev/null || true
rm -rf "$ETC/network" "$ETC/systemd/network" "$ETC/sysctl.d"
mkdir -p "$ETC/network/if-pre-up.d" "$ETC/network/if-up.d" "$ETC/network/if-down.d" "$ETC/network/if-post-down.d" \
    "$ETC/systemd/network" "$ETC/sysctl.d"
# Not every kernel that runs tests has dummy devices. One end of a pair does as well here, without ARP.
stand_in=false
real_ip=$(command -v ip)
if run_in web1 ip link add try type dummy 2>/dev/null; then
	run_in web1 ip link del try
else
	echo "# no dummy devices in this kernel: a veth stands in"
	stand_in=true
	cat >"$NET_DIR/bin/ip" <<-END
	#!/bin/sh
	case "\$*" in
	"link add "*" type dummy") 
		$real_ip link add "\$3" arp off type veth peer name "\$3p" arp off && exec $real_ip link set "\$3p" up ;;
	esac
	exec $real_ip "\$@"
	END
	chmod +x "$NET_DIR/bin/ip"
fi
# A line end is missing on purpose.
printf 'auto lo\niface lo inet loopback\n\n# the end' >"$ETC/network/interfaces"
sleep 2
snapshot "$NET_DIR/before"

for method in sysctl nft; do
	step "ifupdown, $method: apply, again, check"
	expect 0 apply --vip $VIP $VIP6 --method $method --persist=ifupdown
	expect 0 check
	expect_line '^ok     /etc/network/interfaces will'
	cp "$ETC/network/interfaces" "$NET_DIR/interfaces"
	expect 0 apply --vip $VIP $VIP6 --method $method --persist=ifupdown
	expect_line '^nothing to do'
	cmp "$ETC/network/interfaces" "$NET_DIR/interfaces" || fail "the second apply changed /etc/network/interfaces"
	[ "$method" = nft ] || grep -q '^net.ipv4.conf.all.arp_ignore = 1$' "$ETC/sysctl.d/90-dsr-realserver.conf" ||
		fail "the sysctls are not written down"

	step "ifupdown, $method: check notices what is gone"
	sed -i '/addr add 192/d' "$ETC/network/interfaces"
	expect 1 check
	expect_line '^wrong  /etc/network/interfaces does not have what is needed'
	expect 0 apply --vip $VIP $VIP6 --method $method --persist=ifupdown
	expect 0 check
	cmp "$ETC/network/interfaces" "$NET_DIR/interfaces" || fail "apply did not fix /etc/network/interfaces"

	step "ifupdown, $method: restart"
	restart
	boot_ifupdown
	assert_ready
	expect 0 apply --vip $VIP $VIP6 --method $method --persist=ifupdown

	step "ifupdown, $method: undo"
	expect 0 undo
	snapshot "$NET_DIR/after"
	assert_same
done

step "ifupdown, dscp: the rules come back after a restart, of the VIPs that do"
expect 0 apply --vip $VIP $VIP6 --method dscp --dscp 5 --persist=ifupdown
expect 0 check
expect_line '^ok     /etc/dsr-realserver-tunnel.sh will'
rm "$ETC/dsr-realserver-tunnel.sh"
expect 1 check
expect_line '^wrong  /etc/dsr-realserver-tunnel.sh is missing'
expect 0 apply --vip $VIP $VIP6 --method dscp --dscp 5 --persist=ifupdown
restart
boot_ifupdown
assert_ready
expect_line "^ok     nft table inet dsr_l3dsr restores $VIP"
expect_line "^ok     nft table inet dsr_l3dsr restores $VIP6"
expect 0 undo --vip $VIP6
grep -q " ip daddr set $VIP\$" "$ETC/dsr-realserver-tunnel.sh" || fail "the rule of the VIP that remains is not written down"
if grep -q "$VIP6" "$ETC/dsr-realserver-tunnel.sh"; then
	fail "a VIP that is gone has a rule at the next start"
fi
expect 0 undo
snapshot "$NET_DIR/after"
assert_same

# Devices of other kinds stand in for the modules' own, which not every kernel has.
step "ifupdown, ipip: the devices and the segments' size come back after a restart"
run_in web1 ip route add default via "$CLIENT_IP"
for device in tunl0 sit0; do
	inside ip link add $device type dummy
done
expect 0 apply --vip $VIP $VIP6 --method ipip --persist=ifupdown
expect 0 check
for device in tunl0 sit0; do
	run_in web1 ip link set $device down
	run_in web1 sysctl -q -w net.ipv4.conf.$device.rp_filter=1
done
run_in web1 ip route change default via "$CLIENT_IP"
restart
boot_ifupdown
assert_ready
expect_line '^ok     tunl0 is up'
expect_line '^ok     rp_filter lets packets from sit0 pass'
expect_line '^ok     the default route offers clients segments that fit the tunnel'
run_in web1 ip route show default | grep -q 'advmss 1440' || fail "the default route has no advmss after a restart"
# A second start changes nothing.
inside sh "$ETC/dsr-realserver-tunnel.sh" 2>/dev/null
expect 0 check
expect 0 undo
assert_equal "the default route after undo" "default via $CLIENT_IP dev eth0" \
    "$(run_in web1 ip route show default | sed 's/ *$//')"
for device in tunl0 sit0; do
	assert_equal "whether $device is up after undo" "" "$(run_in web1 ip -o link show dev $device up)"
	inside ip link del $device
done
run_in web1 ip route del default
snapshot "$NET_DIR/after"
assert_same

step "systemd-networkd: apply, again, check"
expect 0 apply --vip $VIP $VIP6 --persist=networkd
expect 0 check
expect_line '^ok     /etc/systemd/network/90-dsr-realserver.network will'
expect 0 apply --vip $VIP $VIP6 --persist=networkd
expect_line '^nothing to do'
networkd=
for file in /usr/lib/systemd/systemd-networkd /lib/systemd/systemd-networkd; do
	[ ! -x "$file" ] || networkd=$file
done
if [ -n "$networkd" ] && getent passwd systemd-network >/dev/null; then
	step "systemd-networkd: restart"
	restart
	inside ip link add dsr0 type dummy
	# It would not take the stand-in for a dummy.
	! $stand_in || sed -i 's/^Kind=dummy/Kind=veth/' "$ETC/systemd/network/90-dsr-realserver.netdev"
	mkdir -p "$NET_DIR/run/systemd/netif/links" "$NET_DIR/run/systemd/netif/leases" \
	    "$NET_DIR/run/systemd/netif/lldp"
	chown -R systemd-network:systemd-network "$NET_DIR/run/systemd"
	chmod 755 "$NET_DIR" "$NET_DIR/run"
	# Without udev it does not wait if /sys is read-only.
	start_in web1 networkd unshare -m sh -c "mount -o remount,ro,bind /sys; mount --bind $NET_DIR/run /run
	    mount --bind $ETC /etc; exec env SYSTEMD_LOG_LEVEL=debug $networkd"
	wait_until 10 run_in web1 sh -c "ip -o addr show dev dsr0 | grep -q $VIP6/128" || {
		tail -n 20 "$NET_DIR/networkd.log" >&2
		fail "systemd-networkd did not set the addresses"
	}
	sed -i 's/^Kind=veth/Kind=dummy/' "$ETC/systemd/network/90-dsr-realserver.netdev"
	assert_ready
	run_in web1 ip -o addr show dev dsr0 | grep -q "$VIP/32 scope host" ||
		fail "networkd did not make the VIP scope host"
	run_in web1 ip -o addr show dev dsr0 | grep -q "$VIP6/128 .*deprecated" ||
		fail "networkd did not make $VIP6 deprecated"
	stop networkd
fi

step "systemd-networkd: one VIP goes, the files follow"
expect 0 undo --vip $VIP6
if grep -q $VIP6 "$ETC/systemd/network/90-dsr-realserver.network"; then
	fail "the VIP that went is still in the files"
fi
grep -q "$VIP/32" "$ETC/systemd/network/90-dsr-realserver.network" || fail "the VIP that stays is not in the files"
expect 0 undo
snapshot "$NET_DIR/after"
assert_same

# NetworkManager and systemd are pretended: what is tested is when the script calls them, and with what.
cat >"$NET_DIR/bin/nmcli" <<END
#!/bin/sh
dir=$NET_DIR
END
cat >>"$NET_DIR/bin/nmcli" <<'END'
case "$*" in
'-t -f RUNNING general') echo running ;;
'-g GENERAL.STATE device show eth0') echo '100 (connected)' ;;
'-g connection.id connection show dsr-realserver') [ -f "$dir/nm" ] && echo dsr-realserver ;;
'-g ipv4.addresses,ipv6.addresses connection show dsr-realserver')
	[ -f "$dir/nm" ] || exit 10
	for key in ipv4 ipv6; do
		sed "s/.* $key.addresses \([^ ]*\).*/\1/" "$dir/nm"
	done | sed 's/,/, /g; s/:/\\:/g' ;;
'connection add type dummy ifname dsr0 con-name dsr-realserver '*)
	[ ! -f "$dir/nm" ] && echo " $*" >"$dir/nm" ;;
'connection modify dsr-realserver '*) [ -f "$dir/nm" ] && echo " $*" >"$dir/nm" ;;
'connection up dsr-realserver') [ -f "$dir/nm" ] ;;
'connection delete dsr-realserver') rm "$dir/nm" ;;
*) echo "nmcli does not expect: $*" >&2; exit 1 ;;
esac
END
cat >"$NET_DIR/bin/systemctl" <<END
#!/bin/sh
case "\$*" in
'enable dsr-realserver-arp.service') : >$NET_DIR/unit ;;
'disable dsr-realserver-arp.service') rm $NET_DIR/unit ;;
*) exit 1 ;;
esac
END
chmod +x "$NET_DIR/bin/nmcli" "$NET_DIR/bin/systemctl"

step "NetworkManager: found out, apply, again, check"
expect 0 apply --vip $VIP $VIP6 --interface eth0 --method nft --persist
expect_line "^nmcli connection add .* ipv4.addresses $VIP/32 .* ipv6.addresses $VIP6/128"
[ -e "$NET_DIR/unit" ] || fail "the service that loads the rules was not enabled"
expect 0 check
expect_line "^ok     NetworkManager's connection dsr-realserver will"
expect_line '^ok     /etc/systemd/system/dsr-realserver-arp.service will'
expect 0 apply --vip 192.0.2.20 --interface eth0 --method nft --persist
expect_line "^nmcli connection modify .* ipv4.addresses $VIP/32,192.0.2.20/32 "
expect 0 check
rm "$NET_DIR/nm"
expect 1 check
expect_line "^wrong  NetworkManager's connection dsr-realserver is missing"
expect 0 apply --vip $VIP --interface eth0 --method nft --persist
expect 0 check

step "NetworkManager: undo"
expect 0 undo --vip 192.0.2.20
expect_line "^nmcli connection modify .* ipv4.addresses $VIP/32 "
expect 0 check
expect 0 undo
if [ -e "$NET_DIR/nm" ] || [ -e "$NET_DIR/unit" ]; then
	fail "undo left the connection or the service"
fi
snapshot "$NET_DIR/after"
assert_same
rm "$NET_DIR/bin/nmcli" "$NET_DIR/bin/systemctl"

step "a file of another program is not changed"
echo '# mine' >"$ETC/sysctl.d/90-dsr-realserver.conf"
expect 71 apply --vip $VIP --persist=networkd
expect_line '90-dsr-realserver.conf exists and was not written by dsr-realserver'
expect 0 undo
grep -qx '# mine' "$ETC/sysctl.d/90-dsr-realserver.conf" || fail "another program's file was changed"
