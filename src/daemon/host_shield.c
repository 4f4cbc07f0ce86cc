/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_shield.h"

#include <stdlib.h>

#include "base/log.h"
#include "daemon/dsrd.h"
#include "offload/withhold.h"

#define MEANING "meaning=\"this host's own network stack sees frames for VIPs too\""

/* Some systems do it by a capture (nic_withhold()); where they cannot, it is the kernel's program, if there is one. */
struct host_shield {
	struct withhold *withhold; /* NULL: `reason` says why */
	char reason[WITHHOLD_ERROR];
	bool on[IFACES_MOST];
	bool told[IFACES_MOST]; /* that it cannot be */
	bool crowded;           /* some VIP found no room */
};

void
host_shield_open(struct dsrd *dsrd)
{
	struct host_shield *host_shield;

	if (dsrd->options->observe || !dsrd->conf.withhold)
		return;
	host_shield = calloc(1, sizeof(*host_shield));
	if (host_shield == NULL) {
		log_warning("withhold result=failed reason=\"out of memory\" " MEANING);
		return;
	}
	host_shield->withhold = withhold_open(host_shield->reason);
	dsrd->host_shield = host_shield;
	host_shield_beat(dsrd);
}

void
host_shield_close(struct dsrd *dsrd)
{
	if (dsrd->host_shield == NULL)
		return;
	withhold_close(dsrd->host_shield->withhold);
	free(dsrd->host_shield);
	dsrd->host_shield = NULL;
}

static void
begin(struct dsrd *dsrd, size_t index)
{
	struct host_shield *host_shield = dsrd->host_shield;
	struct nic *nic = &dsrd->nics[index];
	const char *name = dsrd->director.ifaces[index].name;
	const bool was = host_shield->on[index];

	if (nic_withhold(nic, &dsrd->director.ifaces[index], (uint16_t)index, dsrd->director.model)) {
		host_shield->on[index] = nic->withheld_count > 0;
		return;
	}
	host_shield->on[index] = host_shield->withhold != NULL &&
	    withhold_begin(host_shield->withhold, index, name, host_shield->reason) == 0;
	if (host_shield->on[index] && !was)
		log_notice("withhold interface=%s result=on", name);
	if (!host_shield->on[index] && !host_shield->told[index])
		log_warning("withhold interface=%s result=failed reason=\"%s\" " MEANING, name, host_shield->reason);
	host_shield->told[index] = !host_shield->on[index];
}

/* For the kernel's program. */
static void
set_vips(struct dsrd *dsrd)
{
	struct host_shield *host_shield = dsrd->host_shield;
	const struct model *model = dsrd->director.model;
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
host_shield_settle(struct dsrd *dsrd)
{
	if (dsrd->host_shield == NULL)
		return;
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		struct nic *nic = &dsrd->nics[i];

		if (model_vips_at(dsrd->director.model, i, ADDR_NONE) > 0 && nic_is_open(nic)) {
			begin(dsrd, i);
		} else {
			(void)nic_withhold(nic, &dsrd->director.ifaces[i], (uint16_t)i, dsrd->director.model);
			host_shield_end(dsrd, i);
		}
	}
	if (dsrd->host_shield->withhold != NULL)
		set_vips(dsrd);
}

void
host_shield_end(struct dsrd *dsrd, size_t index)
{
	if (dsrd->host_shield == NULL)
		return;
	if (dsrd->host_shield->withhold != NULL)
		withhold_end(dsrd->host_shield->withhold, index);
	dsrd->host_shield->on[index] = false;
}

void
host_shield_beat(struct dsrd *dsrd)
{
	if (dsrd->host_shield != NULL && dsrd->host_shield->withhold != NULL)
		withhold_beat(dsrd->host_shield->withhold);
}

bool
host_shield_is_on(const struct dsrd *dsrd, size_t index)
{
	return dsrd->host_shield != NULL && dsrd->host_shield->on[index] && !dsrd->host_shield->crowded;
}
