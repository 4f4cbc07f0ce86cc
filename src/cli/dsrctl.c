/* SPDX-License-Identifier: ISC */
/* dsrctl: turns words into a request, prints the answer. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/client.h"
#include "ctl/command.h"

#define DSRCTL_SOCKET RUNSTATEDIR "/dsrd.sock"
#define REQUEST_MOST 4096
#define NAMES_MOST (COMMAND_COUNT + 1)

/* dsrctl(8) has them. */
enum ctl_status {
	CTL_OK = 0,
	CTL_FAILED = 1, /* refused, failed, or the doctor found something wrong */
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3
};

struct wish {
	const char *socket;
	bool json;
	const char *const *words;
	size_t word_count;
};

static void
print_help(FILE *out)
{
	char name[COMMAND_TEXT], left[COMMAND_TEXT + 32];

	fprintf(out, "usage: dsrctl [-jhV] [-s SOCKET] COMMAND [ARGUMENT]\n\n");
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		snprintf(left, sizeof(left), "%s %s", command_name(id, name), commands[id].arguments);
		fprintf(out, "  %-28s %s\n", left, commands[id].help);
	}
	fprintf(out, "\n  -j         JSON, for programs\n"
	    "  -s SOCKET  the director's `control` socket (default " DSRCTL_SOCKET ")\n"
	    "  -h         this help\n"
	    "  -V         dsrctl's own version\n\n"
	    "Exit status: 0 done, 1 refused or failed or the doctor found something wrong, 2 usage, 3 no daemon.\n");
}

static int
refuse_command(const char *word)
{
	const char *names[NAMES_MOST];
	const char *nearest;
	size_t count = 0;

	for (enum command_id id = 0; id < COMMAND_COUNT; id++)
		names[count++] = commands[id].words[0];
	names[count] = NULL;
	nearest = text_nearest(word, names);
	if (nearest != NULL && strcmp(nearest, word) != 0)
		fprintf(stderr, "dsrctl: there is no command `%s`, did you mean `%s`?\n", word, nearest);
	else
		fprintf(stderr, "dsrctl: there is no command `%s`: dsrctl -h lists them\n", word);
	return CTL_USAGE;
}

struct text {
	char bytes[REQUEST_MOST];
	size_t length;
};

static void
append(struct text *text, const char *more)
{
	const size_t room = sizeof(text->bytes) - text->length;
	const int length = snprintf(text->bytes + text->length, room, "%s", more);

	text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* RFC 3986 section 2.3: all but unreserved characters are escaped. */
static void
append_escaped(struct text *text, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	char piece[4];

	for (; *word != '\0'; word++) {
		snprintf(piece, sizeof(piece), strchr(plain, *word) != NULL ? "%c" : "%%%02X", (unsigned char)*word);
		append(text, piece);
	}
}

static bool
wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	/* https://no-color.org: present and not empty. */
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') && (term == NULL || strcmp(term, "dumb") != 0);
}

static void
make_request(struct text *request, enum command_id id, const char *const arguments[], size_t count, bool json)
{
	const char *const *words = commands[id].words;

	append(request, commands[id].changes ? "POST /" : "GET /");
	append(request, words[0]);
	if (words[1] != NULL) {
		append(request, "/");
		append(request, words[1]);
	}
	append(request, json ? "?format=json" : "?format=text");
	if (!json && wants_colour())
		append(request, "&colour=yes");
	for (size_t i = 0; i < count; i++) {
		append(request, "&arg=");
		append_escaped(request, arguments[i]);
	}
	append(request, " HTTP/1.1\r\nHost: dsrd\r\nConnection: close\r\n\r\n");
}

static int
print_answer(const struct client_answer *answer)
{
	if (answer->status != 200) {
		fprintf(stderr, "dsrctl: %s%s", answer->length > 0 ? answer->body : "refused, without a reason",
		    answer->length > 0 && answer->body[answer->length - 1] == '\n' ? "" : "\n");
		return CTL_FAILED;
	}
	if (fwrite(answer->body, 1, answer->length, stdout) != answer->length || fflush(stdout) != 0) {
		fprintf(stderr, "dsrctl: cannot write: %s\n", strerror(errno));
		return CTL_FAILED;
	}
	return answer->wrong ? CTL_FAILED : CTL_OK;
}

static int
run(const struct wish *wish)
{
	struct text request = { .length = 0 };
	struct client_answer answer;
	char error[CLIENT_ERROR];
	size_t used, count;
	int status;
	enum command_id id = command_find(wish->words, wish->word_count, &used);

	if (id == COMMAND_COUNT)
		return refuse_command(wish->words[0]);
	count = wish->word_count - used;
	if (count < commands[id].least || count > commands[id].most) {
		char name[COMMAND_TEXT];

		fprintf(stderr, "usage: dsrctl %s %s\n", command_name(id, name), commands[id].arguments);
		return CTL_USAGE;
	}
	for (size_t i = 0; i < count; i++) {
		if (strlen(wish->words[used + i]) >= COMMAND_ARGUMENT) {
			fprintf(stderr, "dsrctl: an argument is longer than %d bytes\n", COMMAND_ARGUMENT - 1);
			return CTL_USAGE;
		}
	}
	make_request(&request, id, wish->words + used, count, wish->json);
	switch (client_ask(wish->socket, request.bytes, commands[id].wait, &answer, error)) {
	case CLIENT_OK:
		status = print_answer(&answer);
		free(answer.body);
		return status;
	case CLIENT_NOBODY:
		fprintf(stderr, "dsrctl: %s\n", error);
		return CTL_NO_DAEMON;
	case CLIENT_FAILED:
		break;
	}
	fprintf(stderr, "dsrctl: %s\n", error);
	return CTL_FAILED;
}

int
main(int argc, char *argv[])
{
	struct wish wish = { .socket = DSRCTL_SOCKET };
	int option;

	/* "+": glibc would else look for options behind the command too. */
	while ((option = getopt(argc, argv, "+jhVs:")) != -1) {
		switch (option) {
		case 'j':
			wish.json = true;
			break;
		case 's':
			wish.socket = optarg;
			break;
		case 'h':
			print_help(stdout);
			return CTL_OK;
		case 'V':
			printf("dsrctl %s\n", PACKAGE_VERSION);
			return CTL_OK;
		default:
			fprintf(stderr, "Type `dsrctl -h` for help.\n");
			return CTL_USAGE;
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return CTL_USAGE;
	}
	wish.words = (const char *const *)(argv + optind);
	wish.word_count = (size_t)(argc - optind);
	return run(&wish);
}
