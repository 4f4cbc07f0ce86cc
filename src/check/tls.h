/* SPDX-License-Identifier: ISC */
/* TLS for https checks: tls_openssl.c, or without OpenSSL tls_none.c, where every open fails. */
#ifndef CHECK_TLS_H
#define CHECK_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "check/authority.h"
#include "model/health.h"

struct bufferevent;
struct children;
struct event_base;
struct tls_contexts;

#define TLS_ERROR 200

/*
 * What all checks trust, once for each `ca`, however many checks use it. `children` must outlive it; NULL: the files of
 * certificates come by tls_set_authority(). NULL: no memory.
 */
NODISCARD struct tls_contexts *tls_contexts_new(struct children *children);
void tls_contexts_free(struct tls_contexts *contexts);

struct tls_demand {
	const char *name; /* the server's name, or address as text: sent if it is a name, and verified */
	bool verify;
	const char *ca;   /* a file of certificates; empty: the system's */
};

/*
 * True: the file of certificates is being read, and `waiter` waits for that, as in check/authority.h. Then tls_open()
 * goes by what it has, or had when it could be read last.
 */
NODISCARD bool tls_await(struct tls_contexts *contexts, const struct tls_demand *demand,
    struct authority_waiter *waiter);
/* What is known of such a file, and what another process has read of it: check/authority.h. */
struct authority tls_authority(const struct tls_contexts *contexts, const char *ca);
NODISCARD int tls_set_authority(struct tls_contexts *contexts, const char *ca, uint64_t version, const char *bytes,
    size_t length);
/* Files and directories with the system's certificates, and what else TLS reads. Their number. */
#define TLS_PATHS_MOST 16
size_t tls_system_paths(const char *paths[TLS_PATHS_MOST]);
/* The waiter waits no more. */
void tls_forget(struct authority_waiter *waiter);
/*
 * A bufferevent for TLS over the connected socket `fd`, which it owns from then on. NULL with a reason, `fd` untouched.
 * The demand is copied.
 */
NODISCARD struct bufferevent *tls_open(struct tls_contexts *contexts, struct event_base *base, int fd,
    const struct tls_demand *demand, char error[TLS_ERROR]);
/* Why it failed, if TLS was to blame: a text in `error`. HEALTH_REASON_NONE: look at errno. */
enum health_reason tls_blame(struct bufferevent *stream, char error[TLS_ERROR]);

#endif
