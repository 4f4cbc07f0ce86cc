/* SPDX-License-Identifier: ISC */
/*
 * Frames of our own making, built by libnet's builders in a context that has no socket, so that it needs no privilege. A
 * crafted frame is valid until the next call with the same craft.
 */
#ifndef PROTO_CRAFT_H
#define PROTO_CRAFT_H

#include <stddef.h>

#include "base/addr.h"
#include "base/attr.h"
#include "proto/arp.h"
#include "proto/frame.h"

struct craft;

/* NULL with a reason in `error` (of `size` bytes). */
NODISCARD struct craft *craft_new(char *error, size_t size);
void craft_free(struct craft *craft);

/* An ARP frame from `arp` (all fields), Ethernet source = arp->sender_mac, to `destination`. NULL when libnet cannot. */
NODISCARD const struct frame *craft_arp(struct craft *craft, const struct mac *destination, const struct arp *arp);

#endif
