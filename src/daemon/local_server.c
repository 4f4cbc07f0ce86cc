/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/local_server.h"

#include "daemon/director.h"
#include "daemon/host_shield.h"
#include "model/model.h"
#include "os/os.h"

static enum server_local
local_judge_vip(const struct addr *vip, const char *iface)
{
	switch (os_local_obstacle(vip, iface)) {
	case OS_LOCAL_OK:
		break;
	case OS_LOCAL_UNSUPPORTED:
		return LOCAL_UNSUPPORTED;
	case OS_LOCAL_MISSING:
		return LOCAL_NO_VIP;
	case OS_LOCAL_EXPOSED:
		return LOCAL_VIP_EXPOSED;
	case OS_LOCAL_ANSWERS_ARP:
		return LOCAL_ANSWERS_ARP;
	case OS_LOCAL_REVERSE_PATH:
		return LOCAL_REVERSE_PATH;
	}
	return LOCAL_READY;
}

/* `vip` is the one that the answer is about. */
static enum server_local
local_judge(const struct director *director, const struct host_shield *host_shield, const struct server *server,
    struct addr *vip)
{
	const struct service_settings *service = &server->service->settings;
	char holder[IFACE_NAME];

	*vip = service->listens[0].vip;
	if (os_loopback() == NULL)
		return LOCAL_UNSUPPORTED;
	if (!os_holds_address(&server->settings.addr, holder))
		return LOCAL_NOT_OWN;
	if (server->iface >= director->iface_count || !host_shield_is_on(host_shield, server->iface))
		return LOCAL_NOT_WITHHELD;
	for (size_t i = 0; i < service->listen_count; i++) {
		enum server_local found;

		if (i > 0 && addr_equal(&service->listens[i].vip, &service->listens[i - 1].vip))
			continue;
		*vip = service->listens[i].vip;
		found = local_judge_vip(vip, director->ifaces[server->iface].name);
		if (found != LOCAL_READY)
			return found;
	}
	return LOCAL_READY;
}

void
local_servers_look(struct director *director, const struct host_shield *host_shield)
{
	for (size_t i = 0; i < director->model->slot_count; i++) {
		struct server *server = director->model->slots[i];
		enum server_local found;

		if (server == NULL || server->settings.method != ENCAP_LOCAL)
			continue;
		found = local_judge(director, host_shield, server, &server->local_vip);
		if (found == server->local)
			continue;
		server->local = found;
		director_changed(director, server, "this host can serve the VIP itself", "local");
	}
}
