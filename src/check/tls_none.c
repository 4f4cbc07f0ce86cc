/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/tls.h"

#include <stdio.h>
#include <stdlib.h>

/* There has to be something that is not NULL. */
struct tls_contexts {
	char nothing;
};

struct tls_contexts *
tls_contexts_new(struct children *children UNUSED)
{
	return calloc(1, sizeof(struct tls_contexts));
}

void
tls_contexts_free(struct tls_contexts *contexts)
{
	free(contexts);
}

bool
tls_await(struct tls_contexts *contexts UNUSED, const struct tls_demand *demand UNUSED,
    struct authority_waiter *waiter UNUSED)
{
	return false;
}

void
tls_forget(struct authority_waiter *waiter UNUSED)
{
}

struct bufferevent *
tls_open(struct tls_contexts *contexts UNUSED, struct event_base *base UNUSED, int fd UNUSED,
    const struct tls_demand *demand UNUSED, char error[TLS_ERROR])
{
	(void)snprintf(error, TLS_ERROR, "this dsrd was built without OpenSSL");
	return NULL;
}

enum health_reason
tls_blame(struct bufferevent *stream UNUSED, char error[TLS_ERROR])
{
	error[0] = '\0';
	return HEALTH_REASON_NONE;
}
