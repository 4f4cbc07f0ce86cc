/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/reader.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"

/*
 * Configurations of other programs, which people give to dsrd when they change over: one hint says more than an error a
 * line. They are known by the first words of lines; a mark that ends in a blank is followed by more.
 */
static const struct {
	const char *mark;
	const char *file;
	bool converts; /* ipvs2dsrd reads it */
} programs[] = {
	{ "! Configuration File for keepalived", "a keepalived.conf", true },
	{ "global_defs", "a keepalived.conf", true },
	{ "vrrp_instance ", "a keepalived.conf", true },
	{ "vrrp_sync_group ", "a keepalived.conf", true },
	{ "vrrp_script ", "a keepalived.conf", true },
	{ "virtual_server ", "a keepalived.conf", true },
	{ "virtual_server_group ", "a keepalived.conf", true },
	{ "-A -t ", "output of ipvsadm-save", true },
	{ "-A -u ", "output of ipvsadm-save", true },
	{ "-A -f ", "output of ipvsadm-save", true },
	{ "checktimeout=", "an ldirectord.cf", true },
	{ "checkinterval=", "an ldirectord.cf", true },
	{ "quiescent=", "an ldirectord.cf", true },
	{ "autoreload=", "an ldirectord.cf", true },
	{ "virtual=", "an ldirectord.cf", true },
	{ "global", "a haproxy.cfg", false },
	{ "defaults", "a haproxy.cfg", false },
	{ "frontend ", "a haproxy.cfg", false },
	{ "backend ", "a haproxy.cfg", false },
	{ "upstream ", "a configuration of nginx", false },
};

/* The text of `line` without blanks before its `=`. */
static bool
foreign_begins(const char *line, const char *mark)
{
	const size_t length = strlen(mark);
	const char last = mark[length - 1];
	const size_t word = last == '=' ? length - 1 : length;

	if (strncmp(line, mark, word) != 0)
		return false;
	line += word;
	if (last == ' ')
		return true;
	if (last == '=')
		return line[strspn(line, " \t")] == '=';
	return *line == '\0' || *line == ' ' || *line == '\t' || *line == '{';
}

/*
 * Is this line, which is none of dsrd.conf, one that another program's file has? Then `text` gets what to do with that
 * file, and it is returned; else NULL. `line` is without blanks at both ends, `name` the path of the file.
 */
#define FOREIGN_TEXT 512
static const char *
foreign_hint(const char *line, const char *name, char text[FOREIGN_TEXT])
{
	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		int length;

		if (!foreign_begins(line, programs[i].mark))
			continue;
		length = snprintf(text, FOREIGN_TEXT, "this looks like %s, not like a dsrd.conf", programs[i].file);
		if (programs[i].converts)
			(void)snprintf(text + length, FOREIGN_TEXT - (size_t)length,
			    ": `ipvs2dsrd -v interface=eth0 %s >dsrd.conf` converts it", name);
		else
			(void)snprintf(text + length, FOREIGN_TEXT - (size_t)length,
			    ": see EXAMPLES in dsrd.conf(5), and begin with [dsrd]");
		return text;
	}
	return NULL;
}

struct reader {
	FILE *in;
	const char *file;
	struct errlist *errors;
	const struct reader_events *events;
	unsigned line;
	bool headed;  /* a section header was read */
	bool foreign; /* it is another program's file: the rest is not read */
	bool lost; /* after a bad section header: the section of the keys is unknown */

	/* The line being read, from its first non-blank character to its comment. */
	char text[READER_LINE + 1];
	size_t length;
	bool too_long;
	bool comment;
	int bad_byte; /* a control character, or -1 */
};

static bool
reader_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Some editors put a byte order mark (RFC 3629 section 6) before the first line. */
static bool
byte_order_mark(const struct reader *reader, size_t offset, int c)
{
	static const unsigned char mark[] = { 0xef, 0xbb, 0xbf };

	return reader->line == 1 && offset < sizeof(mark) && c == mark[offset];
}

static void
reader_take_byte(struct reader *reader, int c)
{
	if ((c < 0x20 && !reader_blank(c)) || c == 0x7f)
		reader->bad_byte = c;
	if (reader->comment)
		return;
	if (reader_blank(c) && reader->length == 0)
		return;
	if ((c == ';' || c == '#') && (reader->length == 0 || reader_blank(reader->text[reader->length - 1]))) {
		reader->comment = true;
		return;
	}
	if (reader->length == READER_LINE)
		reader->too_long = reader->too_long || !reader_blank(c);
	else
		reader->text[reader->length++] = (char)c;
}

/* False at the end of the file. */
static bool
reader_read_line(struct reader *reader)
{
	size_t offset = 0;
	int c = getc(reader->in);

	if (c == EOF)
		return false;
	reader->line++;
	reader->length = 0;
	reader->too_long = false;
	reader->comment = false;
	reader->bad_byte = -1;
	for (; c != EOF && c != '\n'; c = getc(reader->in), offset++) {
		if (!byte_order_mark(reader, offset, c))
			reader_take_byte(reader, c);
	}
	while (reader->length > 0 && reader_blank(reader->text[reader->length - 1]))
		reader->length--;
	reader->text[reader->length] = '\0';
	return true;
}

