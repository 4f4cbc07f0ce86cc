/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/bytes.h"
#include "base/text.h"
#include "cli/client.h"
#include "ctl/trace_record.h"

/* Block types and options: the draft's sections 4.1 to 4.3, and 3.5. */
#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_IFACE 1
#define BLOCK_FRAME 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define OPTION_END 0
#define OPTION_COMMENT 1
#define OPTION_PROGRAM 4 /* shb_userappl */
#define OPTION_NAME 2    /* if_name */
#define LINK_ETHERNET 1

/* Everything is filled up to 32 bits. */
static uint32_t
pcapng_padded(uint32_t length)
{
	return (length + 3) & ~3U;
}

static int
pcapng_put32(FILE *out, uint32_t value)
{
	uint8_t bytes[4];

	store32(bytes, value);
	return fwrite(bytes, sizeof(bytes), 1, out) == 1 ? 0 : -1;
}

static int
put_padded(FILE *out, const void *bytes, uint32_t length)
{
	static const uint8_t zeros[4] = { 0 };
	const uint32_t rest = pcapng_padded(length) - length;

	if (length > 0 && fwrite(bytes, length, 1, out) != 1)
		return -1;
	return rest == 0 || fwrite(zeros, rest, 1, out) == 1 ? 0 : -1;
}

/* One option and the end of options. */
static uint32_t
option_size(const char *text)
{
	return 4 + pcapng_padded((uint32_t)strlen(text)) + 4;
}

static int
put_option(FILE *out, uint16_t code, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);

	if (pcapng_put32(out, (uint32_t)code << 16 | length) == -1 || put_padded(out, text, length) == -1)
		return -1;
	return pcapng_put32(out, OPTION_END);
}

static int
put_section(FILE *out, const char *program)
{
	const uint32_t size = 28 + option_size(program);

	/* Version 1.0; the section's length is unspecified. */
	if (pcapng_put32(out, BLOCK_SECTION) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out,
	    BYTE_ORDER_MAGIC) == -1 ||
	    pcapng_put32(out, 1 << 16) == -1 || pcapng_put32(out, UINT32_MAX) == -1 || pcapng_put32(out,
	    UINT32_MAX) == -1)
		return -1;
	return put_option(out, OPTION_PROGRAM, program) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}

static int
put_iface(FILE *out, const char *name)
{
	const uint32_t size = 20 + option_size(name);

	/* No snap length. Times are in microseconds unless an option says otherwise. */
	if (pcapng_put32(out, BLOCK_IFACE) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out,
	    LINK_ETHERNET << 16) == -1 ||
	    pcapng_put32(out, 0) == -1)
		return -1;
	return put_option(out, OPTION_NAME, name) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}

int
pcapng_begin(FILE *out, const char *program, const char *const names[])
{
	int result = put_section(out, program);

	for (size_t i = 0; names[i] != NULL && result == 0; i++)
		result = put_iface(out, names[i]);
	return result;
}

int
pcapng_frame(FILE *out, uint32_t iface, uint64_t when, const uint8_t *bytes, uint32_t length, uint32_t wire,
    const char *comment)
{
	const uint32_t size = 32 + pcapng_padded(length) + option_size(comment);

	if (pcapng_put32(out, BLOCK_FRAME) == -1 || pcapng_put32(out, size) == -1 || pcapng_put32(out, iface) == -1 ||
	    pcapng_put32(out, (uint32_t)(when >> 32)) == -1 || pcapng_put32(out, (uint32_t)when) == -1 ||
	    pcapng_put32(out, length) == -1 ||
	    pcapng_put32(out, wire) == -1 || put_padded(out, bytes, length) == -1)
		return -1;
	return put_option(out, OPTION_COMMENT, comment) == -1 || pcapng_put32(out, size) == -1 ? -1 : 0;
}

#define LINE_TEXT 2048
#define TIME_TEXT 32

enum { IFACE_IN = 0, IFACE_OUT = 1 };

struct viewer {
	const char *path;    /* of the capture file; NULL: lines are printed */
	FILE *file;
	bool json;
	uint64_t most;       /* 0: no limit */
	uint64_t shown;
	uint64_t skipped;
	bool began;
	bool greeted;        /* TRACE_MAGIC has come */
	const char *trouble; /* why it ended early */
	struct trace_record record;
	uint8_t bytes[TRACE_RECORD_MOST + 4 + 16384]; /* what came, from the first record that is not complete */
	size_t length;
};

/* --- what a decision looks like --- */

static const char *
end_text(const struct addr *addr, uint16_t port, bool has_ports, char text[ADDR_PORT_TEXT])
{
	return has_ports ? addr_format_port(addr, port, text) : addr_format(addr, text);
}

