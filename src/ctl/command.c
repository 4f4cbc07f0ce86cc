/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "ctl/command.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* What dsrctl waits for a plain answer, and for the doctor: longer than the director lets an examination take. */
#define WAIT 5
#define WAIT_DOCTOR 25
/* A walk through many million flows, or through a long file. */
#define WAIT_LONG 25
/* For completion: the user has pressed the tab key and waits. */
#define WAIT_NAMES 1
/* For scripts of an engine, which run every second: a director that does not answer by then is not ready. */
#define WAIT_READY 1

#define OPTION(name) (1U << OPTION_ ## name)

const struct command_option_info command_options[COMMAND_OPTION_COUNT] = {
	[OPTION_PLAN] = { '\0', "plan", NULL, false, "show what a reload would change, without changing anything" },
	[OPTION_PROBLEMS] = { '\0', "problems", NULL, true, "only what is not well" },
	[OPTION_ALL] = { 'a', "all", NULL, true, "everything in full, also what is well" },
	[OPTION_WAIT] = { '\0', "wait", "DURATION", false, "return when no connection is active, or after that time" },
	[OPTION_EMPTY] = { '\0', "empty", NULL, true, "finished connections that are not forgotten yet count, too" },
	[OPTION_TIMEOUT] = { '\0', "timeout", "DURATION", true, "disable the servers after that time if they still "
	    "have flows" },
	[OPTION_FOLLOW] = { 'f', "follow", NULL, false, "go on with new ones until Ctrl-C" },
	[OPTION_COUNT] = { 'c', "count", "COUNT", false, "end after so many" },
	[OPTION_PCAPNG] = { '\0', "pcapng", "FILE", false, "write the frames to a file, in the format of Wireshark" },
	[OPTION_EXABGP] = { '\0', "exabgp", NULL, false, "as a process of ExaBGP: commands that announce and withdraw "
	    "routes" },
};

