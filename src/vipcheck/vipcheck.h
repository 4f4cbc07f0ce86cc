/* SPDX-License-Identifier: ISC */
/*
 * The VIP check: proves, per server, VIP and port, that the server accepts the VIP. A health check goes to the server's
 * own address and proves nothing about the VIP: a server that lacks it, or a strong host model or a firewall that drops
 * it, passes health checks and loses every client. So the director sends what a client would send, a SYN for the VIP to
 * the server's MAC, and examines what comes back, and from where. Only the director can do that, since it alone answers
 * ARP for the VIP.
 *
 * A good answer ends a round. After any other, the same round sends control probes, which distinguish a missing VIP
 * from a dead server, a firewall or a lost answer: vipcheck_judge() is that table. Probes and answers stay readable as
 * `struct evidence`, for people and for dsrctl doctor.
 */
#ifndef VIPCHECK_VIPCHECK_H
#define VIPCHECK_VIPCHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "base/keyhash.h"
#include "model/health.h"
#include "model/model.h"
#include "proto/craft.h"
#include "proto/frame.h"
#include "proto/packet.h"
#include "vipcheck/probe_addr.h"

/*
 * A round in which the director lost frames, and in which silence would have been the evidence, proves nothing. It is
 * repeated at once. After so many in a row the VIP counts as unverified, which the doctor reports: who keeps a director
 * busy hides a server without the VIP no longer than that.
 */
#define VIPCHECK_UNJUDGED 5

/* The maximum of VIPs and ports probed per server, every VIP first: a range of thousands is not probed port by port. */
#define VIPCHECKS_PER_SERVER 8

/* The probe's target. "Own" is the server's own address: the control. */
enum probe {
	PROBE_VIP = 0,    /* the service's port of the VIP: a SYN, or for UDP the configured payload */
	PROBE_OWN,        /* the same of the server's own address */
	PROBE_VIP_CLOSED, /* an unused port of the VIP */
	PROBE_VIP_ECHO,   /* ping of the VIP */
	PROBE_OWN_ECHO,
	PROBE_TUNNEL_ECHO, /* ping of the server's own address through the tunnel, where there is one */
	PROBE_COUNT
};

enum answer {
	ANSWER_NOT_PROBED = 0,
	ANSWER_AWAITED,
	ANSWER_SILENCE,
	ANSWER_SYN_ACK,
	ANSWER_RESET,
	ANSWER_ECHO,
	ANSWER_DATA,        /* a UDP datagram */
	ANSWER_UNREACHABLE, /* an ICMP error, by type and code below */
	ANSWER_BOUNCED      /* our own frame came back */
};

/* What shows that an answer is one to the probe, and not forged by a host that did not get it. */
enum proof {
	PROOF_NONE = 0,
	PROOF_NUMBER, /* it acknowledged the probe's sequence number (32 random bits) */
	PROOF_NONCE,  /* it returned the probe's random data (64 bits) */
	PROOF_QUOTED, /* it quoted the probe's sequence number, or its checksum and identification (32 random bits) */
	PROOF_SENDER  /* UDP has room for nothing: it came to the probe's random port, from the server's MAC */
};

/* One probe and its answer. Fields other than `answer` and `asked` are set when an answer came. */
struct reply {
	enum answer answer;
	uint64_t asked;
	uint64_t answered;
	enum proof proof;
	struct mac mac;     /* source of the answer's frame */
	struct addr from;   /* and of its packet */
	uint8_t hop_limit;
	bool dont_fragment;
	uint16_t mss;       /* of a SYN-ACK; 0: not in it */
	uint16_t window;
	uint8_t icmp_type;
	uint8_t icmp_code;
	enum icmp_cause cause; /* the error is about the tunnel's packet; ICMP_CAUSE_NONE: about the probe itself */
};

/* All that one round brought to light. */
struct evidence {
	uint64_t began;
	uint64_t ended;          /* 0 while it goes on */
	struct addr source;      /* source of probes to the VIP; ADDR_NONE: there was no address */
	struct addr own_source;  /* source of those to the server's own address, which may be of the other family */
	uint8_t method;          /* enum encap_method, by which the server was reached */
	bool borrowed;           /* `source` is the director's own: `resolved_source` means nothing then */
	struct mac server_mac;   /* destination of all probes */
	uint16_t iface;  /* never IFACE_NONE in a round, though the server may lose its interface meanwhile */
	bool resolved_source;    /* the server resolved `source`: it sent an answer, whether that arrived or not */
	struct addr resolved_as; /* the sender address in that request: the VIP, where a server announces it */
	bool redirected;         /* the server sent an ICMP redirect: it forwards */
	/* answers to a probe's port or identifier that did not prove that they are answers, ... */
	uint32_t refused;
	enum probe refused_probe; /* ... the probe of the last one, and where it came from */
	struct mac refused_mac;
	struct addr refused_from;
	struct reply replies[PROBE_COUNT];
};

