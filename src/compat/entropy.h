/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_ENTROPY_H
#define COMPAT_ENTROPY_H

/* getentropy(): macOS alone has it in a header of its own. */
#ifdef __APPLE__
#include <sys/random.h>
#else
#include <unistd.h>
#endif

#endif
