/* SPDX-License-Identifier: ISC */
/* Servers by the IDs that QUIC connection IDs have of them. */
#include "config.h"

#include "sched/fwdtab.h"

#include <stdlib.h>
#include <string.h>

static int
quic_order(const void *a, const void *b)
{
	const struct fwd_quic_server *x = a, *y = b;

	if (x->id.length != y->id.length)
		return x->id.length < y->id.length ? -1 : 1;
	return memcmp(x->id.bytes, y->id.bytes, x->id.length);
}

static size_t
quic_count(const struct service *service)
{
	size_t count = 0;

	for (size_t i = 0; i < service->server_count; i++)
		count += service->servers[i]->settings.quic_id_count;
	return count;
}

int
fwd_quic_new(struct fwdtab *table, const struct service *service, struct fwd_quic **made)
{
	const size_t count = quic_count(service);
	struct fwd_quic *quic;

	*made = NULL;
	if (!quic_is_used(service->settings.quic_lengths))
		return 0;
	quic = calloc(1, sizeof(*quic) + count * sizeof(*quic->servers));
	if (quic == NULL)
		return -1;
	memcpy(quic->lengths, service->settings.quic_lengths, sizeof(quic->lengths));
	for (size_t i = 0; i < service->server_count; i++) {
		const struct server *server = service->servers[i];

		for (size_t j = 0; j < server->settings.quic_id_count; j++)
			quic->servers[quic->count++] = (struct fwd_quic_server) { server->settings.quic_ids[j],
				&table->servers[server->ref.slot] };
	}
	qsort(quic->servers, quic->count, sizeof(*quic->servers), quic_order);
	*made = quic;
	return 0;
}

struct fwd_server *
fwd_quic_server(const struct fwd_quic *quic, const struct quic_id *id)
{
	const struct fwd_quic_server wanted = { *id, NULL };
	const struct fwd_quic_server *found = bsearch(&wanted, quic->servers, quic->count, sizeof(*quic->servers),
	    quic_order);

	return found != NULL && found->server->healthy && found->server->reachable ? found->server : NULL;
}
