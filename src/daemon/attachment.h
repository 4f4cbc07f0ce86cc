/* SPDX-License-Identifier: ISC */
/* The director on one interface: a receiver, a sender, and what was changed on the interface and must be put back. */
#ifndef DAEMON_ATTACHMENT_H
#define DAEMON_ATTACHMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/iface.h"
#include "io/io.h"
#include "lb/model.h"
#include "os/os.h"

struct attachment {
	struct receiver *receiver; /* NULL while closed */
	struct sender *sender;
	struct offload offload;
	int groups;                     /* socket that holds the multicast groups; 0 while closed, -1 without IPv6 */
	struct receiver_stats received; /* of receivers closed before this one */
	struct sender_stats sent;       /* of senders closed before this one */
};

/* 0, or -1 with a reason and errno. With `observe` the interface is left as it is. */
NODISCARD int attachment_open(struct attachment *attachment, const struct iface *iface, uint16_t index, bool observe,
    char error[IO_ERROR]);
bool attachment_is_open(const struct attachment *attachment);
/* Puts back what was changed. */
void attachment_close(struct attachment *attachment, const struct iface *iface);
/* Tells the kernel which frames matter: those for the model's VIPs on this interface, ARP and neighbour discovery. */
void attachment_filter(struct attachment *attachment, const struct iface *iface, uint16_t index,
    const struct model *model);
/* Joins the groups at which IPv6 VIPs are asked for. */
void attachment_join(struct attachment *attachment, const struct iface *iface, uint16_t index,
    const struct model *model);
/* Totals over all receivers and senders this attachment has had. */
void attachment_stats(const struct attachment *attachment, struct receiver_stats *received, struct sender_stats *sent);

#endif
