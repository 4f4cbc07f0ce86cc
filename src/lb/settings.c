/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "lb/settings.h"

#include <stdlib.h>
#include <string.h>

#include "proto/packet.h"

void
settings_clear(struct settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		free(settings->services[i].listens);
		free(settings->services[i].servers);
	}
	free(settings->services);
	memset(settings, 0, sizeof(*settings));
}

uint16_t
service_check_port(const struct service_settings *service)
{
	if (service->check.port != 0)
		return service->check.port;
	for (size_t i = 0; i < service->listen_count; i++) {
		const struct listen_settings *listen = &service->listens[i];
		bool all = listen->first <= 1 && listen->last == UINT16_MAX;

		if (listen->protocol == PROTOCOL_TCP && !all)
			return listen->first;
	}
	return 0;
}
