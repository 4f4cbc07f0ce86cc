/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/log.h"

#include <sys/stat.h>
#include <sys/time.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/log_output.h"
#include "base/text.h"

#define LINE_MOST LOG_TEXT /* what every syslog daemon takes: RFC 3164 section 4.1 stops at 1024 with its header */
#define TIME_TEXT 64
/* At the end: how long lines wait for a reader that has stalled, in milliseconds. */
#define FINISH_PATIENCE 1000

static struct {
	struct log_output output;
	int verbosity;
	bool journal; /* standard error is systemd's journal, which stamps lines itself */
	void (*subscriber)(void *context, int level, const char *line);
	void *context;
	void (*waiting)(void *context); /* lines begin to wait in the ring */
	void *waiting_context;
	bool reporting;
	uint64_t reported; /* of the lines that were lost: how many the log has mentioned */
} state = { .output.fd = -1 };

static const char *const level_names[] = {
	[LOG_ERR] = "error",
	[LOG_WARNING] = "warning",
	[LOG_NOTICE] = "notice",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

/* Is standard error the very pipe that JOURNAL_STREAM names as "device:inode"? See systemd.exec(5). */
static bool
stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;
	char *end;

	if (text == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	device = strtoumax(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	text = end + 1;
	inode = strtoumax(text, &end, 10);
	return end != text && *end == '\0' && device == (uintmax_t)st.st_dev && inode == (uintmax_t)st.st_ino;
}

void
log_open(enum log_sink sink, int verbosity)
{
	log_output_open(&state.output, sink);
	state.verbosity = verbosity;
	state.journal = sink == SINK_STDERR && stderr_is_journal();
}

/* RFC 3339, in UTC: logs of several directors line up, and no time zone file is needed after privileges are gone. */
static const char *
format_time(char text[TIME_TEXT])
{
	struct timeval now = { 0, 0 };
	struct tm tm;
	size_t length;
	time_t seconds;

	(void)gettimeofday(&now, NULL);
	seconds = now.tv_sec;
	if (gmtime_r(&seconds, &tm) == NULL)
		return "-";
	length = strftime(text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(text + length, TIME_TEXT - length, ".%03dZ", (int)(now.tv_usec / 1000));
	return text;
}

const char *
log_escape(const char *from, char text[LOG_TEXT])
{
	size_t used = 0;

	/* An escape is never cut in two. */
	for (; *from != '\0' && used + 2 < LOG_TEXT; from++) {
		if (*from == '"' || *from == '\\')
			text[used++] = '\\';
		text[used++] = *from;
	}
	text[used] = '\0';
	return text;
}

/* RFC 3164 section 4.1.2: local time, English months, and no year. */
static const char *
format_syslog_time(char text[TIME_TEXT])
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
		"Dec" };
	const time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		memset(&tm, 0, sizeof(tm));
	(void)snprintf(text, TIME_TEXT, "%s %2d %02d:%02d:%02d", months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min,
	    tm.tm_sec);
	return text;
}

static int
write_record(int level, const char *line)
{
	char out[LOG_LINE];
	char when[TIME_TEXT];
	int length;

	/* One call, one write: lines of several writers do not mix. The zero at the end is for syslog on a stream. */
	if (state.output.sink == SINK_SYSLOG)
		length = 1 + snprintf(out, sizeof(out), "<%d>%s dsrd[%ld]: %s", LOG_DAEMON | level,
		    format_syslog_time(when), (long)getpid(), line);
	else if (state.journal)
		length = snprintf(out, sizeof(out), "<%d>%s\n", level, line);
	else
		length = snprintf(out, sizeof(out), "%s %s %s\n", format_time(when), level_names[level], line);
	return log_output_write(&state.output, out, (size_t)length);
}

/* Once lines get out again, the log says how many did not. */
static void
report_lost(void)
{
	const uint64_t lost = state.output.lost, count = lost - state.reported;

	if (count == 0 || state.reporting || log_output_waiting(&state.output))
		return;
	state.reporting = true;
	log_warning("log-lost count=%" PRIu64 " meaning=\"the reader of the log had stalled, and the ring was full\"",
	    count);
	state.reporting = false;
	if (state.output.lost == lost)
		state.reported = lost;
}

void
log_async(void (*waiting)(void *context), void *context)
{
	state.output.async = waiting != NULL;
	state.waiting = waiting;
	state.waiting_context = context;
	if (waiting == NULL)
		log_output_finish(&state.output, FINISH_PATIENCE);
}

bool
log_drain(void)
{
	log_output_drain(&state.output);
	report_lost();
	return log_output_waiting(&state.output);
}

uint64_t
log_lines_lost(void)
{
	return state.output.lost;
}

static void
put_line(int level, const char *line)
{
	const bool waited = log_output_waiting(&state.output);

	if (write_record(level, line) == 0)
		report_lost();
	if (!waited && log_output_waiting(&state.output) && state.waiting != NULL)
		state.waiting(state.waiting_context);
}

void
log_subscribe(void (*subscriber)(void *context, int level, const char *line), void *context)
{
	state.subscriber = subscriber;
	state.context = context;
}

const char *
log_level_name(int level)
{
	return level >= LOG_ERR && level <= LOG_DEBUG ? level_names[level] : "?";
}

/* An event is news: subscribers have it too. */
static void PRINTF_LIKE(3, 0)
write_line(int level, bool event, const char *format, va_list args)
{
	char line[LINE_MOST];
	int saved = errno;

	if (level > LOG_NOTICE + state.verbosity)
		return;
	if (vsnprintf(line, sizeof(line), format, args) >= 0) {
		text_clean(line);
		put_line(level, line);
		if (event && state.subscriber != NULL && level <= LOG_NOTICE)
			state.subscriber(state.context, level, line);
	}
	errno = saved;
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_ERR, true, format, args);
	va_end(args);
}

void
log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_WARNING, true, format, args);
	va_end(args);
}

void
log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_NOTICE, true, format, args);
	va_end(args);
}

void
log_dump(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_NOTICE, false, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_INFO, true, format, args);
	va_end(args);
}

void
log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(LOG_DEBUG, true, format, args);
	va_end(args);
}
