# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# The FreeBSD part of net.sh: a host is a jail with its own network stack (vnet) and the machine's files, a cable is an
# epair(4), the switch is an if_bridge(4) in a separate jail. UNTESTED: written from the manual pages and not run yet;
# doc/portability.md describes how to run it.
#
# Packages: nginx curl; in the kernel: if_epair, if_bridge, and VIMAGE, which GENERIC has since FreeBSD 12.

# shellcheck disable=SC2034 # net.sh uses these two
NET_TCPDUMP='' NET_NGINX_USER='user root wheel;' # tcpdump drops root only with -Z

net_os_require() {
	[ "$(id -u)" = 0 ] || skip "jails need root; try: su -m root -c '$0'"
	[ "$(sysctl -n security.jail.jailed)" = 0 ] || skip "jails in jails are not tried here"
	kldload -nq if_epair if_bridge || skip "the kernel has no if_epair or if_bridge"
	jail -c name="$NET-try" path=/ vnet persist 2>/dev/null || skip "the kernel has no VIMAGE: no vnet jails"
	jail -r "$NET-try"
}

# Tests that change the network by Linux's own programs cannot run here, and say so at the first of these.
for net_program in ip ethtool nft tc; do
	eval "$net_program() { net_linux_only $net_program; }"
done

net_linux_only() { # PROGRAM
	skip "this test uses Linux's $1"
}

# --- processes -------------------------------------------------------------------------------------------------------

net_is_foreign() { # CMD...
	case $1 in
	ip | ethtool | nft | tc | arping) return 0 ;;
	sysctl) case "$*" in *net.ipv[46].*) return 0 ;; esac ;;
	esac
	return 1
}

run_in() { # HOST CMD...
	net_host=$1
	shift
	if net_is_foreign "$@"; then
		net_linux_only "$1"
	fi
	jexec "$NET-$net_host" "$@"
}

net_exec() { # HOST CMD...
	net_host=$1
	shift
	# jexec(8) becomes the program, as `ip netns exec` does.
	exec jexec "$NET-$net_host" "$@"
}

pid_gone() { # PID
	case $(ps -o state= -p "$1" 2>/dev/null) in
	'' | Z*) return 0 ;;
	esac
	return 1
}

net_host_pids() { # HOST
	ps -J "$NET-$1" -o pid= 2>/dev/null || true
}

# --- hosts and cables ------------------------------------------------------------------------------------------------

# With the machine's own /dev, which has bpf; and with raw sockets, for ping and the checks by ICMP.
net_host_make() { # HOST
	jail -c name="$NET-$1" path=/ host.hostname="$1" vnet persist allow.raw_sockets
	jexec "$NET-$1" sysctl -q net.inet.ip.forwarding=0 net.inet6.ip6.forwarding=0 >/dev/null
	jexec "$NET-$1" ifconfig lo0 inet 127.0.0.1/8 up
}

# A jail that goes gives its interfaces back to the machine: they are destroyed before, from the switch's end.
net_host_remove() { # HOST
	if [ "$1" = switch ]; then
		for net_cable in $NET_CABLES; do
			jexec "$NET-switch" ifconfig "$net_cable" destroy 2>/dev/null || true
		done
		for net_bridge in $NET_BRIDGES; do
			jexec "$NET-switch" ifconfig "$net_bridge" destroy 2>/dev/null || true
		done
		NET_CABLES='' NET_BRIDGES=''
	fi
	jail -r "$NET-$1" 2>/dev/null || true
}

NET_CABLES=  # the switch's ends
NET_BRIDGES=

# It has no addresses, and packet filters see nothing of what is bridged.
net_switch_prepare() {
	jexec "$NET-switch" sysctl -q net.link.bridge.pfil_member=0 net.link.bridge.pfil_bridge=0 \
	    net.link.bridge.pfil_onlyip=0 >/dev/null 2>&1 || true
}

net_bridge_add() { # NAME
	net_made=$(jexec "$NET-switch" ifconfig bridge create)
	jexec "$NET-switch" ifconfig "$net_made" name "$1" >/dev/null
	jexec "$NET-switch" ifconfig "$1" up
	NET_BRIDGES="$NET_BRIDGES $1"
}

# epair(4) makes epair0a and epair0b and prints the first. Each end moves into its jail and gets its name there.
net_attach() { # HOST INTERFACE BRIDGE MAC ADDRESS/LENGTH
	net_near=$(ifconfig epair create)
	net_far=${net_near%a}b
	ifconfig "$net_near" vnet "$NET-switch"
	jexec "$NET-switch" ifconfig "$net_near" name "$1-$2" >/dev/null
	NET_CABLES="$NET_CABLES $1-$2"
	ifconfig "$net_far" vnet "$NET-$1"
	jexec "$NET-$1" ifconfig "$net_far" name "$2" >/dev/null
	jexec "$NET-$1" ifconfig "$2" ether "$4"
	jexec "$NET-switch" ifconfig "$3" addm "$1-$2"
	jexec "$NET-switch" ifconfig "$1-$2" up
	[ "$5" = none ] || jexec "$NET-$1" ifconfig "$2" inet "$5"
	jexec "$NET-$1" ifconfig "$2" up
}

# The switch's end of a cable is HOST-INTERFACE.
link_set() { # HOST INTERFACE up|down
	jexec "$NET-$1" ifconfig "$2" "$3"
}

mac_set() { # HOST INTERFACE MAC
	jexec "$NET-$1" ifconfig "$2" down
	jexec "$NET-$1" ifconfig "$2" ether "$3"
	jexec "$NET-$1" ifconfig "$2" up
}

# --- IP --------------------------------------------------------------------------------------------------------------

forwarding_set() { # HOST on|off
	case $2 in
	on) jexec "$NET-$1" sysctl -q net.inet.ip.forwarding=1 net.inet.ip.redirect=0 >/dev/null ;;
	off) jexec "$NET-$1" sysctl -q net.inet.ip.forwarding=0 >/dev/null ;;
	esac
}

net_route_default() { # HOST GATEWAY
	jexec "$NET-$1" route -q add default "$2"
}

# ARP answers for addresses of the interface that was asked, so the loopback's are silent; a strict host drops the VIP.
net_server_prepare() { # HOST
	jexec "$NET-$1" sysctl -q net.inet.ip.rfc1122_strong_es=0 >/dev/null 2>&1 ||
		jexec "$NET-$1" sysctl -q net.inet.ip.check_interface=0 >/dev/null 2>&1 || true
}

vip_add() { # SERVER VIP
	jexec "$NET-$1" ifconfig lo0 inet "$2/32" alias
}

vip_remove() { # SERVER VIP
	jexec "$NET-$1" ifconfig lo0 inet "$2" -alias
}

vip6_add() { # SERVER VIP
	jexec "$NET-$1" ifconfig lo0 inet6 "$2/128" alias
}

net_address6_add() { # HOST ADDRESS/LENGTH
	jexec "$NET-$1" ifconfig eth0 inet6 "$2" no_dad
}

net_ipv6_on() { # HOST
	jexec "$NET-$1" sysctl -q net.inet6.ip6.dad_count=0 >/dev/null 2>&1 || skip "this kernel has no IPv6"
	jexec "$NET-$1" ifconfig eth0 inet6 -ifdisabled -accept_rtadv
}
