/* SPDX-License-Identifier: ISC */
/*
 * The input is a request to the privileged process, behind a byte with the number of its descriptors. One that is
 * accepted has a known operation, a name or an address that this operation takes and nothing else, and is the input
 * to the byte.
 */
#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/privsep_message.h"
#include "offload/attach.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds)
{
	if (!holds)
		abort();
}

static bool
takes_iface(uint32_t operation)
{
	switch ((enum privsep_operation)operation) {
	case PRIVSEP_PING:
	case PRIVSEP_SYNC_KEY:
	case PRIVSEP_PEER_LISTEN:
	case PRIVSEP_LAUNCHER:
	case PRIVSEP_CHECKER:
	case PRIVSEP_ROUTES:
		return false;
	case PRIVSEP_CAPTURE:
	case PRIVSEP_SENDER:
	case PRIVSEP_OFFLOADS_OFF:
	case PRIVSEP_OFFLOADS_RESTORE:
	case PRIVSEP_ATTACH:
	case PRIVSEP_DETACH:
	case PRIVSEP_LOCK:
	case PRIVSEP_UNLOCK:
		break;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct privsep_request request;
	size_t descriptors;

	if (size == 0)
		return 0;
	descriptors = data[0];
	if (privsep_message_read(data + 1, size - 1, descriptors, &request) == -1)
		return 0;
	require(size - 1 == sizeof(request) && memcmp(&request, data + 1, sizeof(request)) == 0);
	require(request.operation >= PRIVSEP_CAPTURE && request.operation <= PRIVSEP_ROUTES);
	require(descriptors == (request.operation == PRIVSEP_ATTACH));
	require(memchr(request.iface, '\0', IFACE_NAME) != NULL);
	require((request.iface[0] != '\0') == takes_iface(request.operation));
	require(strchr(request.iface, '/') == NULL && strcmp(request.iface, "..") != 0);
	require((request.addr.family != 0) == (request.operation == PRIVSEP_PING));
	if (request.operation == PRIVSEP_ATTACH || request.operation == PRIVSEP_DETACH)
		require(request.value < ATTACH_PLACES);
	else if (request.operation != PRIVSEP_OFFLOADS_RESTORE)
		require(request.value == 0);
	return 0;
}
