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
#include "doctor/findings.h"
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

/* The findings of doctor/findings.h: those of the director first, then those of servers. */
enum diagnosis {
#define X(id, name, severity, sentence, meaning) DIAGNOSIS_##id,
	DIRECTOR_PROBLEMS(X)
	HOST_FINDINGS(X)
	SERVER_FINDINGS(X)
#undef X
	DIAGNOSIS_COUNT,
	DIAGNOSIS_DIRECTOR_LAST = DIAGNOSIS_CHECKS_LATE,
	DIAGNOSIS_SERVER_FIRST = DIAGNOSIS_LOCAL_UNSUPPORTED
};

enum severity {
	SEVERITY_NOTE = 0,
	SEVERITY_WARNING,
	SEVERITY_ERROR
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
	uint32_t director_mtu;           /* less what the method adds to packets */
	uint8_t method;                  /* enum encap_method */
	uint8_t dscp;                    /* the VIP's, of method dscp */
	struct addr gateway_address;     /* the router on the way to `own`; unset: there is none */
	struct server_path path;         /* what ICMP errors said of the way */
	enum vipcheck_verdict verdict;       /* of the round below */
	const struct evidence *evidence; /* NULL: no round was run */
	bool is_director;                /* `own` is the director's */
	enum server_local local;         /* it is the director, and meant to be: what is in the way */
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
	bool checks_silent;              /* its checks, which use its own address, time out */
};

/* All that is found, in the enum's order; none: nothing is. Returns how many were written to `found`. */
size_t diagnose(const struct diagnose_facts *facts, enum diagnosis found[DIAGNOSIS_COUNT]);
/*
 * The meaning of a failed check, where diagnose() found `found` (by diagnosis) for the same server: SERVER_DOWN when
 * that explains it and the check need not be mentioned, OWN_REFUSED, or CHECK_FAILED. `accepted`: the VIP is accepted
 * on the check's port.
 */
enum diagnosis diagnose_check(const bool found[DIAGNOSIS_COUNT], enum health_reason reason, bool accepted);
/* The cause of a VIP conflict with a real server, or with another machine. */
enum diagnosis diagnose_conflict(enum conflict_kind kind, bool server);
enum severity diagnosis_severity(enum diagnosis diagnosis);
const char *severity_name(enum severity severity); /* "error", "warning", "note" */
/* Is it about one port of the VIP? */
bool diagnosis_is_of_port(enum diagnosis diagnosis);
const char *diagnosis_name(enum diagnosis diagnosis);
const char *diagnosis_sentence(enum diagnosis diagnosis);
const char *diagnosis_meaning(enum diagnosis diagnosis);

/* In addition to system bits: for VIPs of that family only. */
#define REMEDY_IPV4 128U
#define REMEDY_IPV6 256U

#define REMEDY_ASK 128 /* a command with two addresses */
/* The command that finds out which machine has the address, on a director with Linux or another system. */
const char *remedy_ask(const struct addr *addr, const char *interface, bool on_linux, char text[REMEDY_ASK]);

/* One way to fix it. Texts have {words} to fill in. */
struct remedy {
	enum diagnosis diagnosis;
	unsigned systems;  /* on which it works; SYSTEM_ANY is said without a system's name; REMEDY_IPV4 or _IPV6 */
	const char *what;  /* a sentence, when the commands need one; or NULL */
	const char *fix;   /* commands, one a line; NULL: nothing to type */
	const char *undo;  /* in the same form */
};

/*
 * The `index`th remedy for `diagnosis` on any of `systems`, which include the bit of the VIP's family; the most likely
 * first; NULL past the last. DIRECTOR_SYSTEM is the director's own system.
 */
const struct remedy *remedy_at(enum diagnosis diagnosis, unsigned systems, size_t index);
/*
 * What to do, in a line, for the log and the status page: the first two ways to fix it on Linux, which most servers
 * run, with each command between backquotes. Returns `text`.
 */
#define REMEDY_LINE 800
const char *remedy_line(enum diagnosis diagnosis, const struct diagnose_facts *facts, char text[REMEDY_LINE]);

/* The value of a {word}. An array of them ends with a NULL name. */
struct remedy_word {
	const char *name;
	const char *value;
};

/* Fills `words` into a text of the table; unknown ones stay as they are. Returns `text`, cut to `size`. */
const char *remedy_write(const char *template, const struct remedy_word *words, char *text, size_t size);
#define REMEDY_TEXT 1024
/* The same with the VIPs, addresses, ports and MACs of a finding about a server. */
const char *remedy_fill(const char *template, const struct diagnose_facts *facts, char text[REMEDY_TEXT]);

#endif
