/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_shield.h"

#include <stdlib.h>

#include "base/log.h"
#include "daemon/director.h"
#include "daemon/port.h"
#include "offload/withhold.h"

#define MEANING "meaning=\"this host's own network stack sees frames for VIPs too\""

/* Some systems do it by a capture (nic_withhold()); where they cannot, it is the kernel's program, if there is one. */
struct host_shield {
	const struct director *director;
	struct nic *nics;
	struct withhold *withhold; /* NULL: `reason` says why */
	char reason[WITHHOLD_ERROR];
	bool on[IFACES_MOST];
	bool logged[IFACES_MOST]; /* that it cannot be on */
	bool crowded;           /* some VIP found no room */
};

struct host_shield *
host_shield_open(const struct director *director, struct nic *nics, const struct attacher *attacher)
{
	struct host_shield *host_shield = calloc(1, sizeof(*host_shield));

	if (host_shield == NULL) {
		log_warning("withhold result=failed reason=\"out of memory\" " MEANING);
		return NULL;
	}
	host_shield->director = director;
	host_shield->nics = nics;
	host_shield->withhold = withhold_open(attacher, host_shield->reason);
	host_shield_beat(host_shield);
	return host_shield;
}

void
host_shield_close(struct host_shield *host_shield)
{
	if (host_shield == NULL)
		return;
	withhold_close(host_shield->withhold);
	free(host_shield);
}

static void
host_shield_begin(struct host_shield *host_shield, size_t index)
{
	struct nic *nic = &host_shield->nics[index];
	const char *name = host_shield->director->ifaces[index].name;
	const bool was = host_shield->on[index];

	if (nic_withhold(nic, &host_shield->director->ifaces[index], (uint16_t)index, host_shield->director->model)) {
		host_shield->on[index] = nic->withheld_count > 0;
		return;
	}
	host_shield->on[index] = host_shield->withhold != NULL &&
	    withhold_begin(host_shield->withhold, index, name, host_shield->reason) == 0;
	if (host_shield->on[index] && !was)
		log_notice("withhold interface=%s result=on", name);
	if (!host_shield->on[index] && !host_shield->logged[index])
		log_warning("withhold interface=%s result=failed reason=\"%s\" " MEANING, name, host_shield->reason);
	host_shield->logged[index] = !host_shield->on[index];
}

/* For the kernel's program. */
static void
host_shield_set_vips(struct host_shield *host_shield)
{
	const struct model *model = host_shield->director->model;
	struct withheld_vip *vips = calloc(model->vip_count + 1, sizeof(*vips));
	size_t count = 0, left;

	for (size_t i = 0; i < model->vip_count && vips != NULL; i++)
		if (model->vips[i].iface != IFACE_NONE)
			vips[count++] = (struct withheld_vip) { model->vips[i].addr, model->vips[i].iface };
	left = vips == NULL ? model->vip_count : withhold_set(host_shield->withhold, vips, count);
	if (left > 0 && !host_shield->crowded)
		log_warning("withhold result=incomplete vips=%zu reason=\"no room for so many\" " MEANING, left);
	host_shield->crowded = left > 0;
	free(vips);
}

void
host_shield_settle(struct host_shield *host_shield)
{
	if (host_shield == NULL)
		return;
	for (size_t i = 0; i < host_shield->director->iface_count; i++) {
		struct nic *nic = &host_shield->nics[i];

		if (model_vips_at(host_shield->director->model, i, ADDR_NONE) > 0 && nic_is_open(nic)) {
			host_shield_begin(host_shield, i);
		} else {
			(void)nic_withhold(nic, &host_shield->director->ifaces[i], (uint16_t)i,
			    host_shield->director->model);
			host_shield_end(host_shield, i);
		}
	}
	if (host_shield->withhold != NULL)
		host_shield_set_vips(host_shield);
}

void
host_shield_end(struct host_shield *host_shield, size_t index)
{
	if (host_shield == NULL)
		return;
	if (host_shield->withhold != NULL)
		withhold_end(host_shield->withhold, index);
	host_shield->on[index] = false;
}

void
host_shield_beat(struct host_shield *host_shield)
{
	if (host_shield != NULL && host_shield->withhold != NULL)
		withhold_beat(host_shield->withhold);
}

bool
host_shield_is_on(const struct host_shield *host_shield, size_t index)
{
	return host_shield != NULL && host_shield->on[index] && !host_shield->crowded;
}