static bool
check_bytes(struct reader *reader)
{
	if (reader->bad_byte >= 0) {
		errlist_add(reader->errors, reader->file, reader->line,
		    "the line holds a control character (0x%02x): is this a text file?", (unsigned)reader->bad_byte);
		return false;
	}
	if (reader->too_long) {
		errlist_add(reader->errors, reader->file, reader->line,
		    "the line is longer than %d characters: divide it, `listen` and `server` may be repeated",
		    READER_LINE);
		return false;
	}
	return true;
}

static bool
take_header(struct reader *reader)
{
	char header[READER_LINE + 1];
	char *end;

	memcpy(header, reader->text + 1, reader->length);
	end = strchr(header, ']');
	if (end == NULL || end[1] != '\0') {
		errlist_add(reader->errors, reader->file, reader->line,
		    "%s in the section header, which is `[dsrd]`, `[defaults]` or `[service NAME]`; "
		    "the keys after it are not checked", end == NULL ? "`]` is missing" : "unexpected text after `]`");
		return false;
	}
	*end = '\0';
	reader->events->section(reader->events->context, reader->line, text_trim(header));
	return true;
}

/*
 * inih takes a colon for `=`, and no manual says so. What has blanks before it lacks its `=`: that is said of the
 * key.
 */
static bool
check_separator(const struct reader *reader)
{
	const char *text = reader->text, *separator = strpbrk(text, "=:");
	const int length = (int)strcspn(text, " \t=:");

	if (separator == NULL) {
		errlist_add(reader->errors, reader->file, reader->line,
		    "`%s` is neither a `[section]` nor a `key = value`", text);
		return false;
	}
	if (*separator == ':' && length > 0 && text + length + strspn(text + length, " \t") == separator) {
		errlist_add(reader->errors, reader->file, reader->line, "`=` stands between key and value, not `:`: "
		    "write `%.*s = %s`",
		    length, text, separator + 1 + strspn(separator + 1, " \t"));
		return false;
	}
	return true;
}

/* Is the line one that inih shall see? */
static bool
reader_take_line(struct reader *reader)
{
	bool header = reader->text[0] == '[';
	char hint[FOREIGN_TEXT];

	if (!check_bytes(reader)) {
		reader->lost = reader->lost || header;
		return false;
	}
	if (reader->length == 0)
		return false;
	if (header) {
		reader->headed = true;
		reader->lost = !take_header(reader);
		return !reader->lost;
	}
	if (reader->lost)
		return false;
	if (!reader->headed && foreign_hint(reader->text, reader->file, hint) != NULL) {
		errlist_add(reader->errors, reader->file, reader->line, "%s", hint);
		reader->foreign = true;
		return false;
	}
	return check_separator(reader);
}

/* inih's fgets(). It never sees a blank at the start, a comment, or a line that it would cut. */
static char *
next_line(char *buffer, int size, void *stream)
{
	struct reader *reader = stream;

	while (!reader->foreign && reader_read_line(reader)) {
		if (errlist_count(reader->errors) >= READER_ERRORS) {
			errlist_add(reader->errors, reader->file, reader->line,
			    "too many errors: the rest of the file is not checked");
			return NULL;
		}
		if (!reader_take_line(reader))
			continue;
		if (size < 0 || reader->length + 2 > (size_t)size) {
			errlist_add(reader->errors, reader->file, reader->line,
			    "the line is longer than the %d characters that the inih library takes: divide it",
			    size - 2);
			reader->lost = reader->lost || reader->text[0] == '[';
			continue;
		}
		memcpy(buffer, reader->text, reader->length);
		buffer[reader->length] = '\n';
		buffer[reader->length + 1] = '\0';
		return buffer;
	}
	return NULL;
}

static int
reader_take_key(void *context, const char *section, const char *name, const char *value)
{
	struct reader *reader = context;

	(void)section; /* handled by take_header(), which also sees empty and repeated sections */
	if (name == NULL) /* a new section, where inih was built with INI_CALL_HANDLER_ON_NEW_SECTION */
		return 1;
	if (*name == '\0')
		errlist_add(reader->errors, reader->file, reader->line, "a key's name is missing before `=`");
	else
		reader->events->key(reader->events->context, reader->line, name, value == NULL ? "" : value);
	return 1;
}

void
reader_run(FILE *in, const char *file, struct errlist *errors, const struct reader_events *events)
{
	struct reader reader = { .in = in, .file = file, .errors = errors, .events = events };
	int result;

	errno = 0;
	result = ini_parse_stream(next_line, &reader, reader_take_key, &reader);
	if (ferror(in))
		errlist_add(errors, file, 0, "cannot be read: %s", strerror(errno));
	else if (result != 0) /* nothing that next_line() lets through; -2: memory is out */
		errlist_add(errors, file, result > 0 ? reader.line : 0, "inih cannot parse this file (%d)", result);
}
