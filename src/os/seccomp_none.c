/* SPDX-License-Identifier: ISC */
/* Linux without libseccomp: Landlock alone. */
#include "config.h"

#include "os/seccomp.h"

#include <stdio.h>

int
seccomp_enter(enum os_process process UNUSED, enum os_sandbox_mode mode UNUSED, struct os_sandbox *sandbox,
    char error[OS_ERROR] UNUSED)
{
	sandbox->calls = OS_CONFINED_NO;
	(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), "built without libseccomp");
	return 0;
}

bool
os_sandbox_refused(char name[OS_CALL_NAME] UNUSED, unsigned *lost)
{
	*lost = 0;
	return false;
}
