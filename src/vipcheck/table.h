/* SPDX-License-Identifier: ISC */
/* What the path_*.c files share. Private to them. */
#ifndef VIPCHECK_TABLE_H
#define VIPCHECK_TABLE_H

#include "vipcheck/vipcheck.h"

#define PATH_TAGS (PATH_TAG_LAST - PATH_TAG_FIRST + 1)

struct path_table {
	struct path **paths;
	size_t count;
	struct path **heads;    /* by slot: the server's first path; the others by `sibling` */
	uint16_t *generations;  /* by slot: of the server that the last path_sync() saw there */
	size_t slot_count;
	struct path *by_tag[PATH_TAGS]; /* open questions */
	uint16_t next_tag;
	struct siphash_key seed;
	uint64_t draws;
	uint64_t due;
	path_news *news;
	void *context;
};

/* path.c */
uint64_t path_random(struct path_table *table);
/* What the server's paths say together goes into its vip_state. */
void path_combine(struct path_table *table, struct server *server);
void path_release_tags(struct path_table *table, struct path *path);

/* path_round.c: an answer came, or all that will. */
void path_advance(struct path_table *table, struct path *path, const struct path_means *means, uint64_t now);
void path_send_reset(struct path *path, const struct frame *frame, const struct packet *packet,
    const struct path_means *means);
uint16_t path_question_port(const struct path *path, enum question question);

#endif
