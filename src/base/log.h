/* SPDX-License-Identifier: ISC */
/*
 * The log: one line per event. A line starts with the event's name, followed by key=value pairs, readable for people
 * and programs: `server-state server=web/web1 from=up to=down reason="connection refused"`. Nothing on the path of a
 * frame logs. This is the project's only mutable global.
 *
 * On standard error a time (RFC 3339, UTC) and the level stand before the line, or "<level>" alone when systemd's
 * journal reads it. Control characters (also U+0080 to U+009F) and what is not UTF-8 become '?', what is longer than
 * 999 bytes is cut. errno stays as it was.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum log_sink {
	SINK_STDERR = 0, /* also before log_open() */
	SINK_SYSLOG
};

/* Verbosity 0 shows errors, warnings and notices; 1 adds info; 2 adds debug. May be called again. */
void log_open(enum log_sink sink, int verbosity);

/*
 * From now on no line waits for its reader (a journal, a syslog daemon, a pipe): what is not taken at once waits in a
 * ring, `waiting` is called when that begins, and log_drain() is to be called again and again until it returns false.
 * What the ring has no room for is lost and counted; the log says so with `log-lost` when it works again. NULL ends it:
 * what waits has a second to get out, and later lines wait for their reader again.
 */
void log_async(void (*waiting)(void *context), void *context);
/* Writes what the reader accepts now. Returns whether lines are still queued. */
bool log_drain(void);
/* Lines lost since startup. */
uint64_t log_lines_lost(void);

/*
 * Also gives every line of level notice or above to `subscriber`, with syslog(3)'s number of the level, whatever the
 * verbosity; log_dump()'s are none of them. `subscriber` must not log. There is one such reader; NULL ends it.
 */
void log_subscribe(void (*subscriber)(void *context, int level, const char *line), void *context);
/* "error", "warning", "notice", "info", "debug". */
const char *log_level_name(int level);

/*
 * A text from outside, as it stands between double quotes in a line: with a backslash before each `"` and `\`, and cut
 * to what a line can hold. Returns `text`.
 */
#define LOG_TEXT 1000
#define LOG_LINE (LOG_TEXT + 120) /* with its time and level, or syslog's header */
const char *log_escape(const char *from, char text[LOG_TEXT]);

/* A person must act. */
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
/* Something works less well than it should: a server went down, a setting will hurt. */
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
/* Normal but worth knowing: started, reloaded, a server came back. */
void log_notice(const char *format, ...) PRINTF_LIKE(1, 2);
/* Like log_notice(), for state that was requested (SIGUSR1, the counters at exit): not an event. */
void log_dump(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
