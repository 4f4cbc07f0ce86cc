/* SPDX-License-Identifier: ISC */
/* Servers that are this host itself: what the host must look like for it. */
#ifndef DAEMON_LOCAL_SERVER_H
#define DAEMON_LOCAL_SERVER_H

struct director;
struct host_shield;

/* Sets server->local of each, after the shield has settled and whenever the host may have changed. */
void local_servers_look(struct director *director, const struct host_shield *host_shield);

#endif
