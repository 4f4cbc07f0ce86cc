/* SPDX-License-Identifier: ISC */
/*
 * From evidence to a diagnosis, and from a diagnosis to the commands that fix it: the knowledge of `dsrctl doctor`
 * about real servers. Pure. vipcheck/vipcheck.h evaluates the evidence of a VIP check; here are the further findings,
 * the sentences, and the remedies: one table keyed by diagnosis and operating system, used by the log, the status page
 * and the doctor.
 */
#ifndef DOCTOR_DIAGNOSIS_H
#define DOCTOR_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "vipcheck/conflict.h"
#include "vipcheck/vipcheck.h"

/* An operating system, as a bit: a guess may leave several. */
enum system_bit {
	SYSTEM_LINUX = 1,
	SYSTEM_WINDOWS = 2,
	SYSTEM_FREEBSD = 4,
	SYSTEM_OPENBSD = 8,
	SYSTEM_NETBSD = 16,
	SYSTEM_MACOS = 32,
	SYSTEM_ILLUMOS = 64
};
#define SYSTEMS 7
#define SYSTEM_ANY 127U

/*
 * The systems that may have sent an answer with this time to live and, if it was a SYN-ACK, this window and MSS (else
 * 0). A guess, since hosts can be configured differently. Never 0.
 */
unsigned system_guess(uint8_t hop_limit, uint16_t window, uint16_t mss);
/* The same from all answers of a round that the server itself sent. */
unsigned system_guess_evidence(const struct evidence *evidence);
/* "Linux", "Linux or FreeBSD", "any system". Returns `text`. */
#define SYSTEM_TEXT 80
const char *system_text(unsigned systems, char text[SYSTEM_TEXT]);

/*
 * Name, severity, sentence, what it means. In the order in which a person should look at them. A WRONG one counts as a
 * problem; a NOTE is worth knowing, and dsrctl doctor prints it with --all only.
 */
