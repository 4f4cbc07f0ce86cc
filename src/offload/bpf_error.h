/* SPDX-License-Identifier: ISC */
/* Why the kernel refused something about a BPF program, as a sentence. Private to the *_bpf.c files. */
#ifndef OFFLOAD_BPF_ERROR_H
#define OFFLOAD_BPF_ERROR_H

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* `what` failed with errno `number`; `no_memory` is what ENOMEM means there, with its colon, or "". */
static inline void
bpf_error(char *error, size_t size, const char *what, int number, const char *no_memory)
{
	const char *why = number == EPERM || number == EACCES ?
	    ": it takes root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, and a container that lets them be used" :
	    number == ENOMEM ? no_memory : "";

	(void)snprintf(error, size, "%s: %s%s", what, strerror(number), why);
}

#endif
