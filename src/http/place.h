/* SPDX-License-Identifier: ISC */
/*
 * Which connections an HTTP listener keeps when more clients come than it has places. Pure. A source that is not
 * privileged has at most a share of the places; some places are for privileged clients only. When there is no place for
 * a client, one is taken from the source that has most: from the client that has been silent longest, else from the one
 * that has longest read nothing of its answer. A client that waits for its answer is never dropped.
 */
#ifndef HTTP_PLACE_H
#define HTTP_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_SOURCE 16 /* bytes: an IPv6 address, or less */

/* Who a client is. */
struct http_peer {
	unsigned char source[HTTP_SOURCE]; /* the address, or the user, with zeros behind it */
	bool privileged;
};

enum http_place_state {
	HTTP_PLACE_FREE = 0,
	HTTP_PLACE_SILENT,  /* the request is not complete */
	HTTP_PLACE_WORKING, /* the request is complete, the answer is not */
	HTTP_PLACE_SENDING  /* the client has not read all of its answer */
};

struct http_place {
	enum http_place_state state;
	struct http_peer peer;
	uint64_t since; /* when it came or last read something: a number that only grows */
};

struct http_places {
	size_t count;    /* connections at a time */
	size_t reserved; /* of these, for privileged clients */
	size_t share;    /* of these, for one source that is not privileged */
};

/*
 * The place for one more client: a free one, or one whose client is to be dropped first; `policy->count` when there is
 * none.
 */
size_t http_place_find(const struct http_place *places, const struct http_places *policy, const struct http_peer *peer);

#endif
