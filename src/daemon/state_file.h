/* SPDX-License-Identifier: ISC */
/*
 * The file in which a director leaves its state to the next one: a header, two places for text (forward/handover.h)
 * that are written in turn, so that one is always whole, and flow records (flow/conn_record.h), which are memory shared
 * with the file. What was written there survives the process, however it ends, and not the system, which is as it
 * should be.
 *
 * The file is sparse, and takes room as there are flows: 48 bytes each. Room is taken before it is used, so that a full
 * file system costs records and not the process.
 *
 * A file that is not ours, not whole, of another version or of another boot is refused with a reason, and one that
 * another process uses is left alone.
 */
#ifndef DAEMON_STATE_FILE_H
#define DAEMON_STATE_FILE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "flow/conn_record.h"

#define STATE_ERROR 256

/* What the last director left. */
struct state_old {
	int fd;       /* holds the lock; -1: there is nothing */
	char *text;   /* with a 0 behind it */
	size_t length;
	const struct conn_record *flows;
	const struct conn_record *clients;
	uint32_t flow_count; /* records, also those that hold no flow */
	uint32_t client_count;
	uint64_t age; /* microseconds since it was last known to live */
	void *maps[2]; /* what `flows` and `clients` are in */
	size_t map_bytes[2];
};

enum state_found {
	STATE_NONE = 0, /* no file */
	STATE_READ,
	STATE_IGNORED,  /* for a reason; a new file may take its place */
	STATE_TAKEN     /* for a reason; the file is not to be touched: another process's, or no state file at all */
};

struct state_file;

/*
 * `now` is of the monotonic clock, in microseconds. The file must belong to the process's user, to root, or to `user`,
 * the user that dsrd becomes.
 */
NODISCARD enum state_found state_file_read(const char *path, uid_t user, uint64_t now, struct state_old *old,
    char error[STATE_ERROR]);
void state_old_done(struct state_old *old);

/* A new file next to `path`, for so many flows and clients. NULL, with a reason. */
NODISCARD struct state_file *state_file_create(const char *path, uint32_t flows, uint32_t clients, uint64_t now,
    char error[STATE_ERROR]);
/* For conn_table_record(). */
struct conn_records *state_file_flows(struct state_file *file);
struct conn_records *state_file_clients(struct state_file *file);
/* The text as of now. 0 or -1, with the text before still there. */
NODISCARD int state_file_write(struct state_file *file, const char *text, size_t length);
/* Replaces the file at `path`. 0 or -1, with a reason. */
NODISCARD int state_file_publish(struct state_file *file, char error[STATE_ERROR]);
/* A sign of life. Where there was no room for records, tries again. */
void state_file_beat(struct state_file *file, uint64_t now);
/* There is no room for the records of some flows. */
bool state_file_is_full(const struct state_file *file);
/* The file stays, when it was published. End all use of its records before. */
void state_file_close(struct state_file *file);

#endif
