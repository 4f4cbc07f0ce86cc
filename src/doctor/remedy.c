/* SPDX-License-Identifier: ISC */
/*
 * The fix for each finding and system: one table, whose {words} remedy_find_word() fills in. The interfaces of a
 * server are unknown here: eth0, em0 and Ethernet stand for the one that the VIP's packets arrive on.
 * doc/real-servers.md explains the commands.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "doctor/diagnosis.h"

#define UNIX (SYSTEM_ANY & ~(unsigned)SYSTEM_WINDOWS)
#define BSD (SYSTEM_FREEBSD | SYSTEM_OPENBSD | SYSTEM_NETBSD | SYSTEM_MACOS)

#define LINUX4 (SYSTEM_LINUX | REMEDY_IPV4)
#define LINUX6 (SYSTEM_LINUX | REMEDY_IPV6)

#define QUIET "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2\n"
/* Of scope host, and deprecated: so it never becomes the sender of what the server itself begins. */
#define ADD4 "ip address add {vip}/32 dev lo scope host"
#define ADD6 "ip -6 address add {vip}/128 dev lo nodad preferred_lft 0"
#define SCRIPT "dsr-realserver apply --vip {vip} --persist"
#define UNDO_SCRIPT "dsr-realserver undo --vip {vip}"
#define TUNNELS_BSD (SYSTEM_FREEBSD | SYSTEM_OPENBSD)
#define TUNNELS (SYSTEM_LINUX | TUNNELS_BSD)
#define TUNNEL_SCRIPT "dsr-realserver apply --vip {vip} --method {method}"
#define SCRIPT_WINDOWS ".\\dsr-realserver.ps1 apply -Vip {vip} -Port {port} -Protocol {PROTO}"
#define UNDO_WINDOWS ".\\dsr-realserver.ps1 undo"

/*
 * For findings about the director, {command} is what the system itself reported: only it knows which of its switches
 * is on.
 */
