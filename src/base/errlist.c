/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "base/errlist.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	char *text;
	size_t file_length; /* length of the file name at the start of the text */
	unsigned line;
};

struct errlist {
	struct entry *entries;
	size_t stored;
	size_t room;
	size_t lost; /* counted, but memory was out */
};

struct errlist *
errlist_new(void)
{
	return calloc(1, sizeof(struct errlist));
}

void
errlist_free(struct errlist *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->stored; i++)
		free(list->entries[i].text);
	free(list->entries);
	free(list);
}

/* "file:line: " or "file: ". Returns snprintf()'s result. */
static int
write_place(char *text, size_t size, const char *file, unsigned line)
{
	if (line == 0)
		return snprintf(text, size, "%s: ", file);
	return snprintf(text, size, "%s:%u: ", file, line);
}

static char *PRINTF_LIKE(3, 0)
make_text(const char *file, unsigned line, const char *format, va_list args)
{
	va_list again;
	int place = write_place(NULL, 0, file, line);
	int message;
	char *text;
	size_t size;

	va_copy(again, args);
	message = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (place < 0 || message < 0)
		return NULL;
	size = (size_t)place + (size_t)message + 1;
	text = malloc(size);
	if (text == NULL)
		return NULL;
	(void)write_place(text, size, file, line);
	(void)vsnprintf(text + place, size - (size_t)place, format, args);
	return text;
}

static int
errlist_make_room(struct errlist *list)
{
	size_t room = list->room == 0 ? 8 : list->room * 2;
	struct entry *entries;

	if (list->stored < list->room)
		return 0;
	if (room > SIZE_MAX / sizeof(*entries))
		return -1;
	entries = realloc(list->entries, room * sizeof(*entries));
	if (entries == NULL)
		return -1;
	list->entries = entries;
	list->room = room;
	return 0;
}

/* Where an error of that line goes: behind its equals. Files stay in the order in which they first had an error. */
static size_t
errlist_find_place(const struct errlist *list, const char *file, unsigned line)
{
	size_t length = strlen(file);

	for (size_t i = list->stored; i > 0; i--) {
		const struct entry *entry = &list->entries[i - 1];

		if (entry->file_length == length && memcmp(entry->text, file, length) == 0 && entry->line <= line)
			return i;
	}
	/* None of this file is smaller: before the file's first, or at the end when the file is new. */
	for (size_t i = 0; i < list->stored; i++) {
		const struct entry *entry = &list->entries[i];

		if (entry->file_length == length && memcmp(entry->text, file, length) == 0)
			return i;
	}
	return list->stored;
}

void
errlist_add(struct errlist *list, const char *file, unsigned line, const char *format, ...)
{
	va_list args;
	char *text;
	size_t place;

	va_start(args, format);
	text = make_text(file, line, format, args);
	va_end(args);
	if (text == NULL || errlist_make_room(list) != 0) {
		free(text);
		list->lost++;
		return;
	}
	place = errlist_find_place(list, file, line);
	memmove(&list->entries[place + 1], &list->entries[place], (list->stored - place) * sizeof(list->entries[0]));
	list->entries[place] = (struct entry){ .text = text, .file_length = strlen(file), .line = line };
	list->stored++;
}

size_t
errlist_count(const struct errlist *list)
{
	return list->stored + list->lost;
}

const char *
errlist_text(const struct errlist *list, size_t index)
{
	return index < list->stored ? list->entries[index].text : "out of memory";
}

void
errlist_print(const struct errlist *list, FILE *out)
{
	for (size_t i = 0; i < errlist_count(list); i++)
		(void)fprintf(out, "%s\n", errlist_text(list, i));
}
