/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "cli/top.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/text.h"

#define LINE_MOST 512
/* Services get a third of the screen at most; headers, gaps and the line of keys are five. */
#define SERVICES_SHARE 3
#define LINES_AROUND 6

/* ECMA-48 SGR. */
#define GOOD "\033[32m"
#define WARN "\033[33m"
#define BAD "\033[31m"
#define HEAD "\033[1m"
#define PLAIN "\033[0m"

struct pen {
	FILE *out;
	const struct view *view;
	unsigned line;
};

/* One line, cut where the screen ends. The last one of a screen ends without a line feed, which would scroll it. */
static void PRINTF_LIKE(3, 4)
put(struct pen *pen, const char *escape, const char *format, ...)
{
	const struct view *view = pen->view;
	const bool screen = view->rows > 0;
	char text[LINE_MOST];
	va_list arguments;
	size_t length;

	if (screen && pen->line >= view->rows)
		return;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	length = strlen(text);
	if (screen && length > view->columns)
		length = view->columns;
	while (length > 0 && text[length - 1] == ' ')
		length--;
	pen->line++;
	fprintf(pen->out, "%s%.*s%s%s", view->colour ? escape : "", (int)length, text,
	    *escape == '\0' ? "" : (view->colour ? PLAIN : ""), screen ? "\033[K" : "");
	if (!screen || pen->line < view->rows)
		fputc('\n', pen->out);
}

static const char *
state_escape(const char *state)
{
	if (strcmp(state, "up") == 0)
		return "";
	return strcmp(state, "down") == 0 ? BAD : WARN;
}

static int
name_width(const struct top_lines *lines, size_t least)
{
	size_t width = least;

	for (size_t i = 0; i < lines->count; i++)
		if (strlen(lines->rows[i].name) > width)
			width = strlen(lines->rows[i].name);
	return (int)width;
}

static void
put_summary(struct pen *pen, const struct snapshot *snapshot)
{
	char uptime[DURATION_TEXT];

	put(pen, HEAD, "dsrd %s  up %s  flows %" PRIu64 " of %" PRIu64 "  dropped %" PRIu64 "%s%s", snapshot->version,
	    text_format_duration(SECONDS(snapshot->uptime), uptime), snapshot->flows, snapshot->flow_capacity,
	    snapshot->dropped, snapshot->observe ? "  observing: nothing is sent" : "",
	    pen->view->paused ? "  PAUSED" : "");
	if (pen->view->trouble != NULL)
		put(pen, BAD, "%s", pen->view->trouble);
	else if (pen->view->typing || pen->view->arrangement.filter[0] != '\0')
		put(pen, WARN, "filter: %s%s", pen->view->arrangement.filter, pen->view->typing ? "_" : "");
	else
		put(pen, "", "%s", "");
}

size_t
screen_services_room(const struct snapshot *snapshot, const struct view *view)
{
	const size_t most = view->rows / SERVICES_SHARE, count = snapshot->services.shown;

	return view->rows == 0 || count < most ? count : most;
}

static void
put_services(struct pen *pen, const struct snapshot *snapshot)
{
	const int width = name_width(&snapshot->services, strlen("SERVICE"));
	const size_t shown = screen_services_room(snapshot, pen->view), first = pen->view->first_service;

	put(pen, HEAD, "%-*s  %-8s  %3s %-3s  %-14s  %8s  %9s  %10s  %10s", width, "SERVICE", "STATE", "UP", "OF",
	    "SCHEDULER",
	    "CONN/S", "PACKETS/S", "IN", "OUT");
	for (size_t i = first; i < first + shown; i++) {
		const struct top_line *line = &snapshot->services.rows[i];
		char in[AMOUNT_TEXT], out[AMOUNT_TEXT];

		put(pen, state_escape(line->state), "%-*s  %-8s  %3" PRIu64 " %-3" PRIu64 "  %-14s  %8" PRIu64 "  %9"
		    PRIu64
		    "  %10s  %10s", width, line->name, line->state, line->servers_up, line->servers, line->scheduler,
		    line->connections, line->packets, text_format_speed(line->in, in),
		    text_format_speed(line->out, out));
	}
	put(pen, "", "%s", "");
}

