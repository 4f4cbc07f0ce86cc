/* SPDX-License-Identifier: ISC */
/*
 * What the director and the checker send each other: the checker is the process that makes one attempt of a check at a
 * time and parses what servers answer (attempts.h). Both ends are on one host and of one program, so numbers are as the
 * machine has them. The director believes nothing that the checker sends: it talks to networks, and may be in
 * other hands.
 */
#ifndef CHECK_ATTEMPT_MESSAGE_H
#define CHECK_ATTEMPT_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "model/health.h"
#include "model/settings.h"

/* --- orders: a header, then `length` bytes of its kind ------------------------------------------------------------ */

enum attempt_order {
	ATTEMPT_RUN = 1,   /* struct attempt_run; one answer follows */
	ATTEMPT_CANCEL,    /* the attempt's number, 8 bytes: no answer is wanted */
	ATTEMPT_AUTHORITY  /* struct attempt_authority, then the contents of that file */
};

struct attempt_header {
	uint32_t order;
	uint32_t length;
};

struct attempt_run {
	uint64_t id;
	uint64_t timeout; /* microseconds */
	struct addr addr;
	uint16_t port;
	struct check_settings check; /* of a kind that attempt_is_remote() */
};

/* A file that `ca` of a check names: the checker opens none of them. */
struct attempt_authority {
	uint64_t version;
	char path[CHECK_TEXT];
};

#define ATTEMPT_AUTHORITY_MOST ((size_t)4 << 20) /* bytes of a file; a system's whole bundle has a quarter of a million */
#define ATTEMPT_TIMEOUT_MOST 3600000000U         /* an hour, the longest of the configuration */

/* The kinds that parse what networks send. Scripts go through the launcher; ICMP needs a raw socket, and has no form. */
bool attempt_is_remote(enum check_kind kind);
/* False: there is no such order, or none of that length. */
bool attempt_header_fits(const struct attempt_header *header);
/* 0, or -1: these bytes are no such order. */
NODISCARD int attempt_read_run(const void *bytes, size_t length, struct attempt_run *run);
NODISCARD int attempt_read_authority(const void *bytes, size_t length, struct attempt_authority *authority);

/* --- answers: all have one size ----------------------------------------------------------------------------------- */

enum attempt_word {
	ATTEMPT_CONFINED = 1, /* once, first; `text` is what its `become` said: any bytes */
	ATTEMPT_ENDED,        /* of attempt `id`: `reason`, and in `text` the detail, or nothing */
	ATTEMPT_REFUSED       /* the sandbox refused the system call `text` */
};

#define ATTEMPT_TEXT 512

struct attempt_answer {
	uint32_t word;
	uint32_t reason; /* enum health_reason */
	uint64_t id;
	char text[ATTEMPT_TEXT];
};

/*
 * 0 and `*answer`, whose text is printable and ends (but that of ATTEMPT_CONFINED), or -1: these bytes are no answer.
 * Whether there is an attempt with that number the caller knows.
 */
NODISCARD int attempt_read_answer(const void *bytes, size_t length, struct attempt_answer *answer);

#endif
