/* SPDX-License-Identifier: ISC */
/*
 * What live forwarding and offline mode share: a model, the table compiled from it, and the forwarder that reads the
 * table. Knows neither sockets nor an event loop. This is where changes of health and neighbors are logged.
 */
#ifndef DAEMON_DIRECTOR_H
#define DAEMON_DIRECTOR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/iface.h"
#include "base/keyhash.h"
#include "check/check.h"
#include "daemon/change.h"
#include "daemon/vipchecking.h"
#include "forward/forward.h"
#include "model/model.h"
#include "model/settings.h"
#include "os/os.h"

#define IFACES_MOST 64 /* interfaces of a director, at most */

struct director {
	struct model *model;
	struct fwdtab *table;
	uint64_t table_serial;   /* of `table`: another one for each */
	struct fwdtab *nothing; /* without services: used while there is no memory for another one */
	struct forwarder forwarder;
	struct iface ifaces[IFACES_MOST]; /* only ever appended to: neighbors and frames keep the index */
	size_t iface_count;
	struct os_routing routing;        /* of this host, read at the start */
	int (*find_route)(const struct addr *addr, struct ip_route *route); /* os_route_find() when live, or NULL */
	bool live;                   /* on real interfaces, not a savefile: VIPs are announced, links count */
	bool forget;                      /* the change requires that each offloaded flow is decided again */
	bool stale;                       /* the model changed: director_refresh() is due */
	bool incomplete;                  /* neighbors or announcements lacked memory: the next tick tries again */
	bool no_memory;                   /* which it lacked when it was tried last */
	struct vipchecking vipchecking;
	/* the model has new settings, nothing follows them yet; may be NULL */
	void (*settled)(void *context, uint64_t now);
	void *settled_context;
	struct change_feed changes;       /* of states; the log and the table come first */
	uint64_t now;                     /* the latest time */
};

NODISCARD int director_init(struct director *director, uint32_t connections, const struct siphash_key *key,
    const struct frame_tx *tx, char *error, size_t size);
void director_clear(struct director *director);

/* The interface's index, added when it is new; IFACE_NONE when there are too many. */
uint16_t director_iface(struct director *director, const char *name);

/*
 * Takes new settings: model, neighbors, table. VIPs that were not there before are announced, if `live`. 0, or -1
 * when memory is out: then nothing was changed. What lacks memory after the model has changed is done in a later tick;
 * until there is a table, no frame is forwarded. The interfaces that the settings name are there already.
 */
NODISCARD int director_apply(struct director *director, struct settings *settings, uint64_t now);
/* Announce every VIP, as when service starts or the MAC has changed. */
NODISCARD int director_announce(struct director *director, uint64_t now);
/* Have the host's routes to servers of other methods than mac changed? Then director_place() is due. */
bool director_routes_changed(struct director *director);
/* Finds interfaces again after their properties have changed. */
NODISCARD int director_place(struct director *director, uint64_t now);
/* Once a second: timers of flows, neighbors, announcements, and servers that warm up. */
void director_tick(struct director *director, uint64_t now);
/* Has anything changed since the table was compiled? */
NODISCARD bool director_is_stale(struct director *director);
/* Compiles the table if so. Between two bursts. */
void director_refresh(struct director *director);
/*
 * The server's health, administrative state, VIP check, conflicts or link may have changed: if its state or its set of
 * closed ports did, the subscribers of `changes` are called. `cause` is the log's reason when the server is not DOWN,
 * `detail` what was checked.
 */
void director_changed(struct director *director, struct server *server, const char *cause, const char *detail);
/* Sends the requests to neighbors that are due; forward_neighbors_due() gives the next time. */
void director_neighbors(struct director *director, uint64_t now);
/* Sends the VIP checks that are due; forward_vipcheck_due() gives the next time. */
void director_vipcheck(struct director *director, uint64_t now);
/* The model has taken over what another process knew of it: takes effect, and is logged. */
void director_restored(struct director *director);
/*
 * An operator's command, logged and kept with its author. It acts before the next burst. They return whether it changed
 * anything.
 */
bool director_set_admin(struct director *director, struct server *server, enum admin_state admin,
    const struct admin_author *author);
bool director_weigh(struct director *director, struct server *server, uint32_t weight,
    const struct admin_author *author);
/* For a server without a configured MAC: its MAC is `mac` from now on, and a conflict about it has ended. */
bool director_set_mac(struct director *director, struct server *server, const struct mac *mac,
    const struct admin_author *author);
/* The answer of a server's check `index`. */
void director_health(struct director *director, struct server *server, size_t index, const struct check_report *report,
    uint64_t now);

#endif
