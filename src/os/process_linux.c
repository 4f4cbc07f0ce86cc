/* SPDX-License-Identifier: ISC */
/* What Linux says about a process. */
#include "config.h"

#include "os/sandbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* proc_pid_status(5). */
int
os_process_read(pid_t pid, struct os_process_facts *facts)
{
	char path[40], line[256];
	unsigned long value;
	uint64_t set;
	FILE *file;

	memset(facts, 0, sizeof(*facts));
	(void)snprintf(path, sizeof(path), "/proc/%ld/status", (long)pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	while (fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "Uid:\t%*u\t%lu", &value) == 1)
			facts->uid = (uid_t)value;
		else if (sscanf(line, "CapPrm:\t%" SCNx64, &set) == 1 || sscanf(line, "CapEff:\t%" SCNx64, &set) == 1)
			facts->capabilities |= set;
		else if (sscanf(line, "NoNewPrivs:\t%lu", &value) == 1)
			facts->no_new_privs = value != 0;
		else if (sscanf(line, "Seccomp:\t%lu", &value) == 1)
			facts->filter = value == 2 ? OS_FILTER_YES : OS_FILTER_NO;
	}
	(void)fclose(file);
	return 0;
}

const char *
os_capabilities_text(uint64_t capabilities, char text[OS_CAPABILITIES_TEXT])
{
	/* linux/capability.h. Those that dsrd ever keeps; a process with others has been given more than it wants. */
	static const struct {
		unsigned bit;
		const char *name;
	} known[] = { { 6, "setgid" }, { 7, "setuid" }, { 8, "setpcap" }, { 12, "net_admin" }, { 13, "net_raw" },
	    { 38, "perfmon" }, { 39, "bpf" } };
	uint64_t left = capabilities;
	size_t length = 0;

	(void)snprintf(text, OS_CAPABILITIES_TEXT, "%s", capabilities == 0 ? "none" : "");
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if ((capabilities & 1ULL << known[i].bit) == 0)
			continue;
		length += (size_t)snprintf(text + length, OS_CAPABILITIES_TEXT - length, "%s%s", length > 0 ? " " : "",
		    known[i].name);
		left &= ~(1ULL << known[i].bit);
	}
	if (left != 0)
		(void)snprintf(text + length, OS_CAPABILITIES_TEXT - length, "%sothers (%" PRIx64 ")", length > 0 ?
		    " " : "", left);
	return text;
}
