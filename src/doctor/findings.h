/* SPDX-License-Identifier: ISC */
/*
 * All that the doctor, the log, the status page and the metrics can find wrong: one table of identifier, name,
 * severity, sentence, and what it means. doctor/remedy.c has the commands that fix each on each system, and that undo
 * it.
 *
 * An ERROR costs clients their answers, a WARNING does not, or not yet; both count as problems. A NOTE is worth
 * knowing, and dsrctl doctor prints it with --all only. Sentences and meanings have {words} to fill in
 * (remedy_write()).
 */
#ifndef DOCTOR_FINDINGS_H
#define DOCTOR_FINDINGS_H

/*
 * The director itself: what doctor/problem.h watches all the time, errors first, since that is the order of its list.
 */
#define DIRECTOR_PROBLEMS(X) \
	X(INTERFACE_GONE, "interface-gone", ERROR, "this host has no interface {interface}", \
	    "Nothing is received or sent there. dsrd opens the interface when it is back.") \
	X(INTERFACE_DOWN, "interface-down", ERROR, "the interface {interface} is administratively down", \
	    "Nothing is received or sent there until it is set up.") \
	X(NO_LINK, "no-link", ERROR, "the interface {interface} has no link", \
	    "Nothing is received or sent there. Check the cable, the port of the switch, or the other end of a " \
	    "virtual link.") \
	X(INTERFACE_CLOSED, "interface-closed", ERROR, "dsrd cannot capture on the interface {interface}", \
	    "Nothing is received or sent there. dsrd tries again every few seconds.") \
	X(INTERFACE_IPVLAN, "interface-ipvlan", ERROR, \
	    "the interface {interface} is an ipvlan: use a macvlan, or the interface that it is on", \
	    "Its kernel distributes packets by their address and hands it only those for the host's own: those for a " \
	    "VIP " \
	    "never arrive.") \
	X(VIP_HELD, "vip-held", ERROR, "this host's own kernel holds the VIP {vip}, on {interface}", \
	    "It resets every connection to the VIP. Only dsrd may answer for it.") \
	X(FORWARDING, "forwarding", ERROR, "this host forwards {family} packets that arrive on {interface}", \
	    "Its kernel routes a second copy of every packet for a VIP, and tells clients that the VIP is " \
	    "unreachable.") \
	X(NO_MEMORY, "no-memory", ERROR, "there was no memory for a new forwarding table", \
	    "Frames still follow the table from before: changes of health and configuration have no effect.") \
	X(ANNOUNCE_FAILED, "announce-failed", WARNING, "VIPs of group {group} are not announced: {reason}", \
	    "No router learns them from this director. dsrd tries again.") \
	X(ROUTES_REMOVED, "routes-removed", WARNING, "another program removes the routes to VIPs of group {group}", \
	    "dsrd makes them again within two seconds; routers lose the VIPs meanwhile. Find the program, and except " \
	    "protocol {protocol} there.") \
	X(DRAINED, "drained", WARNING, "this director is drained: it announces no VIP", \
	    "Frames that still arrive are forwarded.") \
	X(INTERFACE_PORT, "interface-port", WARNING, \
	    "the interface {interface} is a port of {master}: configure `interface = {master}`", \
	    "What arrives by its other ports is not received, and its addresses, MAC address and link are not those " \
	    "of " \
	    "the port.") \
	X(TWO_ACTIVE, "two-active", WARNING, "another director, {mac}, claims the VIPs of group {group} too", \
	    "Clients reach one or the other: connections break that the other does not have. Make one a standby, and " \
	    "look " \
	    "why the engine lets both be active.") \
	X(YIELDED, "yielded", WARNING, "this director was ordered to be active for group {group}, and yielded to " \
	    "{mac}", \
	    "The other director serves the VIPs; this one waits for a new order. Look why the engine did not make it " \
	    "a " \
	    "standby.") \
	X(NOT_READY, "not-ready", WARNING, "group {group} is not ready: {reason}", \
	    "This director could not take over.") \
	X(RELOAD_FAILED, "reload-failed", WARNING, "the last reload failed: {reason}", \
	    "The configuration from before is still in force.") \
	X(STATE_LOST, "state-lost", WARNING, "the state for the next start is not kept: {reason}", \
	    "The next restart of dsrd loses connections, and what dsrctl changed.") \
	X(PEER_DOWN, "peer-down", WARNING, "the peer {peer} is down: {reason}", \
	    "It does not know this director's connections: if it takes over, those break that a consistent hash does " \
	    "not lead " \
	    "to their server.") \
	X(PEER_DIFFERS, "peer-differs", WARNING, "the configuration of the peer {peer} differs: {what}: {difference}", \
	    "After a takeover, connections may reach other servers, or none.") \
	X(FLOW_TABLE_FULL, "flow-table-full", WARNING, "the flow table holds {count} of at most {most} connections", \
	    "Connections that find no room follow a consistent hash: a change of servers or weights may break them.") \
	X(FLOOD, "flood", WARNING, "connections begin faster than dsrd can schedule them: {count} a second", \
	    "The kernel selects their servers by hash, whatever the scheduler, until fewer begin. Connections from " \
	    "before stay where they are.") \
	X(LIMIT_NEW, "limit-new", WARNING, \
	    "service {service} drops new connections: more begin than its `limit-new` allows; {count} until now", \
	    "Connections from before go on. If these clients are welcome, raise the limit in dsrd.conf: dsrctl reload " \
	    "loses no connections.") \
	X(CAPTURE_DROPS, "capture-drops", WARNING, "{count} frames were lost at {interface} before dsrd could read " \
	    "them", \
	    "Clients send what was lost again, later. The processor was busy, or the load came in bursts.") \
	X(OFFLOAD_LOST, "offload-lost", WARNING, "the kernel does not forward flows on {interface}: {reason}", \
	    "Every frame goes through dsrd itself, which costs more of the processor.") \
	X(CHECKER_LOST, "checker-lost", WARNING, "the process that checks servers does not work: {reason}", \
	    "Servers keep the state of their last check: one that fails keeps getting connections. Only ICMP and " \
	    "script " \
	    "checks go on.") \
	X(CHECKER_UNSTABLE, "checker-unstable", WARNING, "the process that checks servers ended {count} times within 10 " \
	    "minutes; the last time: {reason}", \
	    "Each time the attempts that were under way had no result, and servers that fail are noticed later. A fault " \
	    "in " \
	    "dsrd or a library may be the reason: the log names the check if only one was under way. Please report it.") \
	X(CHECKS_LATE, "checks-late", WARNING, "the director was held up for {time}", \
	    "Checks and answers were late: a server that fails is noticed later. The processor is overloaded, or the " \
	    "machine was stopped.")

