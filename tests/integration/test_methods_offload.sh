#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every method with the kernel's programs, tc and XDP: IPv4 and IPv6 VIPs, servers reached over IPv4 and over IPv6,
# behind a router, and methods mixed in one service. Pages, uploads and downloads arrive complete, and the kernel sends
# most frames.
#
# Offloads are as the system makes them: unfinished checksums, and super-frames that the kernel splits inside the tunnel.
# METHODS_BYTES=1000000000 is the long form: so much up and down by each method and family.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
net_require nginx curl nft clang tc
bytes=${METHODS_BYTES:-3000000}
far=198.51.100 far6=2001:db8:9:
near=$SERVER_PREFIX near6=$SERVER_PREFIX6

net_up 0
net_server_add 3 lan
net_host_add router
forwarding_set router on
net_bridge_add far
net_attach router eth0 lan 02:00:00:00:00:97 "$near.254/24"
net_attach router eth1 far 02:00:00:00:00:98 "$far.254/24"
SERVER_PREFIX=$far
for number in 1 2; do
	net_server_add "$number" far
	net_route_default "web$number" "$far.254"
done
SERVER_PREFIX=$near
net_route_default director "$near.254"
net_up6
run_in router sysctl -q -w net.ipv6.conf.all.forwarding=1
ip -n "$NET-router" address add "$near6:254/64" dev eth0 nodad
ip -n "$NET-router" address add "$far6:254/64" dev eth1 nodad
ip -n "$NET-director" route add default via "$near6:254"
for number in 1 2; do
	ip -n "$NET-web$number" address del "$near6:$((10 + number))/64" dev eth0
	ip -n "$NET-web$number" address add "$far6:$((10 + number))/64" dev eth0 nodad
	ip -n "$NET-web$number" route add default via "$far6:254"
done

# Each method has a VIP of its own, and all VIPs the DSCP 5 and up.
vip4() { # NUMBER
	echo "192.0.2.$((30 + $1))"
}

vip6() { # NUMBER
	echo "2001:db8::$((30 + $1))"
}

# The kernel's own receivers where it has them: the devices for any sender, which a namespace has with the module.
modprobe -qa ipip sit ip6_tunnel ip_gre ip6_gre fou fou6 2>/dev/null || true
kernel_receives() { # SERVER
	for device in tunl0 sit0 ip6tnl0 gre0 ip6gre0; do
		ip -n "$NET-$1" link set "$device" up 2>/dev/null || return 1
		run_in "$1" sysctl -q -w "net.ipv4.conf.$device.rp_filter=0"
	done
	run_in "$1" ip fou add port 6080 gue 2>/dev/null && run_in "$1" ip -6 fou add port 6080 gue 2>/dev/null
}

compile_decap decap.o
for server in web1 web2; do
	run_in "$server" sysctl -q -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
	if kernel_receives "$server"; then
		step "$server: the kernel's own tunnels"
	else
		run_in "$server" tc qdisc add dev eth0 clsact
		run_in "$server" tc filter add dev eth0 ingress bpf da obj "$NET_DIR/decap.o" sec tc
	fi
	run_in "$server" nft -f - <<-END
	table inet l3dsr {
		chain in {
			type filter hook prerouting priority -300
			ip daddr $far.0/24 ip dscp 5 ip daddr set $(vip4 4)
			ip6 daddr $far6:/64 ip6 dscp 6 ip6 daddr set $(vip6 4)
		}
	}
	END
done
for server in web1 web2 web3; do
	for number in 0 1 2 3 4 5; do
		vip_add "$server" "$(vip4 "$number")"
		vip6_add "$server" "$(vip6 "$number")"
	done
	start_nginx "$server"
	truncate -s "$bytes" "$NET_DIR/$server/www/big"
done

# web3 has no program of the test: the kernel's SRv6 endpoints (RFC 8986 sections 4.5 and 4.6) take IPv4 and IPv6 out of
# IPv6, also without a segment routing header.
segments=no
srv6=2001:db8:a:
if ip -n "$NET-web3" route add "$srv6:4/128" encap seg6local action End.DX4 nh4 "$(vip4 6)" dev eth0 2>/dev/null &&
	ip -n "$NET-web3" route add "$srv6:6/128" encap seg6local action End.DT6 table 255 dev eth0; then
	segments=yes
	vip_add web3 "$(vip4 6)"
	vip6_add web3 "$(vip6 6)"
	ip -n "$NET-director" route add "$srv6:/64" via "$near6:13"
fi