#define DIAGNOSES(X) \
	X(IS_DIRECTOR, "is-director", WRONG, "the server's address is an address of the director itself", \
	    "dsrd forwards frames to other machines only, so the director cannot be its own real server.") \
	X(OTHER_NETWORK, "other-network", WRONG, "the server's address is in none of the director's networks", \
	    "Direct server return needs every server on a network that the director is attached to, with an address of " \
	    "the director there. Most often the address is mistyped, or the interface lacks an address.") \
	X(UNREACHABLE, "unreachable", WRONG, "no host answers for the server's own address", \
	    "The server is off, unplugged, in another VLAN, or its address in the configuration is wrong. It gets no " \
	    "traffic.") \
	X(PROXY_ARP, "proxy-arp", WRONG, "a router answers for the server's address (proxy ARP)", \
	    "The answers have passed a router. A frame cannot be addressed to a server behind a router: the router sends " \
	    "the VIP's packets back or drops them.") \
	X(NOT_ADJACENT, "not-adjacent", WRONG, "another host answers for the server's address", \
	    "Another server's address has the same MAC address, and the VIP is not accepted there: a router answers for " \
	    "both, or one address moved. Direct server return needs every server in the director's own network.") \
	X(DUPLICATE_ADDRESS, "duplicate-address", WRONG, "two hosts claim the server's own address", \
	    "dsrd sends to the one that it knows and that answers (`neighbor`). Health checks and other hosts may reach " \
	    "the other one.") \
	X(TAKES_NETWORK, "takes-network", WRONG, "the server treats the director's address as local", \
	    "It answers ARP only for requests without the director's address. The usual cause is a VIP on its " \
	    "loopback with the network's prefix length instead of 32: the whole network is then local to the server, and " \
	    "it drops what its neighbors send.") \
	X(VIP_MISSING_FORWARDS, "vip-missing-forwards", WRONG, "the server lacks the VIP, and forwards its packets", \
	    "Packets for the VIP go back to the network, and would circle between server and director; the " \
	    "director drops them. Hosts of containers and virtual machines forward by default.") \
	X(VIP_IGNORED, "vip-ignored", WRONG, "the server drops packets for the VIP", \
	    "Its own address answers, the VIP does not. Windows (since 2008) and OpenBSD drop packets for an address of " \
	    "another interface until configured otherwise; elsewhere the VIP is most likely not configured, or a firewall " \
	    "drops all that is for it.") \
	X(BOUND_TO_OWN, "bound-to-own-address", WRONG, "the program listens on the server's own address only", \
	    "The server accepts the VIP, and its kernel refuses the connection: nothing listens on that address.") \
	X(SERVICE_DOWN, "service-down", WRONG, "nothing listens on the service's port", \
	    "The server accepts the VIP and refuses the connection.") \
	X(PORT_CLOSED, "port-closed", WRONG, "nothing listens on this port, while other ports of the VIP answer", \
	    "Either the program for this port does not run, or the port is opened on demand, as the data ports of FTP are.") \
	X(FIREWALL_REJECTS, "firewall-rejects", WRONG, "the server's firewall rejects the service's port on the VIP", \
	    "The server accepts the VIP, and answers with an ICMP error from it, as firewalls do.") \
	X(FIREWALL_DROPS, "firewall-drops", WRONG, "the server's firewall drops the service's port on the VIP", \
	    "The server answers for the VIP, but not on the service's port.") \
	X(REPLY_LOST, "reply-lost", WRONG, "the server answers from the VIP, but its answer never arrives", \
	    "It resolved the director's MAC address, so it had an answer to send. Something drops packets whose source is " \
	    "the VIP: an outgoing firewall, IP source guard or port security of the switch, anti-spoofing of the " \
	    "hypervisor.") \
	X(WRONG_SOURCE, "wrong-source", WRONG, "the server answers from another address than the VIP", \
	    "Clients drop such answers. A UDP program that listens on all addresses answers from the primary one.") \
	X(WRONG_CARD, "other-mac", WRONG, "the server's answers come from another MAC address than its own", \
	    "They leave by another network card or through a router: a wrong netmask, a second card, or bonding.") \
	X(OWN_REFUSED, "own-address-refused", WRONG, "the program listens on the VIP only", \
	    "The VIP answers, but checks go to the server's own address, where the connection is refused: the server is " \
	    "taken out although it could serve.") \
	X(OWN_FILTERED, "own-address-filtered", WRONG, "the VIP answers, the server's own address does not", \
	    "Clients would be served, but the checks go to the server's own address and take it down.") \
	X(CHECK_FAILED, "check-failed", WRONG, "a health check fails", \
	    "The server gets no new connections until its checks succeed again.") \
	X(SERVER_DOWN, "server-down", WRONG, "the server is down", \
	    "It gets no new connections.") \
	X(PORT_OUT, "port-out", WRONG, "the server is out of a port, or of several", \
	    "Its other ports get traffic.") \
	X(HANDSHAKES_LOST, "handshakes-lost", WRONG, "clients get no answer from this server, and get one from its peers", \
	    "Checks and the VIP check succeed, so the server answers the director. What loses its answers to clients is, by " \
	    "likelihood: a firewall on it that drops clients, strict rp_filter, a missing or wrong default gateway, IP source " \
	    "guard at its switch port, which drops the VIP as source.") \
	X(ANSWERS_LOST, "answers-lost", WRONG, "clients connect to this server, and get no data", \
	    "Handshakes succeed, answers do not arrive, while its peers' do. Usually full-sized packets are lost on their way: " \
	    "its MTU is larger than the network's, or a firewall drops ICMP (fragmentation needed). Or the program hangs.") \
	X(ALL_LOST, "all-handshakes-lost", WRONG, "no client completes a handshake", \
	    "Each server answers the director, and none reaches a client. When all services are affected, suspect the " \
	    "director's own switch port: port security or anti-spoofing of the hypervisor drops frames whose source is not " \
	    "the director's, and every forwarded frame has a client's source. Else the servers' way to the clients: " \
	    "gateway, firewalls, rp_filter, a router that drops the VIP as source. A flood of forged SYNs at a service " \
	    "without clients looks the same.") \
	X(DIRECTOR_IS_GATEWAY, "director-is-gateway", WRONG, "the server's default gateway is the director", \
	    "Answers to clients in other networks go to the director, which does not forward them, instead of " \
	    "straight to the clients.") \
	X(MTU_SMALLER, "mtu-smaller", WRONG, "the server's MTU is smaller than the director's", \
	    "The server takes no frame larger than its own MTU: large requests from clients with the director's " \
	    "MTU vanish, while small ones arrive.") \
	X(ANSWERS_ARP, "answers-arp", WRONG, "the server answers ARP for the VIP", \
	    "Clients and routers that take its answer (or neighbor advertisement) reach this one server, past the " \
	    "director. This is the ARP problem.") \
	X(ANSWERED_FOR_SERVER, "answered-for-server", WRONG, "the network answers that the server has the VIP, the server " \
	    "itself does not", \
	    "A broadcast question for the VIP is answered with the server's MAC address, a direct one is not: a switch or " \
	    "hypervisor that answers ARP by itself remembers an old answer.") \
	X(ANNOUNCES, "announces-vip", WRONG, "the server sends its own ARP requests with the VIP as sender", \
	    "That fills the caches of its neighbors as an answer would, each time it contacts a new host.") \
	X(FOREIGN_OWNER, "foreign-owner", WRONG, "another host has the VIP", \
	    "Neither the director nor one of its servers: a second director, an old load balancer, a DHCP client. " \
	    "Clients reach whichever answers first.") \
	X(SHORT_MASK, "short-mask", WRONG, "the server answers ARP for addresses that no host has", \
	    "An address was added to its loopback with a short prefix length, so it takes the whole network for its own " \
	    "(or proxy_arp is on). It cannot reach its neighbors, and draws their traffic.") \
	X(DNS_HAS_VIP, "dns-has-vip", WRONG, "the server's name resolves to the VIP", \
	    "The server registered the VIP in DNS as its own. What connects to the server by name, its checks too, gets the " \
	    "service instead. Windows does that unless configured otherwise.") \
	X(NO_CONTROL, "no-control", WRONG, "the server answers ARP, but nothing else that the director sends", \
	    "The state of the VIP is unknown: a firewall drops the director's probes, a VIP on the server's " \
	    "loopback has the network's prefix length, so that its answers never leave it, or it sends them to a router.") \
	X(NO_SOURCE, "no-source", WRONG, "the director has no source address for probes", \
	    "The state of the VIP is unknown. The director needs an address of its own in the VIP's network, or better an " \
	    "unused one as `probe-address`.") \
	X(SAME_MACHINE, "same-machine", NOTE, "another server of the service is the same machine", \
	    "Two of its addresses are configured as two servers. That works; the machine gets the share of both.") \
	X(ANSWERS_PASS_DIRECTOR, "answers-pass-director", NOTE, "the server's answers to other networks go through the " \
	    "director", \
	    "The director routes them, so clients get their answers, but it carries the traffic that direct server return " \
	    "would keep off it.")

