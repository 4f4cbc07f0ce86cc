/* SPDX-License-Identifier: ISC */
/* By consistent hash: no state, and the same choice on every director that has the same `hash-key`. */
#include "config.h"

#include "sched/fwdtab.h"
#include "sched/scheduler.h"

#include <string.h>

#include "base/attr.h"

static struct fwd_server *
pick_flow(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key)
{
	return fwd_service_hash(service, key);
}

static struct fwd_server *
pick_source(const struct fwd_service *service, const struct fwd_vip *vip UNUSED, const struct conn_key *key)
{
	struct conn_key source;

	memset(&source, 0, sizeof(source));
	memcpy(source.client, key->client, sizeof(source.client));
	return fwd_service_hash(service, &source);
}

static struct fwd_server *
pick_destination(const struct fwd_service *service, const struct fwd_vip *vip, const struct conn_key *key)
{
	struct conn_key destination;

	memset(&destination, 0, sizeof(destination));
	memcpy(destination.client, vip->addr.bytes, sizeof(destination.client));
	destination.vip_port = key->vip_port;
	return fwd_service_hash(service, &destination);
}

const struct scheduler pick_maglev = {
	.name = "maglev",
	.use_when = "Connections must survive a second director: by hash of the flow, changed for few "
	    "when servers come and go.",
	.by_hash = true,
	.pick = pick_flow,
};

const struct scheduler pick_sh = {
	.name = "sh",
	.use_when = "A client must always reach the same server, without a table: by hash of the client's address.",
	.by_hash = true,
	.pick = pick_source,
};

const struct scheduler pick_dh = {
	.name = "dh",
	.use_when = "Each VIP and port must stay on one server, as with caches: by hash of the destination.",
	.by_hash = true,
	.pick = pick_destination,
};
