/* SPDX-License-Identifier: ISC */
/* The DNS check's question, and what an answer means (RFC 1035). No sockets here. */
#ifndef CHECK_DNS_MESSAGE_H
#define CHECK_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/health.h"
#include "model/settings.h"

#define DNS_QUESTION_MOST (12 + 255 + 4) /* header, name, type and class */
#define DNS_DETAIL 80

/* The length of what was written. `check->name` is a good name: the configuration has seen to it. */
size_t dns_question(const struct check_settings *check, uint16_t id, uint8_t question[DNS_QUESTION_MOST]);
/*
 * False when the datagram is not an answer to `question`: to be ignored. Otherwise `reason` is set and, on failure,
 * `detail`.
 */
bool dns_judge(const struct check_settings *check, const uint8_t *question, size_t question_length,
    const uint8_t *answer, size_t length, enum health_reason *reason, char detail[DNS_DETAIL]);

#endif
