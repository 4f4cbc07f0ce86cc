/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_shield.h"

#include <stdlib.h>

#include "base/log.h"
#include "daemon/dsrd.h"
#include "offload/withhold.h"

#define MEANING "meaning=\"this host's own network stack sees frames for VIPs too\""

/* Some systems do it by a capture (attachment_withhold()); where they cannot, it is the kernel's program, if there is one. */
struct withholding {
	struct withhold *withhold; /* NULL: `reason` says why */
	char reason[WITHHOLD_ERROR];
	bool on[IFACES_MOST];
	bool told[IFACES_MOST]; /* that it cannot be */
	bool crowded;           /* some VIP found no room */
};

void
withholding_open(struct dsrd *dsrd)
{
	struct withholding *withholding;

	if (dsrd->options->observe || !dsrd->conf.withhold)
		return;
	withholding = calloc(1, sizeof(*withholding));
	if (withholding == NULL) {
		log_warning("withhold result=failed reason=\"out of memory\" " MEANING);
		return;
	}
	withholding->withhold = withhold_open(withholding->reason);
	dsrd->withholding = withholding;
	withholding_beat(dsrd);
}

void
withholding_close(struct dsrd *dsrd)
{
	if (dsrd->withholding == NULL)
		return;
	withhold_close(dsrd->withholding->withhold);
	free(dsrd->withholding);
	dsrd->withholding = NULL;
}

static void
begin(struct dsrd *dsrd, size_t index)
{
	struct withholding *withholding = dsrd->withholding;
	struct attachment *attachment = &dsrd->attachments[index];
	const char *name = dsrd->director.ifaces[index].name;
	const bool was = withholding->on[index];

	if (attachment_withhold(attachment, &dsrd->director.ifaces[index], (uint16_t)index, dsrd->director.model)) {
		withholding->on[index] = attachment->withheld_count > 0;
		return;
	}
	withholding->on[index] = withholding->withhold != NULL &&
	    withhold_begin(withholding->withhold, index, name, withholding->reason) == 0;
	if (withholding->on[index] && !was)
		log_notice("withhold interface=%s result=on", name);
	if (!withholding->on[index] && !withholding->told[index])
		log_warning("withhold interface=%s result=failed reason=\"%s\" " MEANING, name, withholding->reason);
	withholding->told[index] = !withholding->on[index];
}

/* For the kernel's program. */
static void
set_vips(struct dsrd *dsrd)
{
	struct withholding *withholding = dsrd->withholding;
	const struct model *model = dsrd->director.model;
	struct withheld_vip *vips = calloc(model->vip_count + 1, sizeof(*vips));
	size_t count = 0, left;

	for (size_t i = 0; i < model->vip_count && vips != NULL; i++)
		if (model->vips[i].iface != IFACE_NONE)
			vips[count++] = (struct withheld_vip) { model->vips[i].addr, model->vips[i].iface };
	left = vips == NULL ? model->vip_count : withhold_set(withholding->withhold, vips, count);
	if (left > 0 && !withholding->crowded)
		log_warning("withhold result=incomplete vips=%zu reason=\"no room for so many\" " MEANING, left);
	withholding->crowded = left > 0;
	free(vips);
}

void
withholding_settle(struct dsrd *dsrd)
{
	if (dsrd->withholding == NULL)
		return;
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		struct attachment *attachment = &dsrd->attachments[i];

		if (model_vips_at(dsrd->director.model, i, ADDR_NONE) > 0 && attachment_is_open(attachment)) {
			begin(dsrd, i);
		} else {
			(void)attachment_withhold(attachment, &dsrd->director.ifaces[i], (uint16_t)i, dsrd->director.model);
			withholding_end(dsrd, i);
		}
	}
	if (dsrd->withholding->withhold != NULL)
		set_vips(dsrd);
}

void
withholding_end(struct dsrd *dsrd, size_t index)
{
	if (dsrd->withholding == NULL)
		return;
	if (dsrd->withholding->withhold != NULL)
		withhold_end(dsrd->withholding->withhold, index);
	dsrd->withholding->on[index] = false;
}

void
withholding_beat(struct dsrd *dsrd)
{
	if (dsrd->withholding != NULL && dsrd->withholding->withhold != NULL)
		withhold_beat(dsrd->withholding->withhold);
}

bool
withholding_is_on(const struct dsrd *dsrd, size_t index)
{
	return dsrd->withholding != NULL && dsrd->withholding->on[index] && !dsrd->withholding->crowded;
}