/* Local time, as on the user's clock. */
static const char *
time_text(uint64_t when, char text[TIME_TEXT])
{
	const time_t seconds = (time_t)(when / 1000000);
	struct tm parts;
	char clock[16];

	if (localtime_r(&seconds, &parts) == NULL || strftime(clock, sizeof(clock), "%H:%M:%S", &parts) == 0)
		clock[0] = '\0';
	snprintf(text, TIME_TEXT, "%s.%06u", clock, (unsigned)(when % 1000000));
	return text;
}

struct line {
	char text[LINE_TEXT];
	size_t used;
};

static void PRINTF_LIKE(2, 3)
add(struct line *line, const char *format, ...)
{
	const size_t room = sizeof(line->text) - line->used;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(line->text + line->used, room, format, arguments);
	va_end(arguments);
	line->used += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

/* "verdict=forward protocol=tcp from=... to=... server=web/web1 state=syn new=yes" */
static void
trace_describe(struct line *line, const struct trace_record *record)
{
	char from[ADDR_PORT_TEXT], to[ADDR_PORT_TEXT];

	add(line, "verdict=%s", record->texts[TRACE_VERDICT]);
	if (record->texts[TRACE_REASON][0] != '\0')
		add(line, " reason=%s", record->texts[TRACE_REASON]);
	add(line, " protocol=%s", record->texts[TRACE_PROTOCOL]);
	if (addr_is_set(&record->vip))
		add(line, " from=%s to=%s", end_text(&record->client, record->client_port, record->has_ports, from),
		    end_text(&record->vip, record->vip_port, record->has_ports, to));
	if (record->texts[TRACE_SERVER][0] != '\0')
		add(line, " %s=%s", strchr(record->texts[TRACE_SERVER], '/') != NULL ? "server" : "service",
		    record->texts[TRACE_SERVER]);
	if (record->texts[TRACE_STATE][0] != '\0')
		add(line, " state=%s new=%s", record->texts[TRACE_STATE], record->begins ? "yes" : "no");
}

static void
describe_way(struct line *line, const struct trace_record *record)
{
	char from[MAC_TEXT], to[MAC_TEXT], way[TRACE_WAY_TEXT];

	add(line, " in=%s in-mac=%s>%s", record->texts[TRACE_CAME_BY], mac_format(&record->came_from, from),
	    mac_format(&record->came_to, to));
	if (record->texts[TRACE_LEFT_BY][0] != '\0')
		add(line, " out=%s out-mac=%s>%s", record->texts[TRACE_LEFT_BY], mac_format(&record->left_from, from),
		    mac_format(&record->left_to, to));
	add(line, "%s", trace_way_text(&record->way, way));
}

static void
trace_print_line(const struct trace_record *record)
{
	struct line line = { .used = 0 };
	char time[TIME_TEXT];

	add(&line, "%s ", time_text(record->when, time));
	trace_describe(&line, record);
	describe_way(&line, record);
	puts(line.text);
}

/* Texts of the stream have no quotes and no backslashes: names, numbers and addresses are all that is in them. */
static void
add_member(struct line *line, const char *name, const char *text)
{
	if (text[0] == '\0' || strpbrk(text, "\"\\") != NULL)
		add(line, ",\"%s\":null", name);
	else
		add(line, ",\"%s\":\"%s\"", name, text);
}

/* "outer_source", "outer_destination", and with ports "outer_source_port" and "outer_destination_port". */
static void
add_ends(struct line *line, const char *name, const struct trace_ends *ends)
{
	const bool known = addr_is_set(&ends->source);
	char member[32], text[ADDR_TEXT];

	snprintf(member, sizeof(member), "%s_source", name);
	add_member(line, member, known ? addr_format(&ends->source, text) : "");
	snprintf(member, sizeof(member), "%s_destination", name);
	add_member(line, member, known ? addr_format(&ends->destination, text) : "");
	if (known && ends->has_ports)
		add(line, ",\"%s_source_port\":%u,\"%s_destination_port\":%u", name, ends->source_port, name,
		    ends->destination_port);
}

static void
add_way(struct line *line, const struct trace_way *way)
{
	char text[ADDR_TEXT];

	add_member(line, "method", way->method);
	add_member(line, "gateway", addr_is_set(&way->gateway) ? addr_format(&way->gateway, text) : "");
	if (way->dscp != 0)
		add(line, ",\"dscp\":%u", way->dscp);
	add_ends(line, "outer", &way->outer);
	add_member(line, "tunnel", way->tunnel);
	add_member(line, "inner_protocol", way->inner_protocol);
	add_ends(line, "inner", &way->inner);
}

static void
print_json(const struct trace_record *record)
{
	static const char *const names[TRACE_TEXTS] = { "verdict", "reason", "protocol", "server", "state", "in",
	    "out" };
	const bool flow = addr_is_set(&record->vip), left = record->texts[TRACE_LEFT_BY][0] != '\0';
	struct line line = { .used = 0 };
	char text[ADDR_TEXT], mac[MAC_TEXT];

	add(&line, "{\"time\":%" PRIu64 ".%06u", record->when / 1000000, (unsigned)(record->when % 1000000));
	for (size_t i = 0; i < TRACE_TEXTS; i++)
		add_member(&line, names[i], record->texts[i]);
	add_member(&line, "client", flow ? addr_format(&record->client, text) : "");
	add_member(&line, "vip", flow ? addr_format(&record->vip, text) : "");
	if (record->has_ports)
		add(&line, ",\"client_port\":%u,\"vip_port\":%u", record->client_port, record->vip_port);
	add(&line, ",\"new\":%s", record->begins ? "true" : "false");
	add_member(&line, "in_source", mac_format(&record->came_from, mac));
	add_member(&line, "in_destination", mac_format(&record->came_to, mac));
	add_member(&line, "out_source", left ? mac_format(&record->left_from, mac) : "");
	add_member(&line, "out_destination", left ? mac_format(&record->left_to, mac) : "");
	add_way(&line, &record->way);
	add(&line, "}");
	puts(line.text);
}

/* --- the capture file --- */

static int
write_frames(FILE *file, const struct trace_record *record)
{
	struct line came = { .used = 0 }, left = { .used = 0 };
	char way[TRACE_WAY_TEXT];

	add(&came, "dsrd: ");
	trace_describe(&came, record);
	if (record->texts[TRACE_LEFT_BY][0] != '\0')
		add(&came, " out=%s", record->texts[TRACE_LEFT_BY]);
	if (record->way.method[0] == '\0')
		add(&came, "%s", trace_way_text(&record->way, way));
	if (record->incomplete)
		add(&came, " (frames that left are missing)");
	add(&left, "dsrd: sent for the frame before it, server=%s out=%s", record->texts[TRACE_SERVER],
	    record->texts[TRACE_LEFT_BY]);
	if (record->way.method[0] != '\0')
		add(&left, "%s", trace_way_text(&record->way, way));
	for (size_t i = 0; i < record->frame_count; i++) {
		const struct trace_frame *frame = &record->frames[i];

		if (pcapng_frame(file, frame->left ? IFACE_OUT : IFACE_IN, record->when, frame->bytes, frame->length,
		    frame->wire, frame->left ? left.text : came.text) == -1)
			return -1;
	}
	return 0;
}

/* --- the stream --- */

static bool
end_with(struct viewer *viewer, const char *trouble)
{
	viewer->trouble = trouble;
	return false;
}

/* False: that was the last one. */
static bool
trace_show(struct viewer *viewer)
{
	if (viewer->record.kind == TRACE_SKIPPED) {
		viewer->skipped += viewer->record.skipped;
		return true;
	}
	if (viewer->file != NULL) {
		if (write_frames(viewer->file, &viewer->record) == -1)
			return end_with(viewer, strerror(errno));
	} else if (viewer->json) {
		print_json(&viewer->record);
	} else {
		trace_print_line(&viewer->record);
	}
	viewer->shown++;
	return viewer->most == 0 || viewer->shown < viewer->most;
}

/* Shows all records that are complete. False: enough. */
static bool
trace_digest(struct viewer *viewer)
{
	size_t at = 0, used = 0;
	bool more = true;

	if (!viewer->greeted && viewer->length >= TRACE_MAGIC_LENGTH) {
		if (memcmp(viewer->bytes, TRACE_MAGIC, TRACE_MAGIC_LENGTH) != 0)
			return end_with(viewer, "dsrd and dsrctl are of different versions");
		viewer->greeted = true;
		at = TRACE_MAGIC_LENGTH;
	}
	while (viewer->greeted && more) {
		const enum trace_read read = trace_record_read(viewer->bytes + at, viewer->length - at, &viewer->record,
		    &used);

		if (read == TRACE_GARBLED)
			return end_with(viewer, "the stream from dsrd is garbled");
		if (read == TRACE_MORE)
			break;
		at += used;
		more = trace_show(viewer);
	}
	memmove(viewer->bytes, viewer->bytes + at, viewer->length - at);
	viewer->length -= at;
	return more;
}

static bool
take_piece(void *context, const uint8_t *bytes, size_t length)
{
	struct viewer *viewer = context;
	bool more = true;

	if (!viewer->began)
		fprintf(stderr, "dsrctl: tracing; Ctrl-C ends it\n");
	viewer->began = true;
	/* trace_digest() leaves less than a record, so there is always room for some more. */
	while (length > 0 && more) {
		const size_t room = sizeof(viewer->bytes) - viewer->length, now = length < room ? length : room;

		memcpy(viewer->bytes + viewer->length, bytes, now);
		viewer->length += now;
		bytes += now;
		length -= now;
		more = trace_digest(viewer);
	}
	if (fflush(viewer->file != NULL ? viewer->file : stdout) != 0)
		return end_with(viewer, strerror(errno));
	return more;
}

/* SIGINT and SIGTERM are blocked, so they stay pending until this check. */
static bool
is_told_to_stop(void *context UNUSED)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

static void
wait_for_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
}