static const struct remedy remedies[] = {
	{ DIAGNOSIS_INTERFACE_DOWN, SYSTEM_LINUX, NULL, "ip link set dev {interface} up",
	    "ip link set dev {interface} down" },
	{ DIAGNOSIS_INTERFACE_DOWN, BSD, NULL, "ifconfig {interface} up", "ifconfig {interface} down" },
	{ DIAGNOSIS_VIP_HELD, SYSTEM_ANY, NULL, "{command}", NULL },
	{ DIAGNOSIS_FORWARDING, SYSTEM_ANY, NULL, "{command}", NULL },
	{ DIAGNOSIS_TWO_ACTIVE, SYSTEM_ANY, NULL, "dsrctl role standby {group}", "dsrctl role active {group}" },
	{ DIAGNOSIS_YIELDED, SYSTEM_ANY, NULL, "dsrctl role standby {group}", "dsrctl role active {group}" },
	{ DIAGNOSIS_NOT_READY, SYSTEM_ANY, NULL, "dsrctl show --problems", NULL },
	{ DIAGNOSIS_CHECKER_LOST, SYSTEM_ANY, NULL, "dsrctl show process", NULL },
	{ DIAGNOSIS_ANNOUNCE_FAILED, SYSTEM_ANY, NULL, "dsrctl show announce", NULL },
	{ DIAGNOSIS_ROUTES_REMOVED, SYSTEM_LINUX, NULL, "ip monitor route", NULL },
	{ DIAGNOSIS_DRAINED, SYSTEM_ANY, NULL, "dsrctl enable director", "dsrctl drain director" },
	{ DIAGNOSIS_ROUTERS_UNKNOWN, SYSTEM_LINUX, NULL, "ip route show table {table} proto {protocol}", NULL },
	{ DIAGNOSIS_RELOAD_FAILED, SYSTEM_ANY, NULL, "dsrd -n -f {config}", NULL },
	{ DIAGNOSIS_PEER_DOWN, SYSTEM_ANY, NULL, "dsrctl show peers", NULL },
	{ DIAGNOSIS_PEER_DIFFERS, SYSTEM_ANY, NULL, "dsrctl show peers", NULL },
	{ DIAGNOSIS_FLOW_TABLE_FULL, SYSTEM_ANY, NULL, "raise `connections` in dsrd.conf, and restart dsrd", NULL },
	{ DIAGNOSIS_MTU, SYSTEM_LINUX, NULL, "ip link set dev {interface} mtu {other-mtu}",
	    "ip link set dev {interface} mtu {mtu}" },
	{ DIAGNOSIS_MTU, BSD, NULL, "ifconfig {interface} mtu {other-mtu}", "ifconfig {interface} mtu {mtu}" },
	{ DIAGNOSIS_CAPTURE_BUFFER, SYSTEM_ANY, NULL, "{command}", NULL },
	{ DIAGNOSIS_OFFLOADS, SYSTEM_LINUX, NULL, "ethtool -K {interface} gro off lro off rx-gro-hw off",
	    "ethtool -K {interface} gro on" },
	{ DIAGNOSIS_OFFLOADS, SYSTEM_OPENBSD, NULL, "ifconfig {interface} -tcplro", "ifconfig {interface} tcplro" },
	{ DIAGNOSIS_OFFLOADS, BSD & ~(unsigned)SYSTEM_OPENBSD, NULL, "ifconfig {interface} -lro",
	    "ifconfig {interface} lro" },
	{ DIAGNOSIS_STRICT_INTERFACES, SYSTEM_ANY, NULL, "{command}", NULL },

	{ DIAGNOSIS_IS_DIRECTOR, SYSTEM_ANY,
	    "Remove the server {own} from the service, or give its address to another machine. If the director is to "
	    "be one of its servers, add `local` to its line in dsrd.conf, and on the director:",
	    SCRIPT, UNDO_SCRIPT },

	{ DIAGNOSIS_LOCAL_UNSUPPORTED, SYSTEM_ANY, "Remove the server {own} from the service, or run this director on "
	    "Linux.", NULL, NULL },
	{ DIAGNOSIS_LOCAL_NOT_OWN, SYSTEM_ANY, "Give the server one of the director's own addresses in dsrd.conf. They "
	    "are shown by:", "ip -brief address", NULL },
	{ DIAGNOSIS_LOCAL_NO_VIP, SYSTEM_ANY, "On the director:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_LOCAL_VIP_EXPOSED, SYSTEM_ANY, "On the director, remove the VIP from where it is, and add it to "
	    "lo:", "ip address show to {vip}\n" SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_LOCAL_ANSWERS_ARP, SYSTEM_ANY, "On the director:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_LOCAL_RP_FILTER, SYSTEM_ANY, "On the director:", "sysctl -w net.ipv4.conf.all.rp_filter=2",
	    "sysctl -w net.ipv4.conf.all.rp_filter=1" },
	{ DIAGNOSIS_LOCAL_NOT_WITHHELD, SYSTEM_ANY, "On the director:", "journalctl -u dsrd --grep withhold", NULL },

	{ DIAGNOSIS_OTHER_NETWORK, SYSTEM_ANY,
	    "Compare the server's address in dsrd.conf with the director's networks ({interface} has {networks}). If "
	    "the "
	    "address is right and the server is on that segment, give {interface} an address in its network.",
	    NULL, NULL },
	{ DIAGNOSIS_OTHER_NETWORK, SYSTEM_LINUX, NULL, "ip -brief address\nip route get {own}", NULL },

	{ DIAGNOSIS_UNREACHABLE, SYSTEM_ANY,
	    "Look at its power, cable and VLAN, and at its address in dsrd.conf. From the director:",
	    "{ask-own}", NULL },

	{ DIAGNOSIS_PROXY_ARP, SYSTEM_ANY,
	    "Move the server into the director's network (VLAN), and switch proxy ARP off on the router with MAC {mac}.",
	    NULL, NULL },
	{ DIAGNOSIS_PROXY_ARP, SYSTEM_LINUX, "On that router, if it is Linux:",
	    "sysctl -w net.ipv4.conf.all.proxy_arp=0", "sysctl -w net.ipv4.conf.all.proxy_arp=1" },

	{ DIAGNOSIS_NOT_ADJACENT, SYSTEM_ANY,
	    "Move the server into the director's network (VLAN), or correct its address or mac= in dsrd.conf.",
	    NULL, NULL },

	{ DIAGNOSIS_DUPLICATE_ADDRESS, SYSTEM_ANY,
	    "Find the machine with MAC {twin} in the switch's table, and give it another address than {own}. From "
	    "the director:",
	    "{ask-own}", NULL },
	{ DIAGNOSIS_DUPLICATE_ADDRESS, SYSTEM_ANY, "If {twin} is the server, and {mac} is not, on the director:",
	    "dsrctl neighbor {own} {twin}", "dsrctl neighbor {own} {mac}" },

	{ DIAGNOSIS_TAKES_NETWORK, SYSTEM_LINUX | REMEDY_IPV4,
	    "On the server, find the address whose prefix is too short, and add it again with /32:",
	    "ip address show dev lo\n"
	    "ip route show table local type local | grep /",
	    NULL },
	{ DIAGNOSIS_TAKES_NETWORK, SYSTEM_LINUX, "Once that address is off lo:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_TAKES_NETWORK, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX,
	    "Give the VIP the prefix length {length} on the loopback, and compare the server's netmask and routes with "
	    "the "
	    "director's ({director}).", NULL, NULL },

	{ DIAGNOSIS_VIP_MISSING_FORWARDS, UNIX, "On the server:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_VIP_MISSING_FORWARDS, LINUX4, "The same by hand:", QUIET ADD4,
	    "ip address delete {vip}/32 dev lo" },
	{ DIAGNOSIS_VIP_MISSING_FORWARDS, LINUX6, "The same by hand:", ADD6, "ip -6 address delete {vip}/128 dev lo" },
	{ DIAGNOSIS_VIP_MISSING_FORWARDS, SYSTEM_WINDOWS, "In an elevated PowerShell on the server:", SCRIPT_WINDOWS,
	    UNDO_WINDOWS },

	{ DIAGNOSIS_VIP_IGNORED, UNIX, "On the server:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_VIP_IGNORED, LINUX4,
	    "The same by hand; if the VIP is there already, look for a firewall that drops it:",
	    QUIET ADD4 "\nnft list ruleset", "ip address delete {vip}/32 dev lo" },
	{ DIAGNOSIS_VIP_IGNORED, LINUX6,
	    "The same by hand; if the VIP is there already, look for a firewall that drops it:",
	    ADD6 "\nnft list ruleset", "ip -6 address delete {vip}/128 dev lo" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_WINDOWS,
	    "Windows 2008 and later drop packets for an address of another interface: the VIP, or one of the weak host "
	    "settings, is missing. In an elevated PowerShell on the server (2008: dsr-realserver.cmd):",
	    SCRIPT_WINDOWS, UNDO_WINDOWS },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_WINDOWS,
	    "The same by hand, where \"net\" is the network's interface and \"loopback\" the one that has the VIP:",
	    "netsh interface {family} set interface \"net\" weakhostreceive=enabled\n"
	    "netsh interface {family} set interface \"loopback\" weakhostreceive=enabled\n"
	    "netsh interface {family} set interface \"loopback\" weakhostsend=enabled\n"
	    "netsh interface {family} add address \"loopback\" {vip-mask} skipassource=true\n"
	    "netsh advfirewall firewall add rule name=\"dsr-realserver {vip}\" dir=in action=allow protocol={PROTO} "
	    "localip={vip} localport={port} profile=any",
	    "netsh interface {family} delete address \"loopback\" {vip}\n"
	    "netsh interface {family} set interface \"net\" weakhostreceive=disabled\n"
	    "netsh advfirewall firewall delete rule name=\"dsr-realserver {vip}\"" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_FREEBSD, "By hand (before FreeBSD 14 the sysctl is "
	    "net.inet.ip.check_interface):",
	    "sysctl net.inet.ip.rfc1122_strong_es=0\n"
	    "ifconfig lo0 {inet} {vip} {host-mask} alias",
	    "ifconfig lo0 {inet} {vip} -alias" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_OPENBSD,
	    "OpenBSD 6.6 and later accept an address of another interface only when they forward (filter with pf "
	    "what is not for this host). By hand:",
	    "sysctl net.{inet}.{ip}.forwarding=1\n"
	    "ifconfig lo1 create\n"
	    "ifconfig lo1 {inet} alias {vip} {host-mask}",
	    "ifconfig lo1 {inet} {vip} delete\n"
	    "sysctl net.{inet}.{ip}.forwarding=0" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_NETBSD, "By hand:",
	    "sysctl -w net.inet.ip.checkinterface=0\n"
	    "ifconfig lo0 {inet} {vip} {host-mask} alias",
	    "ifconfig lo0 {inet} {vip} -alias" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_MACOS, "By hand:",
	    "sudo sysctl net.inet.ip.check_interface=0\n"
	    "sudo ifconfig lo0 {inet} {vip} {host-mask} alias",
	    "sudo ifconfig lo0 {inet} {vip} -alias" },
	{ DIAGNOSIS_VIP_IGNORED, SYSTEM_ILLUMOS, "By hand:",
	    "ipadm set-prop -p hostmodel=weak {family}\n"
	    "ipadm create-addr -T static -a {vip}/{length} lo0/dsr1",
	    "ipadm delete-addr lo0/dsr1" },

	{ DIAGNOSIS_BOUND_TO_OWN, SYSTEM_ANY,
	    "Let the program listen on {vip} port {port}, or on all addresses, and restart it: `listen {port}` in "
	    "nginx, `Listen {port}` in Apache.", NULL, NULL },
	{ DIAGNOSIS_BOUND_TO_OWN, SYSTEM_LINUX, "See what listens:", "ss -lnp 'sport = :{port}'", NULL },
	{ DIAGNOSIS_BOUND_TO_OWN, SYSTEM_WINDOWS,
	    "IIS: add the VIP to the site's bindings, or choose All Unassigned; if the first command prints "
	    "addresses, the VIP must be among them:",
	    "netsh http show iplisten\n"
	    "netsh http add iplisten ipaddress={vip}",
	    "netsh http delete iplisten ipaddress={vip}" },
	{ DIAGNOSIS_BOUND_TO_OWN, BSD, "See what listens:", "netstat -an | grep LISTEN", NULL },

	{ DIAGNOSIS_SERVICE_DOWN, SYSTEM_ANY, "Start the program that serves port {port} on the server.", NULL, NULL },

	{ DIAGNOSIS_PORT_CLOSED, SYSTEM_ANY,
	    "Start the program that serves port {port} on the server. If the port is opened on demand (FTP: 20 and the "
	    "passive range), let the service not depend on it:",
	    "vip-check = warn", NULL },

	{ DIAGNOSIS_OWN_REFUSED, SYSTEM_ANY,
	    "Let the program listen on {own} port {port} as well, or on all addresses, and restart it: `listen {port}` "
	    "in "
	    "nginx, `Listen {port}` in Apache. Or do without checks of the own address (`check = none`, with "
	    "`vip-check = "
	    "require`): the VIP is checked in any case.", NULL, NULL },
	{ DIAGNOSIS_OWN_REFUSED, SYSTEM_LINUX, "See what listens:", "ss -lnp 'sport = :{port}'", NULL },
	{ DIAGNOSIS_OWN_REFUSED, BSD, "See what listens:", "netstat -an | grep LISTEN", NULL },
	{ DIAGNOSIS_OWN_REFUSED, SYSTEM_WINDOWS, "See what listens:", "netstat -ano -p tcp | findstr :{port}", NULL },

	{ DIAGNOSIS_CHECK_FAILED, SYSTEM_ANY,
	    "Repeat the check as above, and look at the log of the program that answers it.", NULL, NULL },
	{ DIAGNOSIS_SERVER_DOWN, SYSTEM_ANY, "See what its checks found last:", "dsrctl show health", NULL },
	{ DIAGNOSIS_PORT_OUT, SYSTEM_ANY, "See what the checks of its ports found last:", "dsrctl show health", NULL },

	{ DIAGNOSIS_SAME_MACHINE, SYSTEM_ANY,
	    "If that is not intended, remove one of the two servers and give the other the weight of both.", NULL,
	    NULL },
	{ DIAGNOSIS_ANSWERS_PASS_DIRECTOR, SYSTEM_ANY,
	    "If another router leads to the clients, make it the server's default gateway.", NULL, NULL },

	{ DIAGNOSIS_FIREWALL_REJECTS, SYSTEM_LINUX, "Open the port, with what the host uses:",
	    "firewall-cmd --permanent --add-port={port}/{proto} && firewall-cmd --reload\n"
	    "ufw allow to {vip} port {port} proto {proto}\n"
	    "nft insert rule inet filter input {ip4or6} daddr {vip} {proto} dport {port} accept",
	    "firewall-cmd --permanent --remove-port={port}/{proto} && firewall-cmd --reload\n"
	    "ufw delete allow to {vip} port {port} proto {proto}" },
	{ DIAGNOSIS_FIREWALL_REJECTS, BSD, "In pf.conf, then `pfctl -f /etc/pf.conf`:",
	    "pass in quick proto {proto} to {vip} port {port}", NULL },
	{ DIAGNOSIS_FIREWALL_REJECTS, SYSTEM_WINDOWS, NULL,
	    "New-NetFirewallRule -DisplayName 'dsr-realserver {vip}' -Direction Inbound -Action Allow -Profile Any "
	    "-Protocol {PROTO} -LocalAddress {vip} -LocalPort {port}",
	    "Remove-NetFirewallRule -DisplayName 'dsr-realserver {vip}'" },
	{ DIAGNOSIS_FIREWALL_REJECTS, SYSTEM_ILLUMOS, "In ipf.conf, then `ipf -Fa -f /etc/ipf/ipf.conf`:",
	    "pass in quick proto {proto} from any to {vip} port = {port}", NULL },

	{ DIAGNOSIS_FIREWALL_DROPS, SYSTEM_LINUX, "Open the port, with what the host uses:",
	    "ufw allow to {vip} port {port} proto {proto}\n"
	    "nft insert rule inet filter input {ip4or6} daddr {vip} {proto} dport {port} accept\n"
	    "firewall-cmd --permanent --add-port={port}/{proto} && firewall-cmd --reload",
	    "ufw delete allow to {vip} port {port} proto {proto}\n"
	    "firewall-cmd --permanent --remove-port={port}/{proto} && firewall-cmd --reload" },
	{ DIAGNOSIS_FIREWALL_DROPS, SYSTEM_WINDOWS,
	    "The firewall takes the loopback for a public network, so the rule must be for any profile:",
	    "New-NetFirewallRule -DisplayName 'dsr-realserver {vip}' -Direction Inbound -Action Allow -Profile Any "
	    "-Protocol {PROTO} -LocalAddress {vip} -LocalPort {port}",
	    "Remove-NetFirewallRule -DisplayName 'dsr-realserver {vip}'" },
	{ DIAGNOSIS_FIREWALL_DROPS, BSD, "In pf.conf, then `pfctl -f /etc/pf.conf`:",
	    "pass in quick proto {proto} to {vip} port {port}", NULL },
	{ DIAGNOSIS_FIREWALL_DROPS, SYSTEM_ILLUMOS, "In ipf.conf, then `ipf -Fa -f /etc/ipf/ipf.conf`:",
	    "pass in quick proto {proto} from any to {vip} port = {port}", NULL },

	{ DIAGNOSIS_REPLY_LOST, SYSTEM_ANY,
	    "Allow {vip} as source address where the server ({mac}) is plugged in: IP source guard and port "
	    "security of the "
	    "switch; libvirt: no-ip-spoofing in the nwfilter; Proxmox: ipfilter; Neutron: allowed-address-pairs; NSX: "
	    "SpoofGuard; and in the server's own outgoing firewall.", NULL, NULL },
	{ DIAGNOSIS_REPLY_LOST, SYSTEM_LINUX, "Look on the server whether the answer leaves it:",
	    "tcpdump -ni eth0 src host {vip}", NULL },

	{ DIAGNOSIS_GATEWAY_UNREACHABLE, SYSTEM_ANY, "Look at the router {gateway}, and at `gateway` in dsrd.conf or the "
	    "director's route to {own}. From the director:", "{ask-gateway}", NULL },
	{ DIAGNOSIS_GATEWAY_UNREACHABLE, SYSTEM_LINUX, NULL, "ip route get {own}", NULL },

	{ DIAGNOSIS_NO_DECAPSULATION, SYSTEM_LINUX, "On the server:", TUNNEL_SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_NO_DECAPSULATION, TUNNELS_BSD, "On the server (methods ipip and gre):",
	    TUNNEL_SCRIPT " --director {director} --address {own}", UNDO_SCRIPT },
	{ DIAGNOSIS_NO_DECAPSULATION, SYSTEM_ANY & ~(unsigned)(TUNNELS), "Servers of this system do not decapsulate: put "
	    "the server into the director's network, and leave `method` at mac.", NULL, NULL },
	{ DIAGNOSIS_NO_TUNNEL_PORT, SYSTEM_LINUX, "On the server:", TUNNEL_SCRIPT "\nip fou show", UNDO_SCRIPT },
	{ DIAGNOSIS_NO_TUNNEL_PORT, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX, "Servers of this system do not take GUE: choose "
	    "`method = ipip` or gre.", NULL, NULL },
	{ DIAGNOSIS_TUNNEL_BROKEN, SYSTEM_ANY, "Firewalls and security groups between the director and {own} must let "
	    "{outer} pass. From the director:", "traceroute -n {own}", NULL },
	{ DIAGNOSIS_TUNNEL_SILENT, SYSTEM_LINUX, "On the server: the larger value of `all` and the tunnel's interface "
	    "counts, and 1 drops what comes from the tunnel.",
	    "sysctl -a --pattern rp_filter\n"
	    TUNNEL_SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_TUNNEL_SILENT, SYSTEM_ANY, "Firewalls on the server and on the way must let {outer} pass.", NULL,
	    NULL },
	{ DIAGNOSIS_DSCP_IGNORED, SYSTEM_LINUX, "On the server:",
	    "dsr-realserver apply --vip {vip} --method dscp --dscp {dscp}",
	    UNDO_SCRIPT },
	{ DIAGNOSIS_DSCP_IGNORED, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX, "Servers of this system cannot restore the VIP: "
	    "choose another `method`.", NULL, NULL },
	{ DIAGNOSIS_NO_ADVMSS, SYSTEM_LINUX, "On the server:", TUNNEL_SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_NO_ADVMSS, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX, "Let the server offer segments of {advmss} bytes at "
	    "most to its clients: the route's MTU, or the firewall (pf: `scrub ... max-mss {advmss}`).", NULL, NULL },

	{ DIAGNOSIS_WRONG_SOURCE, SYSTEM_ANY,
	    "Let the program listen on {vip} itself, besides {own}, instead of all addresses. BIND: `listen-on { "
	    "{vip}; };`, unbound: `interface: {vip}` or `interface-automatic: yes`.", NULL, NULL },

	{ DIAGNOSIS_WRONG_CARD, SYSTEM_ANY,
	    "Compare the server's netmask with the director's, and look by which card it reaches the network:",
	    NULL, NULL },
	{ DIAGNOSIS_WRONG_CARD, SYSTEM_LINUX, NULL, "ip route get {director}\nip -brief address", NULL },
	{ DIAGNOSIS_WRONG_CARD, BSD, NULL, "route -n get {director}\nifconfig -a", NULL },

	{ DIAGNOSIS_HANDSHAKES_LOST, SYSTEM_LINUX,
	    "On the server: do the clients' packets arrive, and do answers leave? Which gateway and firewall are on "
	    "the way?",
	    "tcpdump -ni any 'tcp[tcpflags] & tcp-syn != 0 and host {client}'\n"
	    "nft list ruleset\n"
	    "ip route get {client} from {vip}", NULL },
	{ DIAGNOSIS_HANDSHAKES_LOST, SYSTEM_LINUX | REMEDY_IPV4,
	    "If requests arrive, nothing leaves and no firewall drops them, rp_filter does (2 is loose):",
	    "sysctl -w net.ipv4.conf.all.rp_filter=2", "sysctl -w net.ipv4.conf.all.rp_filter=1" },
	{ DIAGNOSIS_HANDSHAKES_LOST, SYSTEM_ANY,
	    "If answers leave the server, allow {vip} as source address at its switch port ({mac}) and on the routers "
	    "beyond.",
	    NULL, NULL },

	{ DIAGNOSIS_ANSWERS_LOST, SYSTEM_LINUX, "On the server: does a packet of full size reach the client?",
	    "ping -c 3 -M do -s 1472 {client}\n"
	    "tracepath -n {client}", NULL },
	{ DIAGNOSIS_ANSWERS_LOST, SYSTEM_ANY,
	    "Give the server the network's MTU ({mtu} on the director), let firewalls pass ICMP, and look at the "
	    "program's log.",
	    NULL, NULL },

	{ DIAGNOSIS_ALL_LOST, SYSTEM_ANY,
	    "At the director's switch port, allow source addresses that are not its own. OpenStack: disable port "
	    "security "
	    "there, or allowed-address-pairs with 0.0.0.0/0. VMware: accept forged transmits; NSX: SpoofGuard off. "
	    "Hyper-V: MAC "
	    "address spoofing on. libvirt: no no-ip-spoofing filter; Proxmox: ipfilter off. A switch: no IP source "
	    "guard.",
	    NULL, NULL },
	{ DIAGNOSIS_ALL_LOST, SYSTEM_ANY,
	    "On a server: if the first command shows no client, the director's port drops them; if it shows them and "
	    "the second "
	    "shows nothing leave, the server does.",
	    "tcpdump -ni eth0 dst host {vip}\n"
	    "tcpdump -ni any src host {vip}", NULL },

	{ DIAGNOSIS_DIRECTOR_IS_GATEWAY, SYSTEM_LINUX,
	    "Give the server the network's router as its gateway (ROUTER below), here and in its configuration:",
	    "ip route replace default via ROUTER",
	    "ip route replace default via {director}" },
	{ DIAGNOSIS_DIRECTOR_IS_GATEWAY, BSD, "Give the server the network's router as its gateway:",
	    "route change default ROUTER", "route change default {director}" },
	{ DIAGNOSIS_DIRECTOR_IS_GATEWAY, SYSTEM_WINDOWS, "Give the server the network's router as its gateway:",
	    "route change 0.0.0.0 mask 0.0.0.0 ROUTER -p", "route change 0.0.0.0 mask 0.0.0.0 {director} -p" },
	{ DIAGNOSIS_DIRECTOR_IS_GATEWAY, SYSTEM_ILLUMOS, "Give the server the network's router as its gateway:",
	    "route -p change default ROUTER", "route -p change default {director}" },

	{ DIAGNOSIS_MTU_SMALLER, SYSTEM_LINUX, "Give all hosts of the network the same MTU ({mtu} on the director):",
	    "ip link set dev eth0 mtu {mtu}", NULL },
	{ DIAGNOSIS_MTU_SMALLER, BSD, "Give all hosts of the network the same MTU ({mtu} on the director):",
	    "ifconfig em0 mtu {mtu}", NULL },
	{ DIAGNOSIS_MTU_SMALLER, SYSTEM_WINDOWS, "Give all hosts of the network the same MTU ({mtu} on the director):",
	    "netsh interface {family} set subinterface \"net\" mtu={mtu} store=persistent", NULL },
	{ DIAGNOSIS_MTU_SMALLER, SYSTEM_ILLUMOS, "Give all hosts of the network the same MTU ({mtu} on the director):",
	    "dladm set-linkprop -p mtu={mtu} net0", NULL },

	{ DIAGNOSIS_ANSWERS_ARP, UNIX,
	    "The VIP belongs on the loopback, never on the network card. Take it off there if it is, then on the "
	    "server:", SCRIPT,
	    UNDO_SCRIPT },
	{ DIAGNOSIS_ANSWERS_ARP, LINUX4, "The same by hand (setting arp_ignore of lo does nothing):",
	    QUIET "ip address flush dev eth0 to {vip}/32\n" ADD4,
	    "sysctl -w net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0" },
	{ DIAGNOSIS_ANSWERS_ARP, LINUX6, "The same by hand; if it is not on the card, look for proxies and VRFs:",
	    "ip -6 address flush dev eth0 to {vip}/128\n" ADD6 "\n"
	    "ip -6 neighbor show proxy\n"
	    "ip -6 -brief address",
	    "ip -6 address delete {vip}/128 dev lo" },
	{ DIAGNOSIS_ANSWERS_ARP, SYSTEM_FREEBSD, "FreeBSD answers for the loopback only with proxyall:",
	    "sysctl net.link.ether.inet.proxyall=0", "sysctl net.link.ether.inet.proxyall=1" },
	{ DIAGNOSIS_ANSWERS_ARP, SYSTEM_WINDOWS,
	    "Take the VIP off the network's interface, and put it on a loopback, in an elevated PowerShell:",
	    "Remove-NetIPAddress -IPAddress {vip} -Confirm:$false\n" SCRIPT_WINDOWS,
	    UNDO_WINDOWS },

	{ DIAGNOSIS_ANSWERED_FOR_SERVER, SYSTEM_ANY,
	    "Clear the entry of {vip} with MAC {mac} on the switch or hypervisor (ARP suppression, EVPN, proxy "
	    "ARP).", NULL,
	    NULL },

	{ DIAGNOSIS_ANNOUNCES, SYSTEM_LINUX, "On the server:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_ANNOUNCES, LINUX4, "The same by hand (1 is not enough):",
	    "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
	    "sysctl -w net.ipv4.conf.all.arp_announce=0" },
	{ DIAGNOSIS_ANNOUNCES, LINUX6,
	    "The VIP is on the network card, or a program announces it (keepalived). Move it to the loopback:",
	    "ip -6 address flush dev eth0 to {vip}/128\n" ADD6, "ip -6 address delete {vip}/128 dev lo" },
	{ DIAGNOSIS_ANNOUNCES, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX,
	    "The VIP is on the network card: move it to the loopback, and stop what announces it (keepalived, "
	    "ucarp).", NULL,
	    NULL },

	{ DIAGNOSIS_FOREIGN_OWNER, SYSTEM_ANY,
	    "Find the machine with MAC {foreign} in the switch's table, and take {vip} off it. From the director:",
	    "{ask-vip}", NULL },

	{ DIAGNOSIS_SHORT_MASK, SYSTEM_LINUX, "Find the short mask on lo and use /{length}; or proxy_arp is on:",
	    "ip address show dev lo\n"
	    "sysctl -w net.ipv4.conf.all.proxy_arp=0\n"
	    "ip address add {vip}/{length} dev lo",
	    NULL },
	{ DIAGNOSIS_SHORT_MASK, SYSTEM_LINUX, "Once the address with the short mask is off lo:", SCRIPT, UNDO_SCRIPT },
	{ DIAGNOSIS_SHORT_MASK, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX,
	    "Give the VIP the prefix length {length}, and switch proxy ARP off.", NULL, NULL },

	{ DIAGNOSIS_DNS_HAS_VIP, SYSTEM_WINDOWS,
	    "Delete the record of {vip} from the server's name, and keep the loopback out of DNS:",
	    "Set-DnsClient -InterfaceAlias loopback -RegisterThisConnectionsAddress $false\n"
	    "Set-NetIPAddress -IPAddress {vip} -SkipAsSource $true\n"
	    "ipconfig /registerdns",
	    "Set-DnsClient -InterfaceAlias loopback -RegisterThisConnectionsAddress $true" },
	{ DIAGNOSIS_DNS_HAS_VIP, SYSTEM_ANY & ~(unsigned)SYSTEM_WINDOWS,
	    "Delete the record of {vip} from the server's name, in DNS or in the director's hosts file, and switch "
	    "off what registers it (dynamic DNS of the DHCP client, sssd).", NULL, NULL },

	{ DIAGNOSIS_OWN_FILTERED, SYSTEM_ANY,
	    "Let the director ({director}) reach {own} port {port} through the server's firewall, or check the VIP "
	    "alone (`check = none`, with `vip-check = require`).", NULL, NULL },

	{ DIAGNOSIS_NO_CONTROL, SYSTEM_LINUX | REMEDY_IPV4,
	    "On the server: is a whole network local to it (then give the VIP /{length}), and does a firewall drop "
	    "what comes "
	    "from the director? Do the questions arrive?",
	    "ip route show table local type local | grep /\n"
	    "nft list ruleset\n"
	    "tcpdump -ni eth0 host {own} or host {vip}", NULL },
	{ DIAGNOSIS_NO_CONTROL, SYSTEM_LINUX | REMEDY_IPV6,
	    "On the server: does a firewall drop what comes from the director? Do the questions arrive?",
	    "nft list ruleset\n"
	    "tcpdump -ni eth0 host {own} or host {vip}", NULL },
	{ DIAGNOSIS_NO_CONTROL, SYSTEM_LINUX | REMEDY_IPV4,
	    "If the questions arrive from an address that the server routes elsewhere, rp_filter drops them (2 is "
	    "loose):",
	    "sysctl -w net.ipv4.conf.all.rp_filter=2",
	    "sysctl -w net.ipv4.conf.all.rp_filter=1" },
	{ DIAGNOSIS_NO_CONTROL, SYSTEM_ANY & ~(unsigned)SYSTEM_LINUX,
	    "Let the server's firewall answer the director, and compare its netmask with the director's.", NULL, NULL },

	{ DIAGNOSIS_NO_ANSWER, SYSTEM_ANY,
	    "On the director: does the server answer at all, and which router is the last to answer?",
	    "ping -c 3 {own}\n"
	    "traceroute -n {own}", NULL },

	{ DIAGNOSIS_VIP_UNVERIFIED, SYSTEM_ANY,
	    "On the director: LOST and NOT SENT say at which interface frames get lost. Let the kernel forward most of "
	    "them (`offload = auto`), or give dsrd more of the processor:",
	    "dsrctl show neighbors", NULL },

	{ DIAGNOSIS_NO_SOURCE, SYSTEM_ANY, "In [dsrd] of dsrd.conf, with an unused address of the VIP's network:",
	    "probe-address = ADDRESS", NULL },
};

