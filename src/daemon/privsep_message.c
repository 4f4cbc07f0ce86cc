/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/privsep_message.h"

#include <stdbool.h>
#include <string.h>

#include "offload/attach.h"

#define OFFLOADS_MOST 0xffU /* bits of struct offload: there are fewer */

/* What an operation takes; everything else must be zero. */
static const struct shape {
	bool iface;
	bool addr;
	uint32_t value_most;
	size_t descriptors;
} shapes[] = {
	[PRIVSEP_CAPTURE] = { .iface = true },
	[PRIVSEP_SENDER] = { .iface = true },
	[PRIVSEP_OFFLOADS_OFF] = { .iface = true },
	[PRIVSEP_OFFLOADS_RESTORE] = { .iface = true, .value_most = OFFLOADS_MOST },
	[PRIVSEP_ATTACH] = { .iface = true, .value_most = ATTACH_PLACES - 1, .descriptors = 1 },
	[PRIVSEP_DETACH] = { .iface = true, .value_most = ATTACH_PLACES - 1 },
	[PRIVSEP_PING] = { .addr = true },
	[PRIVSEP_LOCK] = { .iface = true },
	[PRIVSEP_UNLOCK] = { .iface = true },
	[PRIVSEP_SYNC_KEY] = { .iface = false },
	[PRIVSEP_PEER_LISTEN] = { .iface = false },
	[PRIVSEP_LAUNCHER] = { .iface = false },
	[PRIVSEP_CHECKER] = { .iface = false },
	[PRIVSEP_ROUTES] = { .iface = false },
};

static bool
is_zero(const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (((const uint8_t *)bytes)[i] != 0)
			return false;
	return true;
}

/* Ends within its room, with zeros behind, and is no path and no option. */
static bool
is_iface_name(const char name[IFACE_NAME])
{
	const size_t length = strnlen(name, IFACE_NAME);

	if (length == 0 || length == IFACE_NAME || !is_zero(name + length, IFACE_NAME - length))
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] <= ' ' || name[i] == '/' || name[i] == 0x7f)
			return false;
	return name[0] != '-' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int
privsep_message_read(const void *bytes, size_t length, size_t descriptors, struct privsep_request *request)
{
	const struct shape *shape;

	if (length != sizeof(*request))
		return -1;
	memcpy(request, bytes, sizeof(*request));
	if (request->operation < PRIVSEP_CAPTURE || request->operation >= ARRAY_LEN(shapes))
		return -1;
	shape = &shapes[request->operation];
	if (descriptors != shape->descriptors || request->value > shape->value_most ||
	    !is_zero(request->zero, sizeof(request->zero)))
		return -1;
	if (shape->iface ? !is_iface_name(request->iface) : !is_zero(request->iface, IFACE_NAME))
		return -1;
	if (!shape->addr)
		return is_zero(&request->addr, sizeof(request->addr)) ? 0 : -1;
	if (request->addr.family == ADDR_IPV4)
		return is_zero(request->addr.bytes + 4, sizeof(request->addr.bytes) - 4) ? 0 : -1;
	return request->addr.family == ADDR_IPV6 ? 0 : -1;
}
