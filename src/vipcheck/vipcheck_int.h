/* SPDX-License-Identifier: ISC */
/* What the path_*.c files share. Private to them. */
#ifndef VIPCHECK_INT_H
#define VIPCHECK_INT_H

#include "vipcheck/vipcheck.h"

#define VIPCHECK_TAGS (VIPCHECK_TAG_LAST - VIPCHECK_TAG_FIRST + 1)

struct vipcheck_table {
	struct vipcheck **checks;
	size_t count;
	struct vipcheck **heads;    /* by slot: the server's first check; the others by `sibling` */
	uint16_t *generations;  /* by slot: of the server that the last vipcheck_sync() saw there */
	size_t slot_count;
	struct vipcheck *by_tag[VIPCHECK_TAGS]; /* open probes */
	struct siphash_key seed;
	uint64_t draws;
	uint64_t due;
	path_news *news;
	void *context;
};

/* vipcheck.c */
uint64_t vipcheck_random(struct vipcheck_table *table);
/* Combines the server's checks into its vip_state. */
void vipcheck_combine(struct vipcheck_table *table, struct server *server);
void vipcheck_release_tags(struct vipcheck_table *table, struct vipcheck *check);

/* round.c: an answer came, or no further one will. */
void vipcheck_advance(struct vipcheck_table *table, struct vipcheck *check, const struct vipcheck_tx *means,
    uint64_t now);
void vipcheck_send_reset(struct vipcheck *check, const struct frame *frame, const struct packet *packet,
    const struct vipcheck_tx *means);
uint16_t vipcheck_probe_port(const struct vipcheck *check, enum probe probe);

#define VIPCHECK_PING 24 /* bytes of data in an echo: a text, and the nonce at its end */

#endif
