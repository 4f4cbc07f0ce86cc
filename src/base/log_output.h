/* SPDX-License-Identifier: ISC */
/*
 * Where log lines go: standard error, or syslog's socket, without ever waiting for who reads them. Lines that are not
 * taken at once wait in a ring of LOG_RING bytes; what does not fit there, or cannot be written at all, is counted.
 * While `async` is off a line waits for its reader, as a program's messages on a terminal do.
 */
#ifndef BASE_LOG_OUTPUT_H
#define BASE_LOG_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/log.h"

#define LOG_RING 65536 /* bytes: at least 60 lines of the largest size, some 500 usual ones */

struct log_output {
	enum log_sink sink;
	int fd;           /* of syslog's socket, or standard error opened again; -1: neither */
	bool nonblocking; /* `fd` is standard error and never waits */
	bool stream;      /* syslog's socket is a stream: a zero ends each line */
	bool async;
	uint64_t lost;    /* lines since the start */
	size_t first;     /* in the ring: where the oldest record begins */
	size_t used;
	size_t written; /* bytes of the oldest record that are out */
	unsigned char ring[LOG_RING];
};

/* Begins with `sink`. What waits for another sink is tried once more, then counted as lost. */
void log_output_open(struct log_output *output, enum log_sink sink);
/* 0: written or waiting. -1: lost, and counted. */
int log_output_write(struct log_output *output, const char *bytes, size_t length);
bool log_output_waiting(const struct log_output *output);
/* Writes what waits, as far as the reader takes it now. */
void log_output_drain(struct log_output *output);
/* The same, for at most `milliseconds`; what waits then is lost. */
void log_output_finish(struct log_output *output, int milliseconds);

#endif