static void
put_server(struct pen *pen, const struct top_line *line, int width)
{
	char in[AMOUNT_TEXT], out[AMOUNT_TEXT], handshake[AMOUNT_TEXT];

	put(pen, state_escape(line->state), "%-*s  %-8s  %6" PRIu64 "  %8" PRIu64 "  %8" PRIu64 "  %9" PRIu64
	    "  %10s  %10s"
	    "  %9s  %s", width, line->name, line->state, line->weight, line->active, line->connections, line->packets,
	    text_format_speed(line->in, in), text_format_speed(line->out, out), line->handshake == 0 ? "-" :
	    text_format_latency(line->handshake, handshake),
	    line->why);
}

size_t
screen_room(const struct snapshot *snapshot, const struct view *view)
{
	const size_t around = LINES_AROUND + screen_services_room(snapshot, view);

	if (view->rows == 0)
		return snapshot->servers.shown;
	return view->rows > around ? view->rows - around : 1;
}

/* "servers 1-20 of 500" */
static void
put_range(const char *what, size_t first, size_t room, size_t count, char *text, size_t size)
{
	const size_t last = first + room < count ? first + room : count;

	snprintf(text, size, "%s %zu-%zu of %zu", what, last > 0 ? first + 1 : 0, last, count);
}

static void
put_keys(struct pen *pen, const struct snapshot *snapshot, size_t room)
{
	const struct view *view = pen->view;
	char servers[64], services[64];

	put_range("servers", view->first, room, snapshot->servers.shown, servers, sizeof(servers));
	put_range("services", view->first_service, screen_services_room(snapshot, view), snapshot->services.shown,
	    services,
	    sizeof(services));
	while (pen->line + 1 < view->rows)
		put(pen, "", "%s", "");
	put(pen, HEAD, "%s  %s  sort: %s%s  ? help  q quit", view->on_services ? services : servers,
	    view->on_services ? servers : services, snapshot_order_name(view->arrangement.order),
	    view->arrangement.reversed ? ", reversed" : "");
}

static void
put_help(struct pen *pen)
{
	static const char *const lines[] = { "q, Ctrl-C       quit", "?, h            this help; any key ends it",
		"/               filter: part of a name, a state or a reason, or a pattern such as shop-*/web3;",
		"                Enter keeps it, Esc ends it",
		"s, S            sort the servers by the next or the previous of: as configured, out, connections, "
		    "active,",
		"                handshake, state", "r               reverse the order", "p               pause, or go "
		    "on",
		"Tab             scroll the services, or the servers",
		"arrows, j, k    scroll; so do PgUp, PgDn, blank, Home, End" };

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		put(pen, "", "%s", lines[i]);
	while (pen->line < pen->view->rows)
		put(pen, "", "%s", "");
}

void
screen_draw(const struct snapshot *snapshot, struct view *view, FILE *out)
{
	const int width = name_width(&snapshot->servers, strlen("SERVER"));
	const size_t room = screen_room(snapshot, view), count = snapshot->servers.shown;
	const size_t services = screen_services_room(snapshot, view); /* at most all of them */
	struct pen pen = { out, view, 0 };

	/* Nothing is scrolled past its end. */
	if (view->first + room > count)
		view->first = count > room ? count - room : 0;
	if (view->first_service + services > snapshot->services.shown)
		view->first_service = snapshot->services.shown - services;
	if (view->rows > 0)
		fputs("\033[H", out);
	if (view->rows > 0 && view->help) {
		put_help(&pen);
		fputs("\033[J", out);
		return;
	}
	put_summary(&pen, snapshot);
	put_services(&pen, snapshot);
	put(&pen, HEAD, "%-*s  %-8s  %6s  %8s  %8s  %9s  %10s  %10s  %9s  %s", width, "SERVER", "STATE", "WEIGHT",
	    "ACTIVE",
	    "CONN/S", "PACKETS/S", "IN", "OUT", "HANDSHAKE", "WHY");
	for (size_t i = view->first; i < count && i < view->first + room; i++)
		put_server(&pen, &snapshot->servers.rows[i], width);
	if (view->rows > 0)
		put_keys(&pen, snapshot, room);
	else
		fputc('\n', out);
	/* What a larger screen has left. */
	if (view->rows > 0)
		fputs("\033[J", out);
}