const struct remedy *
remedy_at(enum diagnosis diagnosis, unsigned systems, size_t index)
{
	for (size_t i = 0; i < ARRAY_LEN(remedies); i++) {
		const unsigned given = remedies[i].systems, families = given & (REMEDY_IPV4 | REMEDY_IPV6);

		if (remedies[i].diagnosis != diagnosis || (given & systems & SYSTEM_ANY) == 0 ||
		    (families != 0 && (families & systems) == 0))
			continue;
		if (index-- == 0)
			return &remedies[i];
	}
	return NULL;
}

const char *
remedy_ask(const struct addr *addr, const char *interface, bool on_linux, char text[REMEDY_ASK])
{
	char name[ADDR_TEXT];

	addr_format(addr, name);
	/* A ping leaves an entry, answered or not. IPv6 has no arping, and the BSDs have none of their own. */
	if (!on_linux && addr->family == ADDR_IPV6)
		(void)snprintf(text, REMEDY_ASK, "ping6 -c 1 %s; ndp -n %s", name, name);
	else if (!on_linux)
		(void)snprintf(text, REMEDY_ASK, "ping -c 1 %s; arp -n %s", name, name);
	else if (addr->family == ADDR_IPV6)
		(void)snprintf(text, REMEDY_ASK, "ping -c 1 %s; ip neighbor show %s", name, name);
	else
		(void)snprintf(text, REMEDY_ASK, "arping -c 3 -I %s %s", interface, name);
	return text;
}