service() { # NAME NUMBER METHOD
	cat <<-END

	[service $1]
	listen = $(vip4 "$2") tcp/80
	listen = $(vip6 "$2") tcp/80
	method = $3
	scheduler = rr
	server = web1 $far.11
	server = web2 ${far6}:12
	END
}

write_conf() {
	conf_head | sed "s/^\[dsrd\]\$/&\nprobe-address = $near.250 $near6:250/"
	service ipip 0 ipip
	service gre 1 gre
	service gue 2 gue
	service gue1 3 gue1
	cat <<-END

	[service dscp]
	listen = $(vip4 4) tcp/80 dscp=5
	method = dscp
	scheduler = rr
	server = web1 $far.11
	server = web2 $far.12

	[service dscp6]
	listen = $(vip6 4) tcp/80 dscp=6
	method = dscp
	scheduler = rr
	server = web1 $far6:11
	server = web2 $far6:12

	[service mixed]
	listen = $(vip4 5) tcp/80
	scheduler = rr
	server = web1 $far.11 method=ipip
	server = web2 $far6:12 method=gue
	server = web3 $near.13
	END
	[ "$segments" = no ] || cat <<-END

	[service dx4]
	listen = $(vip4 6) tcp/80
	method = ipip
	check = none
	server = web3 $srv6:4

	[service dt6]
	listen = $(vip6 6) tcp/80
	method = ipip
	check = none
	server = web3 $srv6:6
	END
}

# Up and down by each of the two servers, complete.
transfer() { # URL
	for copy in 1 2; do
		run_in client curl -sS --max-time 300 -H 'Expect:' -H 'Connection: close' -T "$NET_DIR/upload" -o /dev/null \
		    "$1/up/$copy" || fail "$offload: upload to $1 broke off"
		cat "$NET_DIR"/web?/www/up/"$copy" | cmp "$NET_DIR/upload" - || fail "$offload: upload to $1 is damaged"
		rm -f "$NET_DIR"/web?/www/up/"$copy"
	done
	for copy in 1 2; do
		down=$(run_in client curl -sS --max-time 300 -H 'Connection: close' -o /dev/null -w '%{size_download}' "$1/big")
		assert_equal "$offload: bytes of the download from $1" "$bytes" "$down"
	done
}

# The kernel sends most frames, by each method and family; of so few, a busy machine has fewer offloaded in time.
mostly_offloaded() { # NAME URL
	dump_dsrd
	before=$(counter offloaded) before_all=$(counter forwarded)
	fetch_many 8 "$NET_DIR/pages" "$2"
	transfer "http://$2"
	dump_dsrd
	offloaded=$(($(counter offloaded) - before))
	all=$(($(counter forwarded) - before_all))
	step "$offload, $1, $2: $offloaded of $all frames offloaded"
	# A merged frame with an outer checksum over IPv6 is the daemon's.
	case $1 in
	gue*) assert_at_least "hundredths offloaded" 20 $((offloaded * 100 / all)) ;;
	*) assert_at_least "hundredths offloaded" 40 $((offloaded * 100 / all)) ;;
	esac
}

head -c "$bytes" /dev/urandom >"$NET_DIR/upload"
for offload in tc xdp; do
	export DSRD_OFFLOAD=$offload
	# XDP does not see which checksums are unfinished, and L3DSR changes them; it takes no merged frames.
	if [ "$offload" = xdp ]; then
		run_in director ethtool -K eth0 rxvlan off
		run_in client ethtool -K eth0 tx off tso off gso off >/dev/null
	fi
	write_conf >"$NET_DIR/dsrd.conf"
	start_dsrd
	for service in ipip gre gue gue1 dscp dscp6 mixed; do
		wait_servers_up "$service" web1 web2
	done
	vip=0
	for method in ipip gre gue gue1 dscp; do
		mostly_offloaded "$method" "$(vip4 "$vip")"
		mostly_offloaded "$method" "[$(vip6 "$vip")]"
		vip=$((vip + 1))
	done
	if [ "$segments" = yes ]; then
		wait_servers_up dx4 web3
		wait_servers_up dt6 web3
		mostly_offloaded "ipip to End.DX4" "$(vip4 6)"
		mostly_offloaded "ipip to End.DT6" "[$(vip6 6)]"
	fi
	fetch_many 12 "$NET_DIR/pages" "$(vip4 5)"
	assert_equal "pages from web1 by ipip, web2 by gue, web3 by mac" "4 4 4" "$(shares_of "$NET_DIR/pages")"
	dump_dsrd
	assert_equal "packets too large, which were answered" "$(counter path_mtu_answers)" "$(drop_count too-big)"
	stop_dsrd
done
