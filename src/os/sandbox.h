/* SPDX-License-Identifier: ISC */
/*
 * What a process takes from itself once it has all that it needs: files and system calls. sandbox_linux.c has Landlock
 * and, with libseccomp, seccomp_linux.c; sandbox_openbsd.c has unveil(2) and pledge(2); sandbox_none.c is for the rest.
 */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "os/os.h"

/* What the process does, and so what it needs. */
enum os_process {
	OS_PROCESS_DIRECTOR,
	OS_PROCESS_PRIVILEGED, /* its launchers inherit what it is refused */
	OS_PROCESS_LAUNCHER,   /* with all programs that it starts */
	OS_PROCESS_CHECKER     /* connects to servers, and parses what they answer */
};

enum os_sandbox_mode {
	OS_SANDBOX_ON,
	OS_SANDBOX_LOG, /* what would be refused is logged */
	OS_SANDBOX_OFF
};

struct os_sandbox_order {
	enum os_process process;
	enum os_sandbox_mode mode;
	/* Directories and files, with all below them. Those that do not exist are left out. */
	const char *const *readable;
	size_t readable_count;
	const char *const *writable;
	size_t writable_count;
	/* TCP connections go to these ports only; not `limits_ports`: to any. */
	bool limits_ports;
	const uint16_t *ports;
	size_t port_count;
};

#define OS_SANDBOX_TEXT 100

/* What is in force. Plain bytes: it is sent from process to process. */
struct os_sandbox {
	enum os_confined { OS_CONFINED_NO = 0, OS_CONFINED_LOG, OS_CONFINED_YES } calls, files;
	char calls_by[OS_SANDBOX_TEXT]; /* "seccomp"; or why not, in a few words */
	char files_by[OS_SANDBOX_TEXT]; /* "Landlock 7" */
};

/* Cannot be undone. 0, also where the system has nothing for it; -1 with a reason. */
NODISCARD int os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR]);

/*
 * The next system call of this process that was refused, or with OS_SANDBOX_LOG would be, by name, oldest first. False: there is none. `lost` gets the
 * number of those that were too many to be remembered. Where the kernel does not report them there is never one.
 */
#define OS_CALL_NAME 32
bool os_sandbox_refused(char name[OS_CALL_NAME], unsigned *lost);

/* What the kernel says about a process of this host. */
struct os_process_facts {
	uid_t uid;
	uint64_t capabilities; /* effective or permitted, a bit each as in linux/capability.h; 0 where there are none */
	bool no_new_privs;
	enum os_filter { OS_FILTER_UNKNOWN = 0, OS_FILTER_NO, OS_FILTER_YES } filter; /* of system calls */
};
/* 0, or -1: not known on this system, or no such process. */
NODISCARD int os_process_read(pid_t pid, struct os_process_facts *facts);
/* "net_admin net_raw", "none", "all". Returns `text`. */
#define OS_CAPABILITIES_TEXT 160
const char *os_capabilities_text(uint64_t capabilities, char text[OS_CAPABILITIES_TEXT]);

#endif
