/* SPDX-License-Identifier: ISC */
/* Collects this host's facts for doctor/fit.h, and says how a configuration fits them. */
#ifndef DAEMON_HOST_FACTS_H
#define DAEMON_HOST_FACTS_H

#include "base/attr.h"
#include "doctor/fit.h"

/* 0, or -1 when memory is out. */
NODISCARD int host_fit(const struct settings *settings, fit_warning *warning, void *context);
/* Logs what does not fit. */
void host_fit_log(const struct settings *settings);

#endif
