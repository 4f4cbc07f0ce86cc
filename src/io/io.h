/* SPDX-License-Identifier: ISC */
/*
 * Packet engines: where frames come from and where they go. Receiving and sending are two contracts, since they are two
 * libraries (libpcap in, libnet out), and each has more than one way to be fulfilled. Nothing here is thread-safe.
 */
#ifndef IO_IO_H
#define IO_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/attr.h"
#include "base/iface.h"
#include "proto/frame.h"

#define IO_ERROR 512 /* bytes of room for a reason */

/* Called for each frame, which may be written to until the call returns. `when` is microseconds since 1970. */
typedef void io_frame(void *context, struct frame *frame, uint64_t when);

struct receiver;

struct receiver_stats {
	uint64_t received; /* that passed the filter */
	uint64_t dropped;  /* by the kernel: the ring was full */
};

struct receiver_ops {
	/*
	 * Deliver what is there, at most `budget` frames. The number delivered, -1 on a failure with a reason in
	 * `error` (the interface is gone: close and open again later; a savefile is cut: the frames before that were
	 * delivered), or -2 at the end of a savefile. `budget` is at least 1.
	 */
	int (*dispatch)(struct receiver *receiver, int budget, io_frame *deliver, void *context, char error[IO_ERROR]);
	/*
	 * A descriptor to wait on, or -1 when there is none and the engine must be polled. For a live engine it is also
	 * the one to pass to os_ignore_outgoing().
	 */
	int (*descriptor)(struct receiver *receiver);
	/* NULL, or the interval at which dispatch() must be called even when the descriptor is not readable. */
	const struct timeval *(*wait)(struct receiver *receiver);
	/* Replaces the kernel's filter, an optimisation only: every frame is verified again. 0 or -1. */
	int (*filter)(struct receiver *receiver, const char *expression, char error[IO_ERROR]);
	void (*stats)(struct receiver *receiver, struct receiver_stats *stats);
	void (*close)(struct receiver *receiver);
};

/* The first member of each engine's own struct. */
struct receiver {
	const struct receiver_ops *ops;
	uint16_t iface; /* written into every frame */
};

struct sender;

struct sender_stats {
	uint64_t sent;
	uint64_t failed; /* the system would not take it: queue full, interface down */
	int last_errno; /* of the last failure */
};

struct sender_ops {
	/* Sends one frame, or queues a copy while `burst` is set. Failures are counted, never fatal. */
	void (*send)(struct sender *sender, const struct frame *frame);
	/* What was queued must go. */
	void (*flush)(struct sender *sender);
	/*
	 * The socket that frames are sent through, or -1 when there is none. It may be a tap too: os_silence_socket()
	 * prevents that. Never wait for it to become writable: bpf(4) of OpenBSD does not support it.
	 */
	int (*descriptor)(struct sender *sender);
	/*
	 * Frees the sender in any case. -1 with a reason when what was sent did not all arrive: a savefile on a full
	 * disk.
	 */
	int (*close)(struct sender *sender, char error[IO_ERROR]);
};

struct sender {
	const struct sender_ops *ops;
	struct sender_stats stats;
	bool burst; /* set by the caller that will call flush() soon */
	unsigned features; /* TX_CHECKSUM, TX_SEGMENTS: what may be left to it, until it finds that it may not */
};

/*
 * Live engines. NULL with a reason in `error` and errno set: EPERM when privilege is missing, ENXIO when the interface
 * does not exist, ENETDOWN when it is down, ENOTSUP when it is not Ethernet. A receiver survives its interface going
 * down and up again. Its ring holds thousands of frames of the interface's current MTU; larger frames are whole too
 * (io_whole.h), unless the system cannot deliver them: then they are cut.
 */
NODISCARD struct receiver *io_pcap_open(const char *iface, uint16_t index, char error[IO_ERROR]);
/* `bypass`: past the queue discipline, where there is one. */
NODISCARD struct sender *io_libnet_open(const char *iface, bool bypass, char error[IO_ERROR]);

/* The versions of the libraries that run, for people. */
const char *io_pcap_version(void);
const char *io_libnet_version(void);

/* Savefiles; "-" is standard input or output. dispatch() gives frames with the file's own times. */
NODISCARD struct receiver *io_file_read(const char *path, uint16_t index, char error[IO_ERROR]);
NODISCARD struct sender *io_file_write(const char *path, char error[IO_ERROR]);
/* The time that goes into the savefile with the next frames. */
void io_file_time(struct sender *sender, uint64_t when);

#endif