enum vipcheck_class {
	VIPCHECK_UNSURE = 0, /* nothing can be said: takes no server down */
	VIPCHECK_GOOD,
	VIPCHECK_BAD
};

/* The rows of the truth table; `sentence` is the log's text after "server-state ... reason=". */
#define VIPCHECK_VERDICTS(X) \
	X(NOT_CHECKED, UNSURE, "the VIP has not been checked yet") \
	X(ACCEPTED, GOOD, "the VIP is accepted") \
	X(OTHER_MAC, GOOD, "the VIP is accepted, but the answers come from another MAC address than the server's") \
	X(BOUNCED, BAD, "the VIP is not accepted: the server lacks it, and forwards its packets") \
	X(NO_ROUTE, BAD, "the VIP is not accepted: the server calls it unreachable, since it lacks the VIP and " \
	    "forwards") \
	X(FORWARD_REJECTED, BAD, "the VIP is not accepted: the server lacks it, and its firewall refuses to forward") \
	X(OWN_ONLY, BAD, "the VIP is accepted, but nothing listens on it: the program is bound to the server's own " \
	    "address only") \
	X(NOT_LISTENING, BAD, "connection refused at the VIP, no program listens there") \
	X(REJECTED, BAD, "the VIP is accepted, but the server's firewall rejects its port") \
	X(FILTERED, BAD, "the VIP is accepted, but the server's firewall drops its port") \
	X(LOST, BAD, "the server answers for the VIP, but the answer never arrives: something drops packets from " \
	    "that address") \
	X(IGNORED, BAD, "the VIP is not accepted: no answer, although the server's own address answers") \
	X(WRONG_SOURCE, BAD, "the server answers for the VIP from another address: clients cannot use that") \
	X(NO_DECAPSULATION, BAD, "the server does not decapsulate: it reports the tunnel's protocol as unreachable") \
	X(NO_TUNNEL_PORT, BAD, "the server does not decapsulate: it reports UDP port 6080 as unreachable") \
	X(TUNNEL_BROKEN, BAD, "packets do not reach the end of the tunnel: a host on the way reports that it is " \
	    "unreachable") \
	X(TUNNEL_SILENT, BAD, "the server answers, but nothing that it gets through the tunnel: a reverse path filter " \
	    "or a firewall drops it") \
	X(DSCP_IGNORED, BAD, "the server answers from its own address: no rule there turns the DSCP back into the VIP") \
	X(ELSEWHERE, BAD, "the VIP is not accepted: another host reports it as unreachable") \
	X(LOSSY, UNSURE, "no answer for the VIP, but the director itself lost frames while it waited: inconclusive") \
	X(UNVERIFIED, UNSURE, "the VIP is not verified: the director has lost frames in every round of the VIP check " \
	    "for a while") \
	X(NO_CONTROL, UNSURE, "no probe from the director is answered there, so the state of the VIP is unknown") \
	X(NO_SOURCE, UNSURE, "the director has no source address for probes: set probe-address")

enum vipcheck_verdict {
#define X(id, class, sentence) VIPCHECK_##id,
	VIPCHECK_VERDICTS(X)
#undef X
	VIPCHECK_VERDICT_COUNT
};

#define VIPCHECK_NONCE 8 /* bytes */

/* The random part of an open probe. */
struct probe_secret {
	uint16_t tag;        /* source port, or echo identifier; 0: the probe is not open */
	uint32_t sequence;   /* TCP's; the low half of it echo's */
	uint32_t ident;      /* as in struct craft_ends */
	uint32_t second;     /* as in struct icmp_inner: what errors quote */
	uint8_t nonce[VIPCHECK_NONCE]; /* in echo, and in datagrams to a closed port */
};

/* One server, VIP, protocol and port. */
struct vipcheck {
	struct server *server;   /* of the last vipcheck_sync() */
	struct addr vip;
	uint8_t protocol;
	uint16_t port;
	struct health health;    /* rise and fall over rounds; UNKNOWN until one was not unsure */
	enum vipcheck_verdict verdict; /* of the last round */
	enum vipcheck_verdict blame;   /* of the last bad one */
	enum vipcheck_verdict by_icmp; /* the last one from an ICMP message, and when */
	uint64_t icmp_at;
	struct evidence last;    /* the last round that ended */
	struct evidence round;   /* the current one, if `asking` */
	bool asking;
	uint64_t lost;           /* vipcheck_tx.lost when the round began */
	bool lossy;              /* it was more when an answer was given up, or frames were unread */
	uint32_t unjudged;       /* so many rounds in a row were lossy */
	bool control;            /* the control probes have been sent */
	uint64_t due;            /* when to begin a round, or to end waiting */
	struct probe_secret secrets[PROBE_COUNT];
	bool range;              /* the port stands for a range, or for the whole host */
	struct vip_fault fault;  /* linked to the server while `health` is DOWN */
	struct server_ref ref;
	bool settled;            /* no longer waited for: a round has ended, or the server was trusted before */
	bool wanted;             /* scratch of vipcheck_sync() */
	struct vipcheck *sibling;    /* the next one of the same server */
};

