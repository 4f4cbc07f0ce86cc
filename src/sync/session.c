/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "sync/session.h"

#include <string.h>

#define HELLO_MOST 256 /* bytes of body: enough for this version's, and little memory for a stranger */

static const char hello_purpose[] = "dsrd sync: hello";
static const char session_purpose[] = "dsrd sync: frames";

void
session_begin(struct session *session, bool begins, const struct session_secret *secret, const struct wire_hello *own)
{
	memset(session, 0, sizeof(*session));
	session->begins = begins;
	session->secret = secret;
	session->own = *own;
	session->own.lowest = session->own.highest = WIRE_VERSION;
	session->own.begins = begins;
}

void
session_refuse(struct session *session, enum session_fault fault)
{
	session->phase = SESSION_FAILED;
	session->fault = fault;
}

static int
session_hello_key(const struct session *session, struct seal_key *key)
{
	return seal_derive(session->secret->bytes, session->secret->length, hello_purpose, sizeof(hello_purpose), key);
}

/* Header, body and tag. */
static size_t
session_frame_bytes(size_t length)
{
	return WIRE_HEADER + length + SEAL_TAG;
}

static size_t
session_write(struct session *session, uint8_t *bytes, const struct seal_key *key, uint8_t type, size_t length)
{
	const struct wire_header header = { (uint32_t)length, type, session->sent };

	wire_put_header(bytes, &header);
	if (seal_tag(key, bytes, WIRE_HEADER + length, bytes + WIRE_HEADER + length) == -1) {
		session_refuse(session, SESSION_CRYPTO);
		return 0;
	}
	session->sent++;
	return session_frame_bytes(length);
}

size_t
session_hello(struct session *session, uint8_t bytes[WIRE_FRAME])
{
	struct wire_out out;
	struct seal_key key;

	if (session_hello_key(session, &key) == -1) {
		session_refuse(session, SESSION_CRYPTO);
		return 0;
	}
	wire_out_init(&out, bytes + WIRE_HEADER, HELLO_MOST);
	wire_put_hello(&out, &session->own);
	return session_write(session, bytes, &key, WIRE_HELLO, HELLO_MOST - out.left);
}

size_t
session_seal(struct session *session, uint8_t bytes[WIRE_FRAME], enum wire_type type, size_t length)
{
	return session_write(session, bytes, &session->send_key, (uint8_t)type, length);
}

/* Of the direction that starts at the side that opened the connection, or at the other. */
static int
session_derive(const struct session *session, bool from_beginner, struct seal_key *key)
{
	const struct wire_hello *hellos[] = { session->begins ? &session->own : &session->peer,
		session->begins ? &session->peer : &session->own };
	uint8_t text[2 * sizeof(struct wire_hello) + sizeof(session_purpose) + 2];
	size_t used = sizeof(session_purpose);

	memset(text, 0, sizeof(text));
	memcpy(text, session_purpose, sizeof(session_purpose));
	text[used++] = session->version;
	text[used++] = from_beginner;
	for (size_t i = 0; i < ARRAY_LEN(hellos); i++) {
		memcpy(text + used, hellos[i]->nonce, sizeof(hellos[i]->nonce));
		used += sizeof(hellos[i]->nonce);
		memcpy(text + used, hellos[i]->boot, sizeof(hellos[i]->boot));
		used += sizeof(hellos[i]->boot);
		memcpy(text + used, hellos[i]->name, strlen(hellos[i]->name));
		used += sizeof(hellos[i]->name);
	}
	return seal_derive(session->secret->bytes, session->secret->length, text, used, key);
}

static enum session_got
session_fail(struct session *session, enum session_fault fault)
{
	session_refuse(session, fault);
	return SESSION_GOT_FAULT;
}

static bool
session_is_signed(const struct seal_key *key, const uint8_t *bytes, size_t length)
{
	uint8_t tag[SEAL_TAG];

	return seal_tag(key, bytes, length, tag) == 0 && seal_equal(tag, bytes + length);
}

