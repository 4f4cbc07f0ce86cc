/* SPDX-License-Identifier: ISC */
/*
 * From evidence to a diagnosis, and from a diagnosis to the commands that mend it: what `dsrctl doctor` knows about
 * real servers. Pure. The evidence of the service's path is judged by vipcheck/vipcheck.h; here are the findings beside it, the
 * words, and the remedies, one table keyed by diagnosis and operating system.
 */
#ifndef DOCTOR_DIAGNOSIS_H
#define DOCTOR_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
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
 * Which systems may have sent an answer with this time to live and, if it was a SYN-ACK, this window and MSS (else 0)?
 * A guess: hosts can be told to look like another. Never 0.
 */
unsigned system_guess(uint8_t hop_limit, uint16_t window, uint16_t mss);
/* The same from all answers of a round that the server itself sent. */
unsigned system_guess_evidence(const struct evidence *evidence);
/* "Linux", "Linux or FreeBSD", "any system". Returns `text`. */
#define SYSTEM_TEXT 80
const char *system_text(unsigned systems, char text[SYSTEM_TEXT]);

/* name, sentence, what it means. In the order in which a person should look at them. */
#define DIAGNOSES(X) \
	X(UNREACHABLE, "unreachable", "nobody answers for the server's own address", \
	    "The server is off, in another VLAN, or its address in the configuration is wrong. It gets no traffic.") \
	X(NOT_ADJACENT, "not-adjacent", "the server's address is answered for by another machine", \
	    "Another server's address has the same MAC, or a router answers for it. Direct server return needs " \
	    "every server in the director's own network: a frame cannot be addressed through a router.") \
	X(DUPLICATE_ADDRESS, "duplicate-address", "two machines have the server's own address", \
	    "Both answer for it, so traffic and checks reach now this one, now that one.") \
	X(VIP_MISSING_FORWARDS, "vip-missing-forwards", "the server lacks the VIP, and forwards its packets", \
	    "Packets for the VIP go back to the network, and would circle between server and director; the " \
	    "director drops them. Hosts of containers and virtual machines forward by default.") \
	X(VIP_IGNORED, "vip-ignored", "the server drops packets for the VIP", \
	    "Its own address answers, the VIP does not. Windows (since 2008) and OpenBSD drop packets for an " \
	    "address of " \
	    "another interface until told otherwise; elsewhere the VIP is most likely not configured, or a firewall " \
	    "drops all that is for it.") \
	X(BOUND_TO_OWN, "bound-to-own-address", "the program listens on the server's own address only", \
	    "The server accepts the VIP, and its kernel refuses the connection: nothing listens on that address.") \
	X(SERVICE_DOWN, "service-down", "nothing listens on the service's port", \
	    "The server accepts the VIP and refuses the connection.") \
	X(FIREWALL_REJECTS, "firewall-rejects", "the server's firewall rejects the service's port on the VIP", \
	    "The server accepts the VIP, and answers with an ICMP error from it, as firewalls do.") \
	X(FIREWALL_DROPS, "firewall-drops", "the server's firewall drops the service's port on the VIP", \
	    "The server answers for the VIP, but not on the service's port.") \
	X(REPLY_LOST, "reply-lost", "the server answers from the VIP, but its answer never arrives", \
	    "It asked for the asker's MAC address, so it had an answer to send. Something drops packets whose " \
	    "source is the " \
	    "VIP: an outgoing firewall, IP source guard or port security of the switch, anti-spoofing of the " \
	    "hypervisor.") \
	X(WRONG_SOURCE, "wrong-source", "the server answers from another address than the VIP", \
	    "Clients drop such answers. A UDP program that listens on all addresses answers from the primary one.") \
	X(WRONG_CARD, "other-mac", "the server's answers come from another MAC address than its own", \
	    "They leave by another network card or through a router: a wrong netmask, a second card, or bonding.") \
	X(DIRECTOR_IS_GATEWAY, "director-is-gateway", "the server's default gateway is the director", \
	    "Answers to clients in other networks go through the director, which does not forward them, instead of " \
	    "straight to the clients.") \
	X(MTU_SMALLER, "mtu-smaller", "the server's MTU is smaller than the director's", \
	    "The server takes no frame larger than its own MTU: large requests from clients with the director's " \
	    "MTU vanish, while small ones arrive.") \
	X(ANSWERS_ARP, "answers-arp", "the server tells the network that it has the VIP", \
	    "It answers ARP (or neighbour solicitations) for the VIP. Clients and routers will reach this one " \
	    "server, past the director, whenever its answer comes first. This is the ARP problem.") \
	X(ANSWERED_FOR_SERVER, "answered-for-server", "the network tells that the server has the VIP, the server " \
	    "itself does not", \
	    "A broadcast question for the VIP is answered with the server's MAC, a direct one is not: a switch or " \
	    "hypervisor that answers ARP by itself remembers an old answer.") \
	X(ANNOUNCES, "announces-vip", "the server shows the VIP as sender of its own ARP requests", \
	    "That fills the caches of its neighbours as an answer would, each time it talks to somebody new.") \
	X(FOREIGN_OWNER, "foreign-owner", "another machine has the VIP", \
	    "Neither the director nor one of its servers: a second director, an old load balancer, a DHCP client. " \
	    "Clients reach whichever answers first.") \
	X(SHORT_MASK, "short-mask", "the server answers ARP for addresses that are nobody's", \
	    "An address was added to its loopback with a short mask, so it takes the whole network for its own (or " \
	    "proxy_arp is on). It cannot reach its neighbours, and takes their traffic.") \
	X(DNS_HAS_VIP, "dns-has-vip", "the server's name leads to the VIP", \
	    "The server registered the VIP in DNS as its own. Who asks for the server, its checks too, gets the " \
	    "service instead. Windows does that unless told not to.") \
	X(OWN_FILTERED, "own-address-filtered", "the VIP answers, the server's own address does not", \
	    "Traffic is fine, but the checks ask the server's own address, and take it down.") \
	X(NO_CONTROL, "no-control", "nothing the director asks is answered", \
	    "So nothing can be said of the VIP: the server, or a firewall, drops whatever comes from the asking " \
	    "address, or the server sends its answers to a router.") \
	X(NO_SOURCE, "no-source", "the director has no address to ask from", \
	    "So nothing can be said of the VIP. It needs an address of its own in the VIP's network, or better an " \
	    "unused one as " \
	    "`probe-address`.")

