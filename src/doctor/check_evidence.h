/* SPDX-License-Identifier: ISC */
/*
 * A health check in words: what it sends, what it expects, and a command that repeats it by hand on the director.
 * Pure. What came back is in struct server_check.
 */
#ifndef DOCTOR_CHECK_EVIDENCE_H
#define DOCTOR_CHECK_EVIDENCE_H

#include <stdint.h>

#include "base/addr.h"
#include "model/model.h"
#include "model/settings.h"

/* Longer texts are cut. */
#define CHECK_WORDS 400
#define CHECK_COMMAND 1200

/* "GET /healthz HTTP/1.1, Host: 192.0.2.11". Returns `text`, as all here do. */
const char *check_sends(const struct server *server, size_t check, char text[CHECK_WORDS]);
/* "status 200-399" */
const char *check_expects(const struct check_settings *check, char text[CHECK_WORDS]);
/* What came back at the last failure: "status 404", "connection refused". */
const char *check_got(const struct server_check *check, char text[CHECK_WORDS]);
/*
 * "curl -v http://192.0.2.11/healthz", quoted for a POSIX shell, so that it can be pasted whatever the settings hold.
 * One command a line; where TLS failed there is a second one, which shows the certificate.
 */
const char *check_repeats(const struct server *server, size_t check, char text[CHECK_COMMAND]);

#endif