/* The director's host, when it is examined (daemon/host_check.h). */
#define HOST_FINDINGS(X) \
	X(MTU, "mtu", WARNING, \
	    "the MTU of {interface}, where {server} is, is {mtu}; that of {other}, where its VIP is, is {other-mtu}", \
	    "Requests in large frames cannot be forwarded.") \
	X(PROBE_ADDRESS_TAKEN, "probe-address-taken", WARNING, "the probe address {address} belongs to {mac}", \
	    "VIP checks do not use it. Each director needs a `probe-address` that no host has.") \
	X(NOT_SENT, "not-sent", NOTE, "{count} frames could not be sent at {interface}: {reason}", \
	    "Clients retransmit, with a delay; dsrd repeats its own probes.") \
	X(CAPTURE_BUFFER, "capture-buffer", NOTE, \
	    "the kernel limits the capture buffer of {interface} to {count} KiB", \
	    "Larger bursts are partly lost. The fix takes effect when dsrd is restarted.") \
	X(OFFLOADS, "offloads", NOTE, "receive offloads are on at {interface}: {list}", \
	    "They merge frames into larger ones than can be sent. Those are split again, into frames that need not " \
	    "be what " \
	    "the client sent.") \
	X(VIRTUAL_SWITCH, "virtual-switch", NOTE, "{interface} is a virtual network card ({maker})", \
	    "If a server's answer is lost: {hint}.") \
	X(FORWARDING_UNKNOWN, "forwarding-unknown", NOTE, \
	    "dsrd cannot find out whether this host forwards {family} packets that arrive on {interface}", \
	    "If it does, the servers get a second copy of each packet: turn its forwarding off.") \
	X(STRICT_INTERFACES, "strict-interfaces", NOTE, \
	    "this host drops packets that arrive on an interface other than the one with their address", \
	    "Answers to checks are lost if they come in by the wrong one, as when two interfaces are in one network.") \
	X(STRICT_INTERFACES_UNKNOWN, "strict-interfaces-unknown", NOTE, \
	    "dsrd cannot find out whether this host drops packets that arrive on an interface other than the one " \
	    "with their " \
	    "address", \
	    "If it does, answers to checks are lost if they come in by the wrong one, as when two interfaces are in " \
	    "one " \
	    "network.") \
	X(NOT_ANNOUNCED, "not-announced", WARNING, "the VIP {vip} has `arp = off`, and is announced by nothing", \
	    "Clients reach it only if a router has a static route to this director. Set `announce`, or let ExaBGP run " \
	    "`dsrctl announce --exabgp`; with static routes, write `announce = off`.") \
	X(ROUTED_ON_LINK, "routed-on-link", WARNING, \
	    "the VIP {vip} has `arp = off`, and is in the network of {interface}", \
	    "Routers and hosts of that network do not use a route to it: they ask for its MAC address, and get no " \
	    "answer. Choose a VIP in no network of the director, or remove `arp = off`.") \
	X(ROUTERS_UNKNOWN, "routers-unknown", NOTE, \
	    "dsrd cannot see whether the routers have learned the VIPs of group {group}", \
	    "It makes routes of protocol {protocol}; a routing daemon must redistribute them. The command shows what " \
	    "the kernel has; ask the daemon, and the router, too.") \
	X(NO_PROBE_ADDRESS, "no-probe-address", NOTE, "no `probe-address` is configured", \
	    "VIP checks use the director's own address. They cannot distinguish a lost answer from one that was " \
	    "never sent, " \
	    "or find a server that announces the VIP.") \
	X(OBSERVING, "observing", NOTE, "dsrd only observes (--observe)", \
	    "It sends nothing: no frame is forwarded and no server checked for the VIP.") \
	X(PRIVILEGES, "privileges", NOTE, "dsrd could not open an interface again, now that root is dropped", \
	    "{reason}")