/* What probes are made of and leave by. */
struct vipcheck_tx {
	struct craft *craft;
	const struct frame_tx *tx;
	const struct iface *ifaces;
	size_t iface_count;
	const struct probe_addrs *probe_addrs;
	/* Frames that the director has lost so far, on the way in or out: a probe or an answer may have been among them. */
	uint64_t lost;
	/* What arrived since then may still wait to be read, answers too; 0: all has been read. */
	uint64_t unread_since;
};

struct vipcheck_table;

/*
 * After each round that changed something: the verdict, or what rise and fall make of it. The server's vip_state is up
 * to date. It must not call vipcheck_sync().
 */
typedef void path_news(void *context, const struct vipcheck *check, enum vipcheck_verdict before);

/* NULL when memory is out. `seed` makes the numbers in probes unguessable from outside. */
NODISCARD struct vipcheck_table *vipcheck_table_new(const struct siphash_key *seed);
void vipcheck_table_free(struct vipcheck_table *table);
void vipcheck_table_on_news(struct vipcheck_table *table, path_news *news, void *context);

/*
 * Makes the set of checks match `model`, after each model_apply() and each relevant change of the model (a MAC, an
 * interface), and sets each server's vip_state. Checks that stay continue. With `asks` false (offline, observing) there
 * are none. Returns -1 when out of memory: then there are none either.
 */
NODISCARD int vipcheck_sync(struct vipcheck_table *table, const struct model *model, bool asks, uint64_t now);
/*
 * Another process has just found that the server accepts its VIPs. Running checks continue, and only `fall` bad rounds
 * change the state.
 */
void vipcheck_trust(struct vipcheck_table *table, struct server *server, uint64_t now);
/* Sends what is due, ends rounds that have timed out. */
void vipcheck_tick(struct vipcheck_table *table, const struct vipcheck_tx *means, uint64_t now);
/* Starts a round of every check immediately, except those that are running. */
void vipcheck_hasten(struct vipcheck_table *table, uint64_t now);
/* When vipcheck_tick() has something to do next; UINT64_MAX: never. */
uint64_t vipcheck_due(const struct vipcheck_table *table);

enum vipcheck_heard {
	VIPCHECK_NOT_OURS = 0,
	VIPCHECK_ANSWERED,  /* taken note of */
	VIPCHECK_CAME_BACK  /* one of our own probes, back from the network */
};

/* Is this frame an answer? A SYN-ACK is answered with a reset. `packet` is PACKET_OK and IP. */
enum vipcheck_heard vipcheck_receive(struct vipcheck_table *table, const struct frame *frame,
    const struct packet *packet,
    const struct vipcheck_tx *means, uint64_t now);
/* `mac` resolved `target` by broadcast, with `sender` as its own address. */
void vipcheck_receive_request(struct vipcheck_table *table, const struct mac *mac, const struct addr *target,
    const struct addr *sender);

size_t vipcheck_count(const struct vipcheck_table *table);
const struct vipcheck *vipcheck_at(const struct vipcheck_table *table, size_t index);

/* The truth table, pure: what the evidence about `vip` on a server at `own` means. */
enum vipcheck_verdict vipcheck_judge(const struct evidence *evidence, uint8_t protocol, const struct addr *vip,
    const struct addr *own);
enum vipcheck_class vipcheck_verdict_class(enum vipcheck_verdict verdict);
const char *vipcheck_verdict_name(enum vipcheck_verdict verdict); /* "accepted", "own-only": for programs */
const char *vipcheck_verdict_sentence(enum vipcheck_verdict verdict);
const char *probe_name(enum probe probe);
const char *answer_name(enum answer answer);
const char *proof_name(enum proof proof); /* "none", "number", "nonce", "quoted", "sender": for programs */

/*
 * The ports and identifiers of probes: above what Linux gives to its own connections (net.ipv4.ip_local_port_range).
 */
#define VIPCHECK_TAG_FIRST 61000
#define VIPCHECK_TAG_LAST 65095

#endif