enum diagnosis {
#define X(id, name, severity, sentence, meaning) DIAGNOSIS_##id,
	DIAGNOSES(X)
#undef X
	DIAGNOSIS_COUNT
};

/* Facts about one server and one of its VIPs. Zero is "unknown". */
struct diagnose_facts {
	struct addr vip;
	uint8_t protocol;
	uint16_t port;
	struct addr own;                 /* the server's address */
	struct mac mac;                  /* the server's; zero: no host answers for `own` */
	struct addr director;            /* the director's address there, if it has one */
	const char *interface;           /* the director's, there; NULL: unknown */
	const char *networks;            /* its networks, "192.0.2.0/24 198.51.100.0/24"; NULL: unknown */
	uint32_t director_mtu;
	enum vipcheck_verdict verdict;       /* of the round below */
	const struct evidence *evidence; /* NULL: no round was run */
	bool is_director;                /* `own` is the director's */
	bool other_network;              /* no network of the director's interface holds `own` */
	bool silent;                     /* no answer to an ARP request (or neighbor solicitation) for `own` */
	bool nameless;                   /* it answers ARP, but not requests from the director's address */
	struct mac twin;                 /* a second machine that answers for `own`; zero: none */
	bool shares_mac;                 /* another server's address, or the gateway's, has the same MAC */
	bool arp_broadcast;              /* the server's MAC answered a request for the VIP: sent by broadcast, ... */
	bool arp_unicast;                /* ... and by unicast to the server */
	struct mac foreign;              /* another host answered: its MAC */
	bool announced;                  /* the VIP was the sender in the server's own requests or announcements */
	bool bounced;                    /* frames for the VIP came back from the server */
	bool mask_answered;              /* it answered for addresses that no host has */
	bool gateway;                    /* its answer to a far client came to the director */
	bool forwards;                   /* the director's kernel forwards what arrives there */
	bool others_accepted;            /* another port of this VIP on this server is accepted */
	bool dns;                        /* its name leads to the VIP */
	enum lost_verdict lost;          /* what clients' segments say */
	struct addr client;              /* one that got no answer; unset: none is known */
	bool checks_silent;              /* its checks, which ask its own address, time out */
};