/* Real servers, in the order in which a person should look at them. */
#define SERVER_FINDINGS(X) \
	X(LOCAL_UNSUPPORTED, "local-unsupported", ERROR, "a director of this system cannot be one of its servers", \
	    "Packets that dsrd captures can be handed to the host's own stack on Linux only.") \
	X(LOCAL_NOT_OWN, "local-not-own", ERROR, "the server is `local`, and its address is none of the director", \
	    "Its health checks would test another machine.") \
	X(LOCAL_NO_VIP, "local-no-vip", ERROR, "the server is the director itself, which lacks the VIP", \
	    "Its kernel does not take packets for the VIP.") \
	X(LOCAL_VIP_EXPOSED, "local-vip-exposed", ERROR, \
	    "the server is the director itself, which has the VIP on another interface than lo", \
	    "Its kernel answers ARP for the VIP, also while another director serves it.") \
	X(LOCAL_ANSWERS_ARP, "local-answers-arp", ERROR, \
	    "the server is the director itself, whose kernel answers ARP for the VIP", \
	    "It answers also while another director serves the VIP.") \
	X(LOCAL_RP_FILTER, "local-rp-filter", ERROR, \
	    "the server is the director itself, whose reverse path filter drops the clients' packets", \
	    "They come by the loopback interface, to which no route to a client leads.") \
	X(LOCAL_NOT_WITHHELD, "local-not-withheld", ERROR, \
	    "the server is the director itself, whose kernel sees the frames for the other servers", \
	    "It would reset their connections. The log says why `withhold` failed.") \
	X(IS_DIRECTOR, "is-director", ERROR, "the server's address is an address of the director itself", \
	    "Its frames would come back to the director.") \
	X(OTHER_NETWORK, "other-network", ERROR, "the server's address is in none of the director's networks", \
	    "Direct server return needs every server on a network that the director is attached to, with an address " \
	    "of " \
	    "the director there. Most often the address is mistyped, or the interface lacks an address.") \
	X(GATEWAY_UNREACHABLE, "gateway-unreachable", ERROR, "the gateway to the server does not answer", \
	    "No packet reaches the server. The gateway is off, or its address in dsrd.conf or in the director's routes " \
	    "is wrong.") \
	X(UNREACHABLE, "unreachable", ERROR, "no host answers for the server's own address", \
	    "The server is off, unplugged, in another VLAN, or its address in the configuration is wrong. It gets no " \
	    "traffic.") \
	X(PROXY_ARP, "proxy-arp", ERROR, "a router answers for the server's address (proxy ARP)", \
	    "The answers have passed a router. A frame cannot be addressed to a server behind a router: the router " \
	    "sends " \
	    "the VIP's packets back or drops them.") \
	X(NOT_ADJACENT, "not-adjacent", ERROR, "another host answers for the server's address", \
	    "Another server's address has the same MAC address, and the VIP is not accepted there: a router answers " \
	    "for " \
	    "both, or one address moved. Direct server return needs every server in the director's own network.") \
	X(DUPLICATE_ADDRESS, "duplicate-address", ERROR, "two hosts claim the server's own address", \
	    "dsrd sends to the one that it knows and that answers (`neighbor`). Health checks and other hosts may " \
	    "reach " \
	    "the other one.") \
	X(TAKES_NETWORK, "takes-network", ERROR, "the server treats the director's address as local", \
	    "It answers ARP only for requests without the director's address. The usual cause is a VIP on its " \
	    "loopback with the network's prefix length instead of 32: the whole network is then local to the server, " \
	    "and " \
	    "it drops what its neighbors send.") \
	X(VIP_MISSING_FORWARDS, "vip-missing-forwards", ERROR, "the server lacks the VIP, and forwards its packets", \
	    "Packets for the VIP go back to the network, and would circle between server and director; the " \
	    "director drops them. Hosts of containers and virtual machines forward by default.") \
	X(VIP_IGNORED, "vip-ignored", ERROR, "the server drops packets for the VIP", \
	    "Its own address answers, the VIP does not. Windows (since 2008) and OpenBSD drop packets for an address " \
	    "of " \
	    "another interface until configured otherwise; elsewhere the VIP is most likely not configured, or a " \
	    "firewall " \
	    "drops all that is for it.") \
	X(BOUND_TO_OWN, "bound-to-own-address", ERROR, "the program listens on the server's own address only", \
	    "The server accepts the VIP, and its kernel refuses the connection: nothing listens on that address.") \
	X(SERVICE_DOWN, "service-down", ERROR, "nothing listens on the service's port", \
	    "The server accepts the VIP and refuses the connection.") \
	X(PORT_CLOSED, "port-closed", ERROR, "nothing listens on this port, while other ports of the VIP answer", \
	    "Either the program for this port does not run, or the port is opened on demand, as the data ports of " \
	    "FTP are.") \
	X(FIREWALL_REJECTS, "firewall-rejects", ERROR, "the server's firewall rejects the service's port on the VIP", \
	    "The server accepts the VIP, and answers with an ICMP error from it, as firewalls do.") \
	X(FIREWALL_DROPS, "firewall-drops", ERROR, "the server's firewall drops the service's port on the VIP", \
	    "The server answers for the VIP, but not on the service's port.") \
	X(REPLY_LOST, "reply-lost", ERROR, "the server answers from the VIP, but its answer never arrives", \
	    "It resolved the director's MAC address, so it had an answer to send. Something drops packets whose " \
	    "source is " \
	    "the VIP: an outgoing firewall, IP source guard or port security of the switch, anti-spoofing of the " \
	    "hypervisor.") \
	X(NO_DECAPSULATION, "no-decapsulation", ERROR, "the server does not decapsulate what the director sends", \
	    "It answers them with the ICMP error \"protocol unreachable\": it has no end of the tunnel.") \
	X(NO_TUNNEL_PORT, "no-tunnel-port", ERROR, "nothing decapsulates at UDP port 6080 of the server", \
	    "It answers with the ICMP error \"port unreachable\": it has no end of the tunnel, or one at another port.") \
	X(TUNNEL_BROKEN, "tunnel-broken", ERROR, "the tunnel's packets do not reach the server", \
	    "A host on the way reports so by ICMP: a firewall that rejects the tunnel's protocol, or a missing route.") \
	X(TUNNEL_SILENT, "tunnel-silent", ERROR, "what the server gets through the tunnel, it drops", \
	    "It answers pings, but none that comes through the tunnel: the reverse path filter of the tunnel's " \
	    "interface is strict, or a firewall drops the tunnel's protocol.") \
	X(DSCP_IGNORED, "dscp-ignored", ERROR, "no rule on the server turns the DSCP back into the VIP", \
	    "The server answers from its own address. The rule is missing, or the network resets the DSCP.") \
	X(WRONG_SOURCE, "wrong-source", ERROR, "the server answers from another address than the VIP", \
	    "Clients drop such answers. A UDP program that listens on all addresses answers from the primary one.") \
	X(WRONG_CARD, "other-mac", ERROR, "the server's answers come from another MAC address than its own", \
	    "They leave by another network card or through a router: a wrong netmask, a second card, or bonding.") \
	X(OWN_REFUSED, "own-address-refused", ERROR, "the program listens on the VIP only", \
	    "The VIP answers, but checks go to the server's own address, where the connection is refused: the server " \
	    "is " \
	    "taken out although it could serve.") \
	X(OWN_FILTERED, "own-address-filtered", ERROR, "the VIP answers, the server's own address does not", \
	    "Clients would be served, but the checks go to the server's own address and take it down.") \
	X(CHECK_FAILED, "check-failed", ERROR, "a health check fails", \
	    "The server gets no new connections until its checks succeed again.") \
	X(SERVER_DOWN, "server-down", ERROR, "the server is down", \
	    "It gets no new connections.") \
	X(PORT_OUT, "port-out", ERROR, "the server is out of a port, or of several", \
	    "Its other ports get traffic.") \
	X(HANDSHAKES_LOST, "handshakes-lost", ERROR, "clients get no answer from this server, and get one from its " \
	    "peers", \
	    "Checks and the VIP check succeed, so the server answers the director. What loses its answers to clients " \
	    "is, by " \
	    "likelihood: a firewall on it that drops clients, strict rp_filter, a missing or wrong default gateway, " \
	    "IP source " \
	    "guard at its switch port, which drops the VIP as source.") \
	X(ANSWERS_LOST, "answers-lost", ERROR, "clients connect to this server, and get no data", \
	    "Handshakes succeed, answers do not arrive, while its peers' do. Usually full-sized packets are lost on " \
	    "their way: " \
	    "its MTU is larger than the network's, or a firewall drops ICMP (fragmentation needed). Or the program " \
	    "hangs.") \
	X(ALL_LOST, "all-handshakes-lost", ERROR, "no client completes a handshake", \
	    "Each server answers the director, and none reaches a client. When all services are affected, suspect " \
	    "the " \
	    "director's own switch port: port security or anti-spoofing of the hypervisor drops frames whose source " \
	    "is not " \
	    "the director's, and every forwarded frame has a client's source. Else the servers' way to the clients: " \
	    "gateway, firewalls, rp_filter, a router that drops the VIP as source. A flood of forged SYNs at a " \
	    "service " \
	    "without clients looks the same.") \
	X(DIRECTOR_IS_GATEWAY, "director-is-gateway", ERROR, "the server's default gateway is the director", \
	    "Answers to clients in other networks go to the director, which does not forward them, instead of " \
	    "straight to the clients.") \
	X(NO_ADVMSS, "no-advmss", WARNING, "the server offers clients segments that do not fit the tunnel", \
	    "It answered the probe with a maximum segment size that is too large, and so very likely does to " \
	    "clients: each that sends much needs an ICMP error first, and stalls where a firewall drops it.") \
	X(MTU_SMALLER, "mtu-smaller", ERROR, "the server's MTU is smaller than the director's", \
	    "The server takes no frame larger than its own MTU: large requests from clients with the director's " \
	    "MTU vanish, while small ones arrive.") \
	X(ANSWERS_ARP, "answers-arp", ERROR, "the server answers ARP for the VIP", \
	    "Clients and routers that take its answer (or neighbor advertisement) reach this one server, past the " \
	    "director. This is the ARP problem.") \
	X(ANSWERED_FOR_SERVER, "answered-for-server", ERROR, "the network answers that the server has the VIP, the " \
	    "server " \
	    "itself does not", \
	    "A broadcast question for the VIP is answered with the server's MAC address, a direct one is not: a " \
	    "switch or " \
	    "hypervisor that answers ARP by itself remembers an old answer.") \
	X(ANNOUNCES, "announces-vip", ERROR, "the server sends its own ARP requests with the VIP as sender", \
	    "That fills the caches of its neighbors as an answer would, each time it contacts a new host.") \
	X(FOREIGN_OWNER, "foreign-owner", ERROR, "another host has the VIP", \
	    "Neither the director nor one of its servers: a second director, an old load balancer, a DHCP client. " \
	    "Clients reach whichever answers first.") \
	X(SHORT_MASK, "short-mask", ERROR, "the server answers ARP for addresses that no host has", \
	    "An address was added to its loopback with a short prefix length, so it takes the whole network for its " \
	    "own " \
	    "(or proxy_arp is on). It cannot reach its neighbors, and draws their traffic.") \
	X(DNS_HAS_VIP, "dns-has-vip", ERROR, "the server's name resolves to the VIP", \
	    "The server registered the VIP in DNS as its own. What connects to the server by name, its checks too, " \
	    "gets the " \
	    "service instead. Windows does that unless configured otherwise.") \
	X(NO_CONTROL, "no-control", ERROR, "the server answers ARP, but nothing else that the director sends", \
	    "The state of the VIP is unknown: a firewall drops the director's probes, a VIP on the server's " \
	    "loopback has the network's prefix length, so that its answers never leave it, or it sends them to a " \
	    "router.") \
	X(NO_ANSWER, "no-answer", ERROR, "the server, which is behind a router, answers nothing that the director sends", \
	    "The machine is off, has another address, or its network and the director's have no route to each other; " \
	    "or a firewall drops all that the director sends. The MAC address is that of the gateway.") \
	X(VIP_UNVERIFIED, "vip-unverified", WARNING, "whether the server accepts the VIP has not been verified for a " \
	    "while", \
	    "The director loses frames, so silence proves nothing: a server without the VIP stays in use. The VIP is " \
	    "verified when a round of the VIP check loses none.") \
	X(NO_SOURCE, "no-source", ERROR, "the director has no source address for probes", \
	    "The state of the VIP is unknown. The director needs an address of its own in the VIP's network, or " \
	    "better an " \
	    "unused one as `probe-address`.") \
	X(SAME_MACHINE, "same-machine", NOTE, "another server of the service is the same machine", \
	    "Two of its addresses are configured as two servers. That works; the machine gets the share of both.") \
	X(ANSWERS_PASS_DIRECTOR, "answers-pass-director", NOTE, "the server's answers to other networks go through " \
	    "the " \
	    "director", \
	    "The director routes them, so clients get their answers, but it carries the traffic that direct server " \
	    "return " \
	    "would keep off it.")

#endif
