/* SPDX-License-Identifier: ISC */
/* Messages of the BSDs' routing sockets, as far as all systems have them in the same way: length, version, type. */
#ifndef OS_ROUTE_MESSAGE_H
#define OS_ROUTE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is a message of one of these types among those in `bytes`? Messages of another version are not understood. */
bool route_message_find(const uint8_t *bytes, size_t length, uint8_t version, const uint8_t *types, size_t count);

#endif
