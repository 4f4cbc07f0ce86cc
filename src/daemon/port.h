/* SPDX-License-Identifier: ISC */
/* The director on one interface: a receiver, a sender, and what was changed on the interface and must be put back. */
#ifndef DAEMON_PORT_H
#define DAEMON_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/iface.h"
#include "io/io.h"
#include "model/model.h"
#include "os/os.h"

struct privsep;

/*
 * More than these are not kept from this host's own stack: each IPv6 address takes nine instructions of the 512 there
 * are.
 */
#define VIPS_WITHHELD 48

struct nic {
	struct privsep *privsep;   /* opens it; NULL: this process may itself */
	struct receiver *receiver; /* NULL while closed */
	struct sender *sender;
	struct offload offload;
	int groups;                     /* socket that holds the multicast groups; 0 while closed, -1 without IPv6 */
	int withholder;                 /* keeps the VIPs' frames from this host's own stack; 0 while closed */
	struct addr withheld[VIPS_WITHHELD];
	size_t withheld_count;
	struct mac withheld_mac;
	bool locked;                    /* the filter stays as it is */
	bool programmed;                /* the offload's program is the filter: it must not be replaced */
	uint64_t unread_since;          /* frames have been waiting in the receiver without a break; 0: none is */
	struct receiver_stats received; /* of receivers closed before this one */
	struct sender_stats sent;       /* of senders closed before this one */
};

/* 0, or -1 with a reason and errno. With `observe` the interface is left as it is; `bypass`: see io.h. */
NODISCARD int nic_open(struct nic *nic, const struct iface *iface, uint16_t index, bool observe,
    bool bypass, char error[IO_ERROR]);
bool nic_is_open(const struct nic *nic);
/* Puts back what was changed. */
void nic_close(struct nic *nic, const struct iface *iface);
/*
 * Sets the filter that this capture should have now; nothing else sets one, except the offload, whose program stays in
 * place (`programmed`). `wide`: everything that arrives at this host. Otherwise what the director needs: frames for the
 * model's VIPs on this interface, ARP and neighbor discovery.
 */
void nic_filter(struct nic *nic, const struct iface *iface, uint16_t index,
    const struct model *model, bool wide);
/* Joins the solicited-node groups of the IPv6 VIPs that this director answers for. */
void nic_join(struct nic *nic, const struct iface *iface, uint16_t index,
    const struct model *model);
/* The same after roles have changed: leaves those of other VIPs. */
void nic_rejoin(struct nic *nic, const struct iface *iface, uint16_t index, const struct model *model);
/* Keeps the VIPs' frames from this host's own stack. False when the system has no such thing. */
bool nic_withhold(struct nic *nic, const struct iface *iface, uint16_t index,
    const struct model *model);
/* From now on the descriptors accept no new settings: the filter passes what any VIP could need. */
void nic_lock(struct nic *nic, const struct iface *iface);
/* After a burst that began at `now`: was it as long as it may be, so that more frames may be there? */
void nic_has_read(struct nic *nic, bool more, uint64_t now);
/* Totals over all receivers and senders that this interface has had. */
void nic_stats(const struct nic *nic, struct receiver_stats *received, struct sender_stats *sent);

#endif
