/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/foreign.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* First words of lines by which a file is known. A mark that ends in a blank is followed by more. */
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

const char *
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