/* --- the command --- */

static int
trace_take_options(struct viewer *viewer, const struct arguments *given)
{
	const char *count = given->options[OPTION_COUNT];

	viewer->path = given->options[OPTION_PCAPNG];
	if (count == NULL || text_number(count, 1, UINT64_MAX, &viewer->most) == 0)
		return 0;
	fprintf(stderr, "dsrctl: --count takes a number of decisions, from 1 on\n");
	return -1;
}

/* "frames" requests the frames too. Returns the number of words. */
static size_t
trace_take_words(const struct viewer *viewer, const struct wish *wish, const char *words[COMMAND_ARGUMENTS])
{
	size_t count = 0;

	if (viewer->path != NULL)
		words[count++] = "frames";
	for (size_t i = 0; i < wish->argument_count && count < COMMAND_ARGUMENTS; i++)
		words[count++] = wish->arguments[i];
	return count;
}

static int
trace_open_file(struct viewer *viewer)
{
	static const char *const names[] = { "in", "out", NULL };

	if (viewer->path == NULL)
		return 0;
	viewer->file = fopen(viewer->path, "wb");
	if (viewer->file != NULL && pcapng_begin(viewer->file, "dsrctl " PACKAGE_VERSION, names) == 0)
		return 0;
	fprintf(stderr, "dsrctl: cannot write %s: %s\n", viewer->path, strerror(errno));
	return -1;
}

