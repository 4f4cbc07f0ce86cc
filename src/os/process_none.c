/* SPDX-License-Identifier: ISC */
/* Systems without a portable way to look at another process: what is known of this one. */
#include "config.h"

#include "os/sandbox.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
os_process_read(pid_t pid, struct os_process_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->uid = geteuid();
	return pid == getpid() ? 0 : -1;
}

/* There are none: root may do everything. */
const char *
os_capabilities_text(uint64_t capabilities UNUSED, char text[OS_CAPABILITIES_TEXT])
{
	(void)snprintf(text, OS_CAPABILITIES_TEXT, "none");
	return text;
}
