/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/announce_stream.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/control.h"
#include "role/role.h"

#define LINE (ADDR_TEXT + 32)

bool
announce_streams_add(struct announce_streams *streams, struct control *control, const void *client, size_t group,
    FILE *out)
{
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++) {
		if (streams->list[i].client != NULL)
			continue;
		streams->list[i] = (struct announce_stream) { client, control, group, true };
		return true;
	}
	fprintf(out, "%d clients follow the announcements already: end one of them first\n", ANNOUNCE_STREAMS);
	return false;
}

void
announce_streams_leave(struct announce_streams *streams, const void *client)
{
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++)
		if (streams->list[i].client == client)
			memset(&streams->list[i], 0, sizeof(streams->list[i]));
}

static bool
stream_is_for(const struct announce_stream *stream, size_t group)
{
	return stream->client != NULL && (stream->group == ROLE_GROUPS || stream->group == group);
}

bool
announce_streams_any(const struct announce_streams *streams, size_t group)
{
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++)
		if (stream_is_for(&streams->list[i], group))
			return true;
	return false;
}

static bool
stream_write(const struct announce_stream *stream, const char *line)
{
	return control_stream(stream->control, stream->client, line, strlen(line));
}

static bool
stream_write_vip(const struct announce_stream *stream, const struct announce_status *status)
{
	char line[LINE], addr[ADDR_TEXT];

	addr_format(&status->addr, addr);
	if (announce_is_announced(&status->vip))
		(void)snprintf(line, sizeof(line), "up %s %" PRIu32 "\n", addr, status->vip.metric);
	else
		(void)snprintf(line, sizeof(line), "down %s\n", addr);
	return stream_write(stream, line);
}

void
announce_streams_tell(struct announce_streams *streams, const struct announce_status *status)
{
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++) {
		struct announce_stream *stream = &streams->list[i];

		if (stream_is_for(stream, status->group) && !stream->behind)
			stream->behind = !stream_write_vip(stream, status);
	}
}

static void
stream_write_all(struct announce_stream *stream, const void *first, size_t count, size_t stride)
{
	bool written = stream_write(stream, "begin\n");

	for (size_t i = 0; i < count && written; i++) {
		const struct announce_status *status = (const void *)((const char *)first + i * stride);

		if (stream_is_for(stream, status->group) && announce_is_announced(&status->vip))
			written = stream_write_vip(stream, status);
	}
	stream->behind = !written || !stream_write(stream, "end\n");
}

void
announce_streams_beat(struct announce_streams *streams, const void *first, size_t count, size_t stride)
{
	for (size_t i = 0; i < ANNOUNCE_STREAMS; i++) {
		struct announce_stream *stream = &streams->list[i];

		if (stream->client == NULL)
			continue;
		if (stream->behind)
			stream_write_all(stream, first, count, stride);
		(void)stream_write(stream, "beat\n");
	}
}