/* The summary at the end. */
static enum ctl_status
trace_finish(const struct viewer *viewer)
{
	if (viewer->path != NULL)
		fprintf(stderr, "dsrctl: %" PRIu64 " decisions written to %s\n", viewer->shown, viewer->path);
	if (viewer->skipped > 0)
		fprintf(stderr, "dsrctl: %" PRIu64 " not shown: they arrived faster than they could be shown; use a "
		    "filter\n",
		    viewer->skipped);
	if (viewer->trouble == NULL)
		return CTL_OK;
	fprintf(stderr, "dsrctl: %s%s%s\n", viewer->path != NULL ? viewer->path : "", viewer->path != NULL ? ": " : "",
	    viewer->trouble);
	return CTL_FAILED;
}

static enum ctl_status
trace_run(struct viewer *viewer, const struct wish *wish)
{
	const struct client_stream stream = { take_piece, is_told_to_stop, viewer };
	struct request request = { .length = 0 };
	struct client_answer answer;
	enum client_result result;
	char error[CLIENT_ERROR];
	const char *words[COMMAND_ARGUMENTS];
	const size_t count = trace_take_words(viewer, wish, words);

	request_make(&request, COMMAND_TRACE, words, count, wish->json);
	result = client_follow(wish->socket, request.bytes, commands[COMMAND_TRACE].wait, &stream, &answer, error);
	if (result != CLIENT_OK) {
		fprintf(stderr, "dsrctl: %s\n", error);
		return result == CLIENT_ABSENT ? CTL_NO_DAEMON : CTL_FAILED;
	}
	if (answer.status == 200)
		return trace_finish(viewer);
	return ask_refused(wish, &answer);
}

enum ctl_status
trace(const struct wish *wish, const struct arguments *given)
{
	struct viewer *viewer = calloc(1, sizeof(*viewer));
	enum ctl_status status = CTL_FAILED;

	if (viewer == NULL) {
		fprintf(stderr, "dsrctl: out of memory\n");
		return CTL_FAILED;
	}
	viewer->json = wish->json;
	wait_for_signals();
	if (trace_take_options(viewer, given) == -1)
		status = CTL_USAGE;
	else if (trace_open_file(viewer) == 0)
		status = trace_run(viewer, wish);
	if (viewer->file != NULL && fclose(viewer->file) != 0) {
		fprintf(stderr, "dsrctl: cannot write %s: %s\n", viewer->path, strerror(errno));
		status = CTL_FAILED;
	}
	free(viewer);
	return status;
}
