/* SPDX-License-Identifier: ISC */
/*
 * One connection between two directors: who the other one is, and that every byte is its own and new.
 *
 * Both sides send a HELLO, whose tag proves that they know the secret. From both nonces, both boots and both names each
 * side derives a key for each direction. Every later frame has a tag by its direction's key and a sequence number that
 * is one higher than the last. So a frame of another connection, of the other direction, or sent again, is no frame of
 * this one; a recorded HELLO only gets as far as SESSION_PROOF, where nothing is taken from it and no flows are sent to it.
 *
 * What is sent is authentic and not secret: who reads the link sees clients' addresses.
 *
 * Pure: bytes in, bytes out. Any bytes are fine; the first that are wrong end the session, for good.
 */
#ifndef SYNC_SESSION_H
#define SYNC_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "sync/seal.h"
#include "sync/wire.h"

#define SESSION_SECRET_LEAST 16 /* bytes */
#define SESSION_SECRET_MOST 1024

struct session_secret {
	size_t length;
	uint8_t bytes[SESSION_SECRET_MOST];
};

enum session_phase {
	SESSION_HELLO = 0, /* the other side's HELLO is to come */
	SESSION_PROOF,     /* and its first frame of this very connection */
	SESSION_UP,
	SESSION_FAILED
};

enum session_fault {
	SESSION_FINE = 0,
	SESSION_NO_DSRD,   /* the bytes are no frames of dsrd's */
	SESSION_SECRET,    /* a HELLO that another secret signed, or none */
	SESSION_VERSION,   /* no version that both speak */
	SESSION_ITSELF,    /* the other side has our own name */
	SESSION_STRANGER,  /* the other side has no name that was expected: session_refuse() */
	SESSION_TAG,       /* a frame that was changed, or sent by another, or out of order */
	SESSION_TYPE,      /* a type that this version does not know */
	SESSION_RECORD,    /* a record that cannot be right: session_refuse() */
	SESSION_CRYPTO,    /* the library failed */
	SESSION_MEMORY     /* there is none for what it sends: session_refuse() */
};

struct session {
	enum session_phase phase;
	enum session_fault fault;
	bool begins;               /* this side opened the connection */
	const struct session_secret *secret;
	struct wire_hello own;
	struct wire_hello peer;    /* since SESSION_PROOF */
	uint8_t version;
	struct seal_key send_key;
	struct seal_key receive_key;
	uint64_t sent;             /* frames, HELLO included */
	uint64_t received;
};

enum session_got {
	SESSION_GOT_NOTHING = 0, /* more bytes are needed */
	SESSION_GOT_HELLO,       /* session->peer is known: check its name, send our own HELLO unless that was done */
	SESSION_GOT_FRAME,       /* authentic */
	SESSION_GOT_FAULT
};

struct session_frame {
	uint8_t type;
	const uint8_t *body;
	size_t length;
};

/* `secret` must outlive the session. `own` has name, boot and nonce; the rest is filled in. */
void session_begin(struct session *session, bool begins, const struct session_secret *secret,
    const struct wire_hello *own);
/* Our HELLO into `bytes`. Its length, or 0 with the session failed. Once, and before anything else is sent. */
NODISCARD size_t session_hello(struct session *session, uint8_t bytes[WIRE_FRAME]);
/*
 * Takes what was received. `used` bytes of it are done with; the frame points into the others until the next call.
 * Frames of unknown types that may be skipped are skipped here.
 */
enum session_got session_take(struct session *session, const uint8_t *bytes, size_t length, size_t *used,
    struct session_frame *frame);
/* Makes `length` bytes of body, which stand at `bytes` + WIRE_HEADER, a frame. Its length, or 0 with the session failed. */
NODISCARD size_t session_seal(struct session *session, uint8_t bytes[WIRE_FRAME], enum wire_type type, size_t length);
/* The receiver found something wrong with what was authentic. */
void session_refuse(struct session *session, enum session_fault fault);
/* "wrong key": for log and reports. */
const char *session_fault_text(enum session_fault fault);
const char *session_phase_name(enum session_phase phase);

#endif
