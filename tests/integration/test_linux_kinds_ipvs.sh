#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real servers that need kernel modules: a node of Kubernetes with kube-proxy in mode ipvs, whose dummy kube-ipvs0 has
# the VIP,
# and a container by ipvlan, which gets only packets for addresses of its own interface, so the VIP is there and not on
# lo.
# Without kube-proxy's strictARP the node answers ARP for the VIP, which the doctor reports. Runs in user-mode-linux
# where this
# kernel lacks IPVS.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
DSRD_STATE=off
net_require nginx curl sysctl ipvsadm
net_kernel ipvs dummy ipvlan
net_up 0

# kube-proxy (pkg/proxy/ipvs): all VIPs on a dummy that is down for ARP, and a virtual service that leads to the pod by
# NAT.
net_host_add node1
net_attach node1 eth0 lan "$(server_mac 1)" "$(server_ip 1)/24"
net_server_prepare node1 # strictARP: true
ip -n "$NET-node1" link add kube-ipvs0 type dummy
ip -n "$NET-node1" address add "$VIP/32" dev kube-ipvs0
net_host_add web1
ip -n "$NET-node1" link add cbr0 type bridge forward_delay 0
ip -n "$NET-node1" address add 10.244.1.1/24 dev cbr0
ip -n "$NET-node1" link set cbr0 up
ip -n "$NET-web1" link add eth0 type veth peer name pod netns "$NET-node1"
ip -n "$NET-node1" link set pod master cbr0 up
ip -n "$NET-web1" address add 10.244.1.2/24 dev eth0
ip -n "$NET-web1" link set eth0 up
net_route_default web1 10.244.1.1
run_in node1 sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.vs.conntrack=1
for listen in "$VIP:80" "$(server_ip 1):30080"; do
	run_in node1 ipvsadm -A -t "$listen" -s rr
	run_in node1 ipvsadm -a -t "$listen" -r 10.244.1.2:80 -m
done

# docker network create -d ipvlan: the container shares the MAC address of its host's interface. Scope host with
# arp_ignore=3
# keeps the VIP, on that interface, out of ARP.
net_host_add node2
net_attach node2 eth0 lan "$(server_mac 2)" none
net_host_add web2
ip -n "$NET-node2" link add link eth0 name container type ipvlan mode l2
ip -n "$NET-node2" link set container netns "$NET-web2" name eth0
run_in web2 sysctl -q -w net.ipv4.conf.all.arp_ignore=3 net.ipv4.conf.all.arp_announce=2
ip -n "$NET-web2" address add "$(server_ip 2)/24" dev eth0
ip -n "$NET-web2" address add "$VIP/32" dev eth0 scope host
ip -n "$NET-web2" link set eth0 up

start_nginx web1
start_nginx web2
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = tcp servers=web2
	check = tcp port=30080 servers=web1
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2

step "both serve clients"
fetch_many 20 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "10 10 0" "$(shares_of "$NET_DIR/pages")"
for server in web1 web2; do
	grep -q "^$CLIENT_IP " "$NET_DIR/$server/access.log" || fail "$server does not see the client's address"
done

step "2 MB, in many segments, from each"
run_in client curl -sS --max-time 60 -H 'Connection: close' -o "$NET_DIR/long#1" "http://$VIP/long?[1-2]" ||
	fail "a download broke off"
for file in 1 2; do
	assert_equal "bytes of download $file" 2097152 "$(wc -c <"$NET_DIR/long$file")"
done

step "the doctor has nothing to say"
ctl 0 doctor

step "kube-proxy without strictARP"
run_in node1 sysctl -q -w net.ipv4.conf.all.arp_ignore=0
ctl 1 doctor web/web1
said '\[answers-arp\]$'
run_in node1 sysctl -q -w net.ipv4.conf.all.arp_ignore=1

step "ipvlan with the VIP on lo, where it belongs in any other container"
ip -n "$NET-web2" address delete "$VIP/32" dev eth0
vip_add web2 "$VIP"
wait_server down web/web2
ctl 1 doctor web/web2
said '\[vip-ignored\]$'
stop_dsrd
