/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/tls.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_TLS "this dsrd was built without OpenSSL"

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

struct authority
tls_authority(const struct tls_contexts *contexts UNUSED, const char *ca UNUSED)
{
	return (struct authority) { .reason = NO_TLS };
}

int
tls_set_authority(struct tls_contexts *contexts UNUSED, const char *ca UNUSED, uint64_t version UNUSED,
    const char *bytes UNUSED, size_t length UNUSED)
{
	return 0;
}

size_t
tls_system_paths(const char *paths[TLS_PATHS_MOST] UNUSED)
{
	return 0;
}

void
tls_forget(struct authority_waiter *waiter UNUSED)
{
}

struct bufferevent *
tls_open(struct tls_contexts *contexts UNUSED, struct event_base *base UNUSED, int fd UNUSED,
    const struct tls_demand *demand UNUSED, char error[TLS_ERROR])
{
	(void)snprintf(error, TLS_ERROR, "%s", NO_TLS);
	return NULL;
}

enum health_reason
tls_blame(struct bufferevent *stream UNUSED, char error[TLS_ERROR])
{
	error[0] = '\0';
	return HEALTH_REASON_NONE;
}