static const char *
remedy_find_word(const char *name, size_t length, const struct remedy_word *words)
{
	for (; words->name != NULL; words++)
		if (strlen(words->name) == length && memcmp(words->name, name, length) == 0)
			return words->value;
	return NULL;
}

const char *
remedy_write(const char *template, const struct remedy_word *words, char *text, size_t size)
{
	size_t used = 0;

	while (*template != '\0' && used + 1 < size) {
		const char *end = *template == '{' ? strchr(template, '}') : NULL;
		const char *word = end == NULL ? NULL :
		    remedy_find_word(template + 1, (size_t)(end - template) - 1, words);

		if (word != NULL) {
			const size_t length = strlen(word), room = size - 1 - used;

			memcpy(text + used, word, length < room ? length : room);
			used += length < room ? length : room;
			template = end + 1;
		} else {
			text[used++] = *template++;
		}
	}
	text[used] = '\0';
	return text;
}

/* Segments of that size fit the tunnel: RFC 9293 section 3.7.1 counts the headers without options. */
static uint32_t
remedy_advmss(const struct diagnose_facts *facts)
{
	const uint32_t headers = facts->vip.family == ADDR_IPV6 ? 60 : 40;

	return facts->director_mtu > headers ? facts->director_mtu - headers : 0;
}

