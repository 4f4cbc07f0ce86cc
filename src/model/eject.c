/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/eject.h"

uint64_t
eject_duration(const struct eject *eject)
{
	const uint64_t duration = EJECT_BASE * ((uint64_t)eject->times + 1);

	return duration < EJECT_MOST ? duration : EJECT_MOST;
}

bool
eject_may(size_t servers, size_t out, unsigned most)
{
	const size_t share = servers * most / 100;

	return out < (share > 0 ? share : 1) && servers > out + 1;
}

void
eject_begin(struct eject *eject, uint64_t now)
{
	eject->until = now + eject_duration(eject);
	eject->settled = now;
	eject->total++;
	if (eject->times < EJECT_MOST / EJECT_BASE)
		eject->times++;
}

bool
eject_tick(struct eject *eject, bool fine, uint64_t now)
{
	if (eject->until != 0) {
		if (now < eject->until)
			return false;
		eject->until = 0;
		eject->settled = now;
		return true;
	}
	if (!fine) {
		eject->settled = now;
	} else if (eject->times > 0 && now - eject->settled >= EJECT_BASE) {
		eject->times--;
		eject->settled = now;
	}
	return false;
}