const struct command commands[COMMAND_COUNT] = {
	[COMMAND_SHOW] = { { "show", NULL }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, OPTION(PROBLEMS) | OPTION(ALL),
	    COMMAND_FILTER_NONE, false, WAIT, "what is wrong, services and servers, their state and why, connections" },
	[COMMAND_SHOW_HEALTH] = { { "show", "health" }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, 0,
	    COMMAND_FILTER_NONE,
	    false, WAIT, "every check of every server, and every path to a VIP, with its last result" },
	[COMMAND_SHOW_DROPS] = { { "show", "drops" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "frames that did not reach a server, by reason, and the other counters" },
	[COMMAND_SHOW_NEIGHBORS] = { { "show", "neighbors" }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, 0,
	    COMMAND_FILTER_NONE, false, WAIT, "the servers' MAC addresses and the director's interfaces" },
	[COMMAND_SHOW_CONNECTIONS] = { { "show", "connections" }, "[FILTER ...]", 0, COMMAND_NAMES, 0,
	    COMMAND_FILTER_FLOWS,
	    false, WAIT_LONG, "tracked flows that match every filter" },
	[COMMAND_SHOW_DRAIN] = { { "show", "drain" }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, OPTION(EMPTY),
	    COMMAND_FILTER_NONE, false, WAIT_LONG, "what is left on servers that are drained; status 1 while a "
	    "connection is active" },
	[COMMAND_SHOW_CONFIG] = { { "show", "config" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "the configuration that is in force, and what operators changed since" },
	[COMMAND_SHOW_PEERS] = { { "show", "peers" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "other directors: what they share with this one, and what differs" },
	[COMMAND_SHOW_NAMES] = { { "show", "names" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT_NAMES,
	    "the names of services and servers, as commands take them; shells complete by it" },
	[COMMAND_SHOW_RATES] = { { "show", "rates" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "traffic, drops and servers that are up, in the last hour" },
	[COMMAND_SHOW_PROCESS] = { { "show", "process" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "the director's processes, and what each of them may do" },
	[COMMAND_SHOW_ROLES] = { { "show", "roles" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "this director's role for each group of VIPs, why, and whether it is ready" },
	[COMMAND_SHOW_ANNOUNCE] = { { "show", "announce" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "which VIPs are announced to routers, how, and why not" },
	[COMMAND_DRAIN] = { { "drain", NULL }, "SERVICE/SERVER ...", 1, COMMAND_NAMES,
	    OPTION(WAIT) | OPTION(EMPTY) | OPTION(TIMEOUT), COMMAND_FILTER_NONE, true, WAIT_LONG,
	    "no new connections for these servers; those they have go on" },
	[COMMAND_DRAIN_DIRECTOR] = { { "drain", "director" }, "", 0, 0, OPTION(WAIT), COMMAND_FILTER_NONE, true, WAIT,
	    "withdraws all VIPs from routers; frames that still arrive are forwarded" },
	[COMMAND_ENABLE] = { { "enable", NULL }, "SERVICE/SERVER ...", 1, COMMAND_NAMES, 0, COMMAND_FILTER_NONE, true,
	    WAIT,
	    "ends drain or disable" },
	[COMMAND_ENABLE_DIRECTOR] = { { "enable", "director" }, "", 0, 0, 0, COMMAND_FILTER_NONE, true, WAIT,
	    "ends the drain of the director" },
	[COMMAND_DISABLE] = { { "disable", NULL }, "SERVICE/SERVER ...", 1, COMMAND_NAMES, 0, COMMAND_FILTER_NONE, true,
	    WAIT,
	    "as if the servers were down" },
	[COMMAND_WEIGHT] = { { "weight", NULL }, "SERVICE/SERVER N", 2, 2, 0, COMMAND_FILTER_NONE, true, WAIT,
	    "overrides the configured weight until the file changes it" },
	[COMMAND_NEIGHBOR] = { { "neighbor", NULL }, "SERVICE/SERVER MAC", 2, 2, 0, COMMAND_FILTER_NONE, true, WAIT,
	    "sets the server's MAC address, such as that of a machine in a neighbor-conflict" },
	[COMMAND_ROLE] = { { "role", NULL }, "ROLE [GROUP]", 1, 2, 0, COMMAND_FILTER_NONE, true, WAIT,
	    "active, standby or observe: what this director is for a group of VIPs" },
	[COMMAND_READY] = { { "ready", NULL }, "[GROUP]", 0, 1, 0, COMMAND_FILTER_NONE, false, WAIT_READY,
	    "can this director serve its VIPs now? status 1: it cannot" },
	[COMMAND_ANNOUNCE] = { { "announce", NULL }, "[GROUP]", 0, 1, OPTION(EXABGP), COMMAND_FILTER_NONE, false, WAIT,
	    "feeds a routing daemon with the VIPs of this director, until it ends" },
	[COMMAND_RELOAD] = { { "reload", NULL }, "", 0, 0, 0, COMMAND_FILTER_NONE, true, WAIT_LONG,
	    "reads the configuration file again; a bad one changes nothing" },
	[COMMAND_RELOAD_PLAN] = { { "reload", "--plan" }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT_LONG,
	    "what a reload would change, and how many connections that touches" },
	[COMMAND_TOP] = { { "top", NULL }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, OPTION(COUNT),
	    COMMAND_FILTER_NONE,
	    false, WAIT, "show, live: a screen that updates, sorts, filters and scrolls" },
	[COMMAND_WHY] = { { "why", NULL }, "PROTOCOL CLIENT:PORT VIP:PORT", 3, 3, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "the decision for this flow, step by step; changes nothing" },
	[COMMAND_TRACE] = { { "trace", NULL }, "[FILTER ...]", 0, COMMAND_NAMES, OPTION(COUNT) | OPTION(PCAPNG),
	    COMMAND_FILTER_DECISIONS, false, WAIT, "decisions as they are made" },
	[COMMAND_DOCTOR] = { { "doctor", NULL }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, 0, COMMAND_FILTER_NONE,
	    false, WAIT_DOCTOR,
	    "examines director and real servers: what is wrong, and the commands that fix it" },
	[COMMAND_DOCTOR_ALL] = { { "doctor", "--all" }, "[SERVICE[/SERVER] ...]", 0, COMMAND_NAMES, 0,
	    COMMAND_FILTER_NONE, false,
	    WAIT_DOCTOR, "the same, with notes, all evidence, and the servers that are well" },
	[COMMAND_EVENTS] = { { "events", NULL }, "[FILTER ...]", 0, COMMAND_NAMES, OPTION(FOLLOW),
	    COMMAND_FILTER_EVENTS,
	    false, WAIT, "the last events: changes of state, reloads, operators' commands, conflicts, and their causes"
	    },
	[COMMAND_STOP] = { { "stop", NULL }, "", 0, 0, 0, COMMAND_FILTER_NONE, true, WAIT,
	    "ends the director, and returns when it is gone" },
	[COMMAND_VERSION] = { { "version", NULL }, "", 0, 0, 0, COMMAND_FILTER_NONE, false, WAIT,
	    "the version of the director that runs" },
};

/* Other spellings, and words that other programs have for the same. */
static const struct {
	const char *typed;
	const char *meant;
	size_t position;
} spellings[] = {
	{ "status", "show", 0 },
	{ "stats", "show", 0 },
	{ "neighbor", "neighbors", 1 },
	{ "neighbor", "neighbors", 1 },
	{ "neighbors", "neighbors", 1 },
	{ "connection", "connections", 1 },
	{ "drop", "drops", 1 },
	{ "rate", "rates", 1 },
	{ "name", "names", 1 },
	{ "processes", "process", 1 },
	{ "role", "roles", 1 },
	{ "peer", "peers", 1 },
};

const char *
command_spelling(const char *word, size_t position)
{
	for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
		if (spellings[i].position == position && strcmp(spellings[i].typed, word) == 0)
			return spellings[i].meant;
	return word;
}

bool
command_takes(enum command_id id, enum command_option option)
{
	return (commands[id].options & 1U << option) != 0;
}

const char *
command_word(const char *word)
{
	return word + strspn(word, "-");
}

static size_t
command_name_length(enum command_id id)
{
	return commands[id].words[1] == NULL ? 1 : 2;
}

static bool
command_matches(enum command_id id, const char *const words[], size_t count)
{
	const size_t length = command_name_length(id);

	if (length > count)
		return false;
	for (size_t i = 0; i < length; i++)
		if (strcmp(command_word(commands[id].words[i]), command_spelling(command_word(words[i]), i)) != 0)
			return false;
	return true;
}

enum command_id
command_find(const char *const words[], size_t count, size_t *used)
{
	enum command_id found = COMMAND_COUNT;

	*used = 0;
	for (enum command_id id = 0; id < COMMAND_COUNT; id++) {
		if (command_matches(id, words, count) && command_name_length(id) > *used) {
			found = id;
			*used = command_name_length(id);
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

const char *
command_usage(enum command_id id, char text[COMMAND_USAGE])
{
	char name[COMMAND_TEXT];
	size_t used = (size_t)snprintf(text, COMMAND_USAGE, "%s%s%s", command_name(id, name),
	    commands[id].arguments[0] == '\0' ? "" : " ", commands[id].arguments);

	for (enum command_option option = 0; option < COMMAND_OPTION_COUNT && used < COMMAND_USAGE; option++) {
		const struct command_option_info *info = &command_options[option];

		if (!command_takes(id, option))
			continue;
		used += (size_t)snprintf(text + used, COMMAND_USAGE - used, " [--%s%s%s]", info->name,
		    info->takes == NULL ? "" : " ", info->takes == NULL ? "" : info->takes);
	}
	return text;
}