/* What firewalls see of the method: Protocol Numbers, IANA. */
static const char *
remedy_outer(const struct diagnose_facts *facts)
{
	switch ((enum encap_method)facts->method) {
	case ENCAP_IPIP:
		return facts->vip.family == ADDR_IPV6 ? "IP protocol 41" : "IP protocol 4";
	case ENCAP_GRE:
		return "IP protocol 47";
	case ENCAP_GUE:
	case ENCAP_GUE1:
		return "UDP port 6080";
	case ENCAP_MAC:
	case ENCAP_DSCP:
	case ENCAP_LOCAL:
	case ENCAP_METHODS:
		break;
	}
	return "packets for the VIP";
}

const char *
remedy_fill(const char *template, const struct diagnose_facts *facts, char text[REMEDY_TEXT])
{
	const bool v6 = facts->vip.family == ADDR_IPV6, udp = facts->protocol == PROTOCOL_UDP;
	const char *const interface = facts->interface != NULL ? facts->interface : "INTERFACE";
	char vip[ADDR_TEXT], own[ADDR_TEXT], director[ADDR_TEXT], mac[MAC_TEXT], foreign[MAC_TEXT], twin[MAC_TEXT],
	    client[ADDR_TEXT], gateway[ADDR_TEXT], ask_gateway[REMEDY_ASK], dscp[8], advmss[16], port[8], mtu[16],
	    outer[48],
	    masked[REMEDY_ASK], ask_own[REMEDY_ASK], ask_vip[REMEDY_ASK];
	const struct remedy_word words[] = {
		{ "vip", addr_format(&facts->vip, vip) },
		{ "length", v6 ? "128" : "32" },
		{ "host-mask", v6 ? "prefixlen 128" : "netmask 255.255.255.255" }, /* for ifconfig(8) */
		{ "vip-mask", masked },                                            /* for netsh */
		{ "ask-own", remedy_ask(&facts->own, interface, DIRECTOR_SYSTEM == SYSTEM_LINUX, ask_own) },
		{ "ask-vip", remedy_ask(&facts->vip, interface, DIRECTOR_SYSTEM == SYSTEM_LINUX, ask_vip) },
		{ "own", addr_format(&facts->own, own) },
		{ "interface", interface },
		{ "client", addr_is_set(&facts->client) ? addr_format(&facts->client, client) : "CLIENT" },
		{ "networks", facts->networks != NULL && *facts->networks != '\0' ? facts->networks : "no address" },
		{ "director", addr_is_set(&facts->director) ? addr_format(&facts->director, director) : "DIRECTOR" },
		{ "mac", mac_format(&facts->mac, mac) },
		{ "foreign", mac_format(&facts->foreign, foreign) },
		{ "twin", mac_format(&facts->twin, twin) },
		{ "port", port },
		{ "mtu", mtu },
		{ "method", encap_method_name((enum encap_method)facts->method) },
		{ "dscp", dscp },
		{ "advmss", advmss },
		{ "outer", outer },
		{ "gateway", addr_is_set(&facts->gateway_address) ? addr_format(&facts->gateway_address, gateway) :
		    "GATEWAY" },
		{ "ask-gateway", remedy_ask(&facts->gateway_address, interface, DIRECTOR_SYSTEM == SYSTEM_LINUX,
		    ask_gateway) },
		{ "proto", udp ? "udp" : "tcp" },
		{ "PROTO", udp ? "UDP" : "TCP" },
		{ "family", v6 ? "ipv6" : "ipv4" },
		{ "inet", v6 ? "inet6" : "inet" },
		{ "ip", v6 ? "ip6" : "ip" },
		{ "ip4or6", v6 ? "ip6" : "ip" },
		{ NULL, NULL },
	};

	snprintf(port, sizeof(port), "%u", facts->port);
	snprintf(masked, sizeof(masked), "%s%s", vip, v6 ? "/128" : " 255.255.255.255");
	snprintf(mtu, sizeof(mtu), "%lu", (unsigned long)facts->director_mtu);
	snprintf(dscp, sizeof(dscp), "%u", facts->dscp);
	snprintf(advmss, sizeof(advmss), "%lu", (unsigned long)remedy_advmss(facts));
	snprintf(outer, sizeof(outer), "%s", remedy_outer(facts));
	return remedy_write(template, words, text, REMEDY_TEXT);
}

