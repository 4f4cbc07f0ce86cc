/* SPDX-License-Identifier: ISC */
/*
 * What a peer has said of itself: its VIPs, services and servers by its numbers, and what they are here. The comparison
 * with this director names every difference, and its cause.
 */
#ifndef SYNC_PICTURE_H
#define SYNC_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "sync/share.h"
#include "sync/wire.h"

struct picture;

enum difference_kind {
	DIFFERENCE_CONFIGURATION = 0,
	DIFFERENCE_HEALTH,
	DIFFERENCE_WEIGHT, /* of a server, now */
	DIFFERENCE_TABLE   /* of a service, and none of the others explains it */
};

#define DIFFERENCE_TEXT 320

struct difference {
	enum difference_kind kind;
	char subject[SERVER_NAME_TEXT]; /* a service, or "service/server" */
	char text[DIFFERENCE_TEXT];     /* one sentence, without a full stop */
};

NODISCARD struct picture *picture_new(void);
void picture_free(struct picture *picture);
/* The peer names everything again. */
void picture_reset(struct picture *picture);
/* -1: memory is out. */
NODISCARD int picture_take_vip(struct picture *picture, const struct wire_vip *vip);
NODISCARD int picture_take_service(struct picture *picture, const struct wire_service *service);
NODISCARD int picture_take_server(struct picture *picture, const struct wire_server *server);
void picture_complete(struct picture *picture);
bool picture_is_complete(const struct picture *picture);
/* Grows with every change: the comparison may have another result. */
uint64_t picture_serial(const struct picture *picture);

/* What the peer's number means here; NULL: there is no such thing here, or the number was never named. */
const struct fwd_vip *picture_vip(struct picture *picture, const struct share *share, uint16_t number);
const struct service *picture_service(struct picture *picture, const struct share *share, uint16_t number);
struct server *picture_server(struct picture *picture, const struct share *share, uint16_t number);
/* The peer's candidates (wire_service) of that service here, 0 when it has no such service. */
uint64_t picture_candidates(struct picture *picture, const struct share *share, const struct service *service);

/* Calls `each` for every difference, `most` times at the most. How many there are. Nothing before it is complete. */
size_t picture_compare(struct picture *picture, const struct share *share, size_t most,
    void (*each)(void *context, const struct difference *difference), void *context);

#endif