enum diagnosis {
#define X(id, name, sentence, meaning) DIAGNOSIS_##id,
	DIAGNOSES(X)
#undef X
	DIAGNOSIS_COUNT
};

/* What is known of one server and one of its VIPs. Zero is "not told". */
struct diagnose_facts {
	struct addr vip;
	uint8_t protocol;
	uint16_t port;
	struct addr own;                 /* the server's address */
	struct mac mac;                  /* the server's; zero: nobody answers for `own` */
	struct addr director;            /* the director's address there, if it has one */
	const char *interface;           /* the director's, there; NULL: not told */
	uint32_t director_mtu;
	enum path_verdict verdict;       /* of the round below */
	const struct evidence *evidence; /* NULL: no round was run */
	bool nameless;                   /* it answers ARP, but not when the director asks with its address */
	struct mac twin;                 /* a second machine that answers for `own`; zero: none */
	bool shares_mac;                 /* another server's address, or the gateway's, has the same MAC */
	bool arp_broadcast;              /* the server's MAC answered "who has the VIP", asked of all, ... */
	bool arp_unicast;                /* ... and asked of the server alone */
	struct mac foreign;              /* somebody else answered: their MAC */
	bool announced;                  /* the VIP was the sender in the server's own requests or announcements */
	bool bounced;                    /* frames for the VIP came back from the server */
	bool mask_answered;              /* it answered for addresses that are nobody's */
	bool gateway;                    /* its answer to a far client came to the director */
	bool dns;                        /* its name leads to the VIP */
	bool checks_silent;              /* its checks, which ask its own address, time out */
};

/* All that is wrong, in the enum's order; none: nothing is. Returns how many were written to `found`. */
size_t diagnose(const struct diagnose_facts *facts, enum diagnosis found[DIAGNOSIS_COUNT]);
const char *diagnosis_name(enum diagnosis diagnosis);
const char *diagnosis_sentence(enum diagnosis diagnosis);
const char *diagnosis_meaning(enum diagnosis diagnosis);

/* Beside system bits: for VIPs of that family only. */
#define REMEDY_IPV4 128U
#define REMEDY_IPV6 256U

/* One way to mend it. Texts have places to fill in: see remedy_fill(). */
struct remedy {
	enum diagnosis diagnosis;
	unsigned systems;  /* on which it works; SYSTEM_ANY is said without a system's name; REMEDY_IPV4 or _IPV6 */
	const char *what;  /* a sentence, when the commands need one; or NULL */
	const char *mend;  /* commands, one a line; NULL: nothing to type */
	const char *undo;  /* likewise */
};

/*
 * The `index`th remedy for `diagnosis` on any of `systems`, among whose bits is that of the VIP's family; the likeliest
 * first; NULL past the last.
 */
const struct remedy *remedy_at(enum diagnosis diagnosis, unsigned systems, size_t index);
/* Fills VIPs, addresses, ports and MACs into a text of the table. Returns `text`. */
#define REMEDY_TEXT 1024
const char *remedy_fill(const char *template, const struct diagnose_facts *facts, char text[REMEDY_TEXT]);

#endif