static size_t
line_add(char text[REMEDY_LINE], size_t used, const char *before, const char *part, size_t length, const char *after)
{
	const int added = snprintf(text + used, REMEDY_LINE - used, "%s%.*s%s", before, (int)length, part, after);

	return added < 0 || (size_t)added >= REMEDY_LINE - used ? REMEDY_LINE - 1 : used + (size_t)added;
}

const char *
remedy_line(enum diagnosis diagnosis, const struct diagnose_facts *facts, char text[REMEDY_LINE])
{
	const unsigned systems = SYSTEM_LINUX | (facts->vip.family == ADDR_IPV6 ? REMEDY_IPV6 : REMEDY_IPV4);
	const struct remedy *remedy;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < 2 && (remedy = remedy_at(diagnosis, systems, i)) != NULL; i++) {
		char filled[REMEDY_TEXT];

		if (remedy->what != NULL) {
			remedy_fill(remedy->what, facts, filled);
			used = line_add(text, used, used == 0 ? "" : " ", filled, strlen(filled), "");
		}
		if (remedy->fix == NULL)
			continue;
		remedy_fill(remedy->fix, facts, filled);
		for (const char *at = filled; *at != '\0'; ) {
			const size_t length = strcspn(at, "\n");

			used = line_add(text, used, used == 0 ? "`" : at == filled ? " `" : ", `", at, length, "`");
			at += length + (at[length] == '\n');
		}
	}
	return text;
}
