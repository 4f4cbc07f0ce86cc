/* SPDX-License-Identifier: ISC */
/* System calls of a process on Linux: seccomp_linux.c by libseccomp, or seccomp_none.c. Private to os/. */
#ifndef OS_SECCOMP_H
#define OS_SECCOMP_H

#include "base/attr.h"
#include "os/sandbox.h"

/* `mode` is not OFF. Fills in `calls` and `calls_by`. 0, or -1 with a reason. */
NODISCARD int seccomp_enter(enum os_process process, enum os_sandbox_mode mode, struct os_sandbox *sandbox,
    char error[OS_ERROR]);

/* seccomp_calls.c: names, NULL at the end. Those that a machine or libseccomp does not have are left out. */
extern const char *const seccomp_director_calls[]; /* allowed whatever their arguments */
extern const char *const seccomp_checker_calls[];
extern const char *const seccomp_program_refusals[]; /* refused to the other processes, and all programs: EPERM */
extern const char *const seccomp_program_unknown[];  /* refused as if the kernel did not have them: ENOSYS */

#endif
