/* SPDX-License-Identifier: ISC */
/* Other views of the model: by name, or as the settings it was made from. */
#include "config.h"

#include "model/model.h"

#include <stdlib.h>
#include <string.h>

struct server *
model_find(const struct model *model, const char *name)
{
	const char *slash = strchr(name, '/');

	for (size_t i = 0; slash != NULL && i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (strlen(service->settings.name) != (size_t)(slash - name) ||
		    strncmp(service->settings.name, name, (size_t)(slash - name)) != 0)
			continue;
		for (size_t j = 0; j < service->server_count; j++)
			if (strcmp(service->servers[j]->settings.name, slash + 1) == 0)
				return service->servers[j];
	}
	return NULL;
}

static int
view_service(const struct service *service, struct service_settings *settings)
{
	*settings = service->settings;
	settings->servers = calloc(service->server_count + 1, sizeof(*settings->servers));
	if (settings->servers == NULL)
		return -1;
	settings->server_count = service->server_count;
	for (size_t i = 0; i < service->server_count; i++)
		settings->servers[i] = service->servers[i]->settings;
	return 0;
}

int
model_settings(const struct model *model, struct settings *settings)
{
	memset(settings, 0, sizeof(*settings));
	settings->hash_key = model->hash_key;
	memcpy(settings->probe_addresses, model->probe_addresses, sizeof(settings->probe_addresses));
	settings->services = calloc(model->service_count + 1, sizeof(*settings->services));
	if (settings->services == NULL)
		return -1;
	for (size_t i = 0; i < model->service_count; i++) {
		if (view_service(model->services[i], &settings->services[i]) == -1) {
			model_settings_done(settings);
			return -1;
		}
		settings->service_count++;
	}
	return 0;
}

void
model_settings_done(struct settings *settings)
{
	for (size_t i = 0; i < settings->service_count; i++)
		free(settings->services[i].servers);
	free(settings->services);
	memset(settings, 0, sizeof(*settings));
}
