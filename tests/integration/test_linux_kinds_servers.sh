#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real servers in containers: behind a bridge with a published port (docker run -p), with an address of the network by
# macvlan,
# and as a pod behind kube-proxy's iptables rules. The namespaces, interfaces and rules are those that Docker and
# kube-proxy
# make. All three serve clients through the VIP, and the doctor has nothing to say.

# shellcheck source-path=SCRIPTDIR source=net.sh disable=SC2119
. "$(dirname -- "$0")/net.sh"
# shellcheck source-path=SCRIPTDIR source=ctl.sh
. "$(dirname -- "$0")/ctl.sh"
DSRD_STATE=off
net_require nginx curl iptables sysctl
net_kernel macvlan
net_up 0
POD=172.17.0.2

# A container behind a bridge of its host, as Docker's default network and Kubernetes' kubenet have it.
bridged() { # HOST CONTAINER BRIDGE
	net_host_add "$2"
	ip -n "$NET-$1" link add "$3" type bridge forward_delay 0
	ip -n "$NET-$1" address add 172.17.0.1/16 dev "$3"
	ip -n "$NET-$1" link set "$3" up
	ip -n "$NET-$2" link add eth0 type veth peer name "port-$2" netns "$NET-$1"
	ip -n "$NET-$1" link set "port-$2" master "$3" up
	ip -n "$NET-$2" address add "$POD/16" dev eth0
	ip -n "$NET-$2" link set eth0 up
	net_route_default "$2" 172.17.0.1
	run_in "$1" sysctl -q -w net.ipv4.ip_forward=1
}

node_add() { # NUMBER
	net_host_add "node$1"
	net_attach "node$1" eth0 lan "$(server_mac "$1")" "$(server_ip "$1")/24"
}

rules() { # HOST: iptables-restore's, from standard input
	run_in "$1" iptables-restore -w || fail "the rules of $1 are refused"
}

# docker run -p 80:80: Docker's chains (moby, daemon/libnetwork/drivers/bridge), without its proxy.
node_add 1
net_server_prepare node1
vip_add node1 "$VIP"
bridged node1 web1 docker0
rules node1 <<END
*nat
:PREROUTING ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
:DOCKER -
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination $POD:80
COMMIT
*filter
:FORWARD DROP
:DOCKER -
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
-A DOCKER -d $POD/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
COMMIT
END

# docker network create -d macvlan: the container has a MAC address of its own. Its sysctls are given by docker run
# --sysctl,
# its VIP by a command in its namespace.
node_add 22
net_host_add web2
net_server_prepare web2
ip -n "$NET-node22" link add link eth0 name container address "$(server_mac 2)" type macvlan mode bridge
ip -n "$NET-node22" link set container netns "$NET-web2" name eth0
ip -n "$NET-web2" address add "$(server_ip 2)/24" dev eth0
ip -n "$NET-web2" link set eth0 up
vip_add web2 "$VIP"

# A node of Kubernetes, kube-proxy in mode iptables, a service with the VIP as its external address
# (pkg/proxy/iptables).
node_add 3
net_server_prepare node3
vip_add node3 "$VIP"
bridged node3 web3 cbr0
rules node3 <<END
*nat
:PREROUTING ACCEPT
:POSTROUTING ACCEPT
:KUBE-SERVICES -
:KUBE-EXT-WEB -
:KUBE-SVC-WEB -
:KUBE-SEP-WEB1 -
:KUBE-MARK-MASQ -
:KUBE-POSTROUTING -
:KUBE-NODEPORTS -
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d $VIP/32 -p tcp -m tcp --dport 80 -j KUBE-EXT-WEB
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m tcp --dport 30080 -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -j KUBE-MARK-MASQ
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB -j KUBE-SEP-WEB1
-A KUBE-SEP-WEB1 -s $POD/32 -j KUBE-MARK-MASQ
-A KUBE-SEP-WEB1 -p tcp -m tcp -j DNAT --to-destination $POD:80
-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000
-A KUBE-POSTROUTING -j MASQUERADE --random-fully
COMMIT
*filter
:FORWARD ACCEPT
:KUBE-FORWARD -
-A FORWARD -j KUBE-FORWARD
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
END

for server in web1 web2 web3; do
	start_nginx "$server"
done
{
	conf_head
	cat <<-END

	[service web]
	listen = $VIP tcp/80
	scheduler = rr
	check = tcp servers=web1,web2
	check = tcp port=30080 servers=web3
	server = web1 $(server_ip 1)
	server = web2 $(server_ip 2)
	server = web3 $(server_ip 3)
	END
} >"$NET_DIR/dsrd.conf"
start_dsrd
wait_servers_up web web1 web2 web3

step "each serves clients, and the containers do not show"
fetch_many 30 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "10 10 10" "$(shares_of "$NET_DIR/pages")"
capture client wire "host $VIP"
fetch >/dev/null
capture_end wire
assert_equal "frames of other addresses than VIP and client" 0 \
    "$(capture_count wire "not (host $VIP and host $CLIENT_IP)")"

step "the applications see clients, but through kube-proxy with externalTrafficPolicy Cluster"
for server in web1 web2; do
	grep -q "^$CLIENT_IP " "$NET_DIR/$server/access.log" || fail "$server does not see the client's address"
done
! grep -q "^$CLIENT_IP " "$NET_DIR/web3/access.log" ||
	fail "kube-proxy's rules should have changed the client's address"

step "2 MB, in many segments, from each"
run_in client curl -sS --max-time 30 -H 'Connection: close' -o "$NET_DIR/long#1" "http://$VIP/long?[1-6]" ||
	fail "a download broke off"
for file in 1 2 3 4 5 6; do
	assert_equal "bytes of download $file" 2097152 "$(wc -c <"$NET_DIR/long$file")"
done

step "the doctor has nothing to say, nor dsr-realserver on the hosts"
ctl 0 doctor
for host in node1 web2 node3; do
	run_in "$host" sh "$(dirname -- "$0")/../../contrib/realserver/dsr-realserver" check --vip "$VIP" \
	    >"$NET_DIR/check" 2>&1 || {
		cat "$NET_DIR/check" >&2
		fail "dsr-realserver check on $host"
	}
done

step "kube-proxy's rules come before routing: the node serves the VIP without having it"
vip_remove node3 "$VIP"
ctl 0 doctor
fetch_many 30 "$NET_DIR/pages"
assert_equal "pages from web1 web2 web3" "10 10 10" "$(shares_of "$NET_DIR/pages")"

step "Docker's do not: without the VIP the host drops its packets, and the doctor says so"
vip_remove node1 "$VIP"
wait_server down web/web1
ctl 1 doctor web/web1
said '\[vip-ignored\]$'
stop_dsrd