/* All that is found, in the enum's order; none: nothing is. Returns how many were written to `found`. */
size_t diagnose(const struct diagnose_facts *facts, enum diagnosis found[DIAGNOSIS_COUNT]);
/*
 * The meaning of a failed check, where diagnose() found `found` (by diagnosis) for the same server: SERVER_DOWN when
 * that explains it and the check need not be mentioned, OWN_REFUSED, or CHECK_FAILED. `accepted`: the VIP is accepted
 * on the check's port.
 */
enum diagnosis diagnose_check(const bool found[DIAGNOSIS_COUNT], enum health_reason reason, bool accepted);
/* What a VIP conflict is a sign of, when a server is in it, or a machine that is none. */
enum diagnosis diagnose_conflict(enum conflict_kind kind, bool server);
/* Only worth knowing? */
bool diagnosis_is_note(enum diagnosis diagnosis);
/* Is it about one port of the VIP? */
bool diagnosis_is_of_port(enum diagnosis diagnosis);
const char *diagnosis_name(enum diagnosis diagnosis);
const char *diagnosis_sentence(enum diagnosis diagnosis);
const char *diagnosis_meaning(enum diagnosis diagnosis);

/* In addition to system bits: for VIPs of that family only. */
#define REMEDY_IPV4 128U
#define REMEDY_IPV6 256U

/* The command that asks, on a director with Linux or another system, which machine has the address. */
#define REMEDY_ASK 128 /* a command with two addresses */
const char *remedy_ask(const struct addr *addr, const char *interface, bool by_linux, char text[REMEDY_ASK]);

/* One way to fix it. Texts have places to fill in: see remedy_fill(). */
struct remedy {
	enum diagnosis diagnosis;
	unsigned systems;  /* on which it works; SYSTEM_ANY is said without a system's name; REMEDY_IPV4 or _IPV6 */
	const char *what;  /* a sentence, when the commands need one; or NULL */
	const char *fix;   /* commands, one a line; NULL: nothing to type */
	const char *undo;  /* in the same form */
};

/*
 * The `index`th remedy for `diagnosis` on any of `systems`, which include the bit of the VIP's family; the most likely
 * first; NULL past the last.
 */
const struct remedy *remedy_at(enum diagnosis diagnosis, unsigned systems, size_t index);
/*
 * What to do, in a line, for the log and the status page: the first two ways to fix it on Linux, which most servers
 * run, with each command between backquotes. Returns `text`.
 */
#define REMEDY_LINE 800
const char *remedy_line(enum diagnosis diagnosis, const struct diagnose_facts *facts, char text[REMEDY_LINE]);
/* Fills VIPs, addresses, ports and MACs into a text of the table. Returns `text`. */
#define REMEDY_TEXT 1024
const char *remedy_fill(const char *template, const struct diagnose_facts *facts, char text[REMEDY_TEXT]);

#endif
