/* SPDX-License-Identifier: ISC */
/*
 * State that exists only while a configuration is read: where each value was set, what was given and what was not, the
 * open files. Private to conf/.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/errlist.h"
#include "conf/conf.h"
#include "conf/files.h"
#include "conf/key_table.h"

enum key_id {
#define ID(id, ...) KEY_##id,
	KEYS(ID)
#undef ID
	KEY_COUNT
};

/* Where something stood. `file` belongs to the parse; NULL when it stood nowhere. */
struct place {
	const char *file;
	unsigned line;
};

/* [dsrd], [defaults] or a [service] while it is read. */
struct draft {
	unsigned kind; /* CONF_IN_... */
	struct place place;
	struct place given[KEY_COUNT]; /* where each key stood first */
	bool broken[KEY_COUNT];        /* an error was reported for that key: suppress its consequences */
	bool discard;                  /* a second of that name, or a bad name: only its lines are checked */
	char *texts[KEY_COUNT];        /* [defaults]: values to give to the services, a line each */
	bool unchecked;                /* `check = none` stood here */
	struct service_settings service;
	struct place *listen_places;   /* one for each of the service's listens */
	struct place *server_places;
};

/* A file that is or was read. Its name is what messages and places point to. */
struct source {
	char *name;
	dev_t dev;
	ino_t ino;
	bool on_disk; /* `dev` and `ino` identify the file, and `include` works */
};

struct parse {
	struct conf *conf;
	struct errlist *errors;
	struct files *files; /* all questions about files go through it */
	struct draft dsrd;
	struct draft defaults;
	struct draft **services; /* in the order of the file */
	size_t service_count;
	struct source **sources;
	size_t source_count;
	struct source *source;   /* being read */
	struct draft *draft;     /* section being read; NULL before the first and behind an unknown one */
	bool lost;               /* behind an unknown one: its keys are not looked at */
	struct place place;      /* line being read */
	unsigned depth;          /* of includes */
};

/* What came of a value. */
enum set_result {
	SET_OK = 0,
	SET_REFUSED, /* not a valid value: the caller reports what is allowed */
	SET_REPORTED /* the setter has said what is wrong */
};

/* Adds an error at `place`, or at the line being read. */
void parse_error_at(struct parse *parse, const struct place *place, const char *format, ...) PRINTF_LIKE(3, 4);
void parse_error(struct parse *parse, const char *format, ...) PRINTF_LIKE(2, 3);
/* As parse_error(), from a setter. Returns SET_REPORTED. */
enum set_result parse_refuse(struct parse *parse, const char *format, ...) PRINTF_LIKE(2, 3);
void parse_out_of_memory(struct parse *parse);
/* "on line 12", or "in FILE, line 12" when that is not the file of the line `from`. Returns `text`. */
#define PLACE_TEXT 256
const char *place_text(const struct place *place, const struct place *from, char text[PLACE_TEXT]);

/* Room for one more in an array of `count` things of `size` bytes. The array, moved perhaps, or NULL: memory is out. */
NODISCARD void *parse_grow(void *array, size_t count, size_t size);

/* Reads sections and keys from a stream, which cannot include other files. The name is copied. */
void parse_stream(struct parse *parse, FILE *in, const char *name);
/* The same for the file at `path`, which must not have been read before. Errors go to the line being read. */
void parse_file(struct parse *parse, const char *path);

/* `include = PATTERN`: the matching files in byte order of their names, in every locale. */
void parse_include(struct parse *parse, const char *pattern);

/* key_role.c: gives each service the number of its group. */
void parse_check_groups(struct parse *parse);

/* rules.c: contradictions between lines, once all of them are read and defaults filled in. */
void parse_check(struct parse *parse);
/* rules_listens.c: the same about VIPs, ports and the addresses of others. */
void parse_check_listens(struct parse *parse);
/* rules_method.c: the same about methods, gateways and DSCPs; first gives servers what they do not name. */
void parse_check_methods(struct parse *parse);
/* key_quic.c: `quic-lb` and `quic-id` of a service. */
void parse_check_quic(struct parse *parse, const struct draft *draft);

#endif