static enum session_got
session_greet(struct session *session, const uint8_t *bytes, const struct wire_header *header)
{
	struct wire_hello *peer = &session->peer;
	struct cursor in;
	struct seal_key key;

	if (session_hello_key(session, &key) == -1)
		return session_fail(session, SESSION_CRYPTO);
	if (!session_is_signed(&key, bytes, WIRE_HEADER + header->length))
		return session_fail(session, SESSION_SECRET);
	cursor_init(&in, bytes + WIRE_HEADER, header->length);
	if (!wire_get_hello(&in, peer) || header->sequence != 0)
		return session_fail(session, SESSION_NO_DSRD);
	/* Both sides open no connection together: a HELLO of the same side is our own, sent back. */
	if (peer->begins == session->begins || strcmp(peer->name, session->own.name) == 0)
		return session_fail(session, SESSION_ITSELF);
	session->version = peer->highest < session->own.highest ? peer->highest : session->own.highest;
	if (session->version < peer->lowest || session->version < session->own.lowest)
		return session_fail(session, SESSION_VERSION);
	if (session_derive(session, session->begins, &session->send_key) == -1 ||
	    session_derive(session, !session->begins, &session->receive_key) == -1)
		return session_fail(session, SESSION_CRYPTO);
	session->phase = SESSION_PROOF;
	session->received = 1;
	return SESSION_GOT_HELLO;
}

/* Before the HELLO little is believed: not the length, and no other type. */
static bool
session_is_greeting(const struct wire_header *header)
{
	return header->type == WIRE_HELLO && header->length <= HELLO_MOST;
}

static bool
session_knows(uint8_t type)
{
	return type > WIRE_HELLO && type <= WIRE_FRAGMENTS;
}

/* A whole frame stands at `bytes`. */
static enum session_got
session_open(struct session *session, const uint8_t *bytes, const struct wire_header *header, struct session_frame *frame)
{
	if (header->sequence != session->received ||
	    !session_is_signed(&session->receive_key, bytes, WIRE_HEADER + header->length))
		return session_fail(session, SESSION_TAG);
	session->received++;
	session->phase = SESSION_UP;
	if (!session_knows(header->type))
		return (header->type & WIRE_OPTIONAL) != 0 ? SESSION_GOT_NOTHING : session_fail(session, SESSION_TYPE);
	*frame = (struct session_frame) { header->type, bytes + WIRE_HEADER, header->length };
	return SESSION_GOT_FRAME;
}

enum session_got
session_take(struct session *session, const uint8_t *bytes, size_t length, size_t *used, struct session_frame *frame)
{
	struct wire_header header;
	enum session_got got = SESSION_GOT_NOTHING;

	*used = 0;
	while (got == SESSION_GOT_NOTHING && session->phase != SESSION_FAILED && length - *used >= WIRE_HEADER) {
		const uint8_t *at = bytes + *used;

		if (!wire_get_header(at, &header) || (session->phase == SESSION_HELLO && !session_is_greeting(&header)))
			return session_fail(session, session->phase == SESSION_HELLO ? SESSION_NO_DSRD : SESSION_TAG);
		if (length - *used < session_frame_bytes(header.length))
			return SESSION_GOT_NOTHING;
		*used += session_frame_bytes(header.length);
		got = session->phase == SESSION_HELLO ? session_greet(session, at, &header) :
		    session_open(session, at, &header, frame);
	}
	return session->phase == SESSION_FAILED ? SESSION_GOT_FAULT : got;
}

const char *
session_fault_text(enum session_fault fault)
{
	switch (fault) {
	case SESSION_FINE:
		return "none";
	case SESSION_NO_DSRD:
		return "what it sends is not dsrd's protocol";
	case SESSION_SECRET:
		return "its key is another one";
	case SESSION_VERSION:
		return "it speaks no version of the protocol that this dsrd speaks";
	case SESSION_ITSELF:
		return "it has this director's own name: each needs a `peer-name` of its own";
	case SESSION_STRANGER:
		return "it has a name that no `peer` line has";
	case SESSION_TAG:
		return "a frame was altered, repeated or forged";
	case SESSION_TYPE:
		return "it sent a frame that this version does not know";
	case SESSION_RECORD:
		return "it sent a record that cannot be right";
	case SESSION_CRYPTO:
		return "the cryptographic library failed";
	case SESSION_MEMORY:
		return "there is no memory for what it sends";
	}
	return "unknown";
}

const char *
session_phase_name(enum session_phase phase)
{
	static const char *const names[] = { [SESSION_HELLO] = "hello", [SESSION_PROOF] = "proof", [SESSION_UP] = "up",
		[SESSION_FAILED] = "failed" };

	return names[phase];
}
