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
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MOST LOG_TEXT /* what every syslog daemon takes: RFC 3164 section 4.1 stops at 1024 with its header */
#define TIME_TEXT 40

static struct {
	enum log_sink sink;
	int verbosity;
	bool journal; /* standard error is systemd's journal, which stamps lines itself */
	void (*take)(void *context, int level, const char *line);
	void *context;
} state;

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
	if (state.sink == SINK_SYSLOG)
		closelog();
	state.sink = sink;
	state.verbosity = verbosity;
	state.journal = sink == SINK_STDERR && stderr_is_journal();
	/* LOG_NDELAY: connect now, as later we may be in a chroot or without the right to. */
	if (sink == SINK_SYSLOG)
		openlog("dsrd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
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

/* What came from the network or a file must neither begin a line of its own nor move a terminal's cursor. */
static void
clean_line(char *line)
{
	for (; *line != '\0'; line++) {
		if ((unsigned char)*line < 0x20 || *line == 0x7f)
			*line = '?';
	}
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

static void
write_stderr(int level, const char *line)
{
	char out[LINE_MOST + TIME_TEXT + 16];
	char when[TIME_TEXT];

	if (state.journal)
		(void)snprintf(out, sizeof(out), "<%d>%s\n", level, line);
	else
		(void)snprintf(out, sizeof(out), "%s %s %s\n", format_time(when), level_names[level], line);
	/* One call, one write: lines of several writers do not mix. */
	(void)fputs(out, stderr);
}

void
log_subscribe(void (*take)(void *context, int level, const char *line), void *context)
{
	state.take = take;
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
		clean_line(line);
		if (state.sink == SINK_SYSLOG)
			syslog(level, "%s", line);
		else
			write_stderr(level, line);
		if (event && state.take != NULL && level <= LOG_NOTICE)
			state.take(state.context, level, line);
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
