/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

/* What dsrctl waits for a plain answer, and for the doctor: longer than the director lets an examination take. */
#define WAIT 5
#define WAIT_DOCTOR 25
/* A walk through many million flows, or through a long file. */
#define WAIT_LONG 25
/* Somebody has pressed the tabulator key and waits for the cursor to come back. */
#define WAIT_NAMES 1

const struct command commands[COMMAND_COUNT] = {
	[COMMAND_SHOW] = { { "show", NULL }, "", 0, 0, false, WAIT,
	    "services and servers, their state and why, connections, what is wrong" },
	[COMMAND_SHOW_HEALTH] = { { "show", "health" }, "", 0, 0, false, WAIT,
	    "every check of every server, and every path to a VIP, with its last result" },
	[COMMAND_SHOW_DROPS] = { { "show", "drops" }, "", 0, 0, false, WAIT,
	    "frames that did not reach a server, by reason, and the other counters" },
	[COMMAND_SHOW_NEIGHBORS] = { { "show", "neighbors" }, "", 0, 0, false, WAIT,
	    "the servers' MAC addresses and the director's interfaces" },
	[COMMAND_SHOW_CONNECTIONS] = { { "show", "connections" }, "[FILTER ...]", 0, COMMAND_ARGUMENTS, false, WAIT_LONG,
	    "the flows that all of service= server= client= vip= port= protocol= state= hold for" },
	[COMMAND_SHOW_DRAIN] = { { "show", "drain" }, "[SERVICE/SERVER]", 0, 1, false, WAIT_LONG,
	    "what is left on servers that are drained; status 1 while there is something" },
	[COMMAND_SHOW_CONFIG] = { { "show", "config" }, "", 0, 0, false, WAIT,
	    "the configuration that is in force, and what operators changed since" },
	[COMMAND_SHOW_NAMES] = { { "show", "names" }, "", 0, 0, false, WAIT_NAMES,
	    "the names of services and servers, as commands take them; shells complete by it" },
	[COMMAND_SHOW_RATES] = { { "show", "rates" }, "", 0, 0, false, WAIT,
	    "traffic, drops and servers that are up, in the last hour" },
	[COMMAND_DRAIN] = { { "drain", NULL }, "SERVICE/SERVER [--wait DURATION]", 1, 1, true, WAIT_LONG,
	    "no new connections; with --wait returns when the old ones are gone" },
	[COMMAND_ENABLE] = { { "enable", NULL }, "SERVICE/SERVER", 1, 1, true, WAIT,
	    "ends what drain or disable began" },
	[COMMAND_DISABLE] = { { "disable", NULL }, "SERVICE/SERVER", 1, 1, true, WAIT,
	    "as if the server were down" },
	[COMMAND_WEIGHT] = { { "weight", NULL }, "SERVICE/SERVER N", 2, 2, true, WAIT,
	    "another weight than the file's, until the file says another one" },
	[COMMAND_RELOAD] = { { "reload", NULL }, "", 0, 0, true, WAIT_LONG,
	    "reads the configuration file anew; a bad one changes nothing" },
	[COMMAND_RELOAD_PLAN] = { { "reload", "--plan" }, "", 0, 0, false, WAIT_LONG,
	    "what a reload would change, and how many connections that touches" },
	[COMMAND_TOP] = { { "top", NULL }, "[-c COUNT]", 0, 2, false, WAIT,
	    "show, live: a screen that keeps itself current, sorts and scrolls" },
	[COMMAND_WHY] = { { "why", NULL }, "PROTOCOL CLIENT:PORT VIP:PORT", 3, 3, false, WAIT,
	    "the decision for this flow, step by step; changes nothing" },
	[COMMAND_TRACE] = { { "trace", NULL }, "[FILTER ...] [-c COUNT] [--pcapng FILE]", 0, COMMAND_ARGUMENTS, false, WAIT,
	    "decisions as they are made; filters as above, and verdict= and reason=" },
	[COMMAND_DOCTOR] = { { "doctor", NULL }, "[SERVICE[/SERVER]]", 0, 1, false, WAIT_DOCTOR,
	    "examines director and real servers: what is wrong, and the commands that fix it" },
	[COMMAND_DOCTOR_ALL] = { { "doctor", "--all" }, "[SERVICE[/SERVER]]", 0, 1, false, WAIT_DOCTOR,
	    "the same, with notes, all evidence, and the servers that are well" },
	[COMMAND_EVENTS] = { { "events", NULL }, "[FILTER ...]", 0, COMMAND_ARGUMENTS, false, WAIT,
	    "the last events: changes of state, reloads, operators' commands, conflicts, and their causes" },
	[COMMAND_VERSION] = { { "version", NULL }, "", 0, 0, false, WAIT, "the version of the director that runs" },
};

const char *
command_word(const char *word)
{
	return word + strspn(word, "-");
}

static size_t
name_length(enum command_id id)
{
	return commands[id].words[1] == NULL ? 1 : 2;
}

static bool
matches(enum command_id id, const char *const words[], size_t count)
{
	const size_t length = name_length(id);

	if (length > count)
		return false;
	for (size_t i = 0; i < length; i++)
		if (strcmp(command_word(commands[id].words[i]), command_word(words[i])) != 0)
			return false;
	return true;
}

enum command_id
command_find(const char *const words[], size_t count, size_t *used)
{
	enum command_id found = COMMAND_COUNT;

	*used = 0;
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		if (matches(id, words, count) && name_length(id) > *used) {
			found = id;
			*used = name_length(id);
		}
	}
	return found;
}

const char *
command_name(enum command_id id, char text[COMMAND_TEXT])
{
	const char *second = commands[id].words[1];

	snprintf(text, COMMAND_TEXT, "%s%s%s", commands[id].words[0], second == NULL ? "" : " ",
	    second == NULL ? "" : second);
	return text;
}
