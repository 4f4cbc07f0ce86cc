# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# The Linux part of net.sh: a host is a network namespace, a cable is a veth pair, the switch is a bridge in a separate
# namespace. net.sh sources this file; tests use only what both systems provide.

# shellcheck disable=SC2034 # net.sh uses these two
NET_TCPDUMP='-Z root' NET_NGINX_USER='user root;' # tcpdump's own user may not write into $NET_DIR

# Skip unless the system's programs and the right to make hosts are there.
net_os_require() {
	for net_program in ip ethtool; do
		command -v "$net_program" >/dev/null || skip "the program '$net_program' is not installed"
	done
	ip netns add "$NET-try" 2>/dev/null ||
		skip "network namespaces need root (or CAP_SYS_ADMIN and CAP_NET_ADMIN); try: sudo $0"
	ip netns delete "$NET-try"
}

# --- processes -------------------------------------------------------------------------------------------------------

run_in() { # HOST CMD...
	net_host=$1
	shift
	ip netns exec "$NET-$net_host" "$@"
}

# Become that program on that host, with the process id of the shell that called.
net_exec() { # HOST CMD...
	net_host=$1
	shift
	exec ip netns exec "$NET-$net_host" "$@"
}

# A child that has not been waited for is still listed, as a zombie.
pid_gone() { # PID
	[ ! -d "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

net_host_pids() { # HOST
	ip netns pids "$NET-$1" 2>/dev/null || true
}

# --- hosts and cables ------------------------------------------------------------------------------------------------

net_host_make() { # HOST
	ip netns add "$NET-$1"
	# Quiet links: no IPv6 chatter. Forwarding off, whatever the machine underneath does.
	run_in "$1" sysctl -q -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null ||
		true
	run_in "$1" sysctl -q -w net.ipv4.ip_forward=0 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
	ip -n "$NET-$1" link set lo up
}

net_host_remove() { # HOST
	ip netns delete "$NET-$1" 2>/dev/null || true
}

# A switch knows no IP: where the kernel would look into frames, it would drop the bad ones that tests send.
net_switch_prepare() {
	run_in switch sysctl -q -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 \
	    net.bridge.bridge-nf-call-arptables=0 2>/dev/null || true
}

net_bridge_add() { # NAME
	ip -n "$NET-switch" link add "$1" type bridge forward_delay 0 stp_state 0 mcast_snooping 0
	ip -n "$NET-switch" link set "$1" up
}

# Plug HOST's interface into a bridge of the switch. Offloads stay as the system makes them.
net_attach() { # HOST INTERFACE BRIDGE MAC ADDRESS/LENGTH
	ip -n "$NET-switch" link add "$1-$2" type veth peer name "$2" address "$4" netns "$NET-$1"
	ip -n "$NET-switch" link set "$1-$2" master "$3" up
	[ "$5" = none ] || ip -n "$NET-$1" address add "$5" dev "$2"
	ip -n "$NET-$1" link set "$2" up
	# With this feature dsrd does without XDP; a veth's driver does not take tags out, and claims it.
	[ "${DSRD_OFFLOAD:-off}" != xdp ] || [ "$1" != director ] || run_in "$1" ethtool -K "$2" rxvlan off
}

# The switch's end of a cable is HOST-INTERFACE.
link_set() { # HOST INTERFACE up|down
	ip -n "$NET-$1" link set dev "$2" "$3"
}

# Systems differ in whether that can be done while the interface is up: it is down for a moment.
mac_set() { # HOST INTERFACE MAC
	ip -n "$NET-$1" link set dev "$2" down
	ip -n "$NET-$1" link set dev "$2" address "$3"
	ip -n "$NET-$1" link set dev "$2" up
}

# --- IP --------------------------------------------------------------------------------------------------------------

forwarding_set() { # HOST on|off
	case $2 in
	on) run_in "$1" sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 ;;
	off) run_in "$1" sysctl -q -w net.ipv4.ip_forward=0 ;;
	esac
}

net_route_default() { # HOST GATEWAY
	ip -n "$NET-$1" route add default via "$2"
}

# Before it holds the VIP, so that it never answers ARP requests for it.
net_server_prepare() { # HOST
	run_in "$1" sysctl -q -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2
}

vip_add() { # SERVER VIP
	ip -n "$NET-$1" address add "$2/32" dev lo
}

vip_remove() { # SERVER VIP
	ip -n "$NET-$1" address delete "$2/32" dev lo
}

vip6_add() { # SERVER VIP
	ip -n "$NET-$1" address add "$2/128" dev lo nodad
}

net_address6_add() { # HOST ADDRESS/LENGTH
	ip -n "$NET-$1" address add "$2" dev eth0 nodad
}

# No router, and no waiting for duplicate address detection.
net_ipv6_on() { # HOST
	run_in "$1" sysctl -q -w net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
	    net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
	    net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 2>/dev/null ||
		skip "this kernel has no IPv6"
}

# --- kernels ---------------------------------------------------------------------------------------------------------

# What this kernel lacks of these: types of interfaces, and ipvs.
net_kernel_lacks() { # WHAT...
	ip netns add "$NET-try"
	ip -n "$NET-try" link add base type veth peer name other
	for net_type; do
		case $net_type in
		ipvs) ip netns exec "$NET-try" test -e /proc/net/ip_vs || echo ipvs ;;
		vlan) ip -n "$NET-try" link add link base name try type vlan id 5 2>/dev/null || echo vlan ;;
		ipvlan | macvlan) ip -n "$NET-try" link add link base name try type "$net_type" 2>/dev/null ||
			echo "$net_type" ;;
		*) ip -n "$NET-try" link add name try type "$net_type" 2>/dev/null || echo "$net_type" ;;
		esac
		ip -n "$NET-try" link delete try 2>/dev/null || true
	done
	ip netns delete "$NET-try"
}

# Where this kernel lacks something, the test runs in user-mode-linux, from its beginning.
net_kernel() { # WHAT...
	net_lack=$(net_kernel_lacks "$@" | tr '\n' ' ')
	[ -n "$net_lack" ] || return 0
	[ "${NET_KERNEL:-}" != uml ] || fail "user-mode-linux lacks: $net_lack"
	for net_program in linux.uml modprobe python3; do
		command -v "$net_program" >/dev/null ||
			skip "this kernel lacks ${net_lack% }, and $net_program is not installed"
	done
	step "in user-mode-linux, because this kernel lacks: $net_lack"
	rm -rf "$NET_DIR"
	# shellcheck disable=SC2154 # net.sh found this file there
	exec sh "$(dirname -- "$net_there")/uml.sh" "$0"
}

# The servers' end of tunnels, as a program for tc in $NET_DIR.
compile_decap() { # NAME [OPTION]
	# shellcheck disable=SC2086 # one word, or none
	clang -target bpf -O2 -g -Wall ${2:-} -isystem "/usr/include/$(uname -m)-linux-gnu" \
	    -c "$(dirname -- "$0")/decap.bpf.c" -o "$NET_DIR/$1" || fail "clang cannot compile decap.bpf.c"
}
