/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "daemon/port.h"
#include "daemon/selfcheck.h"
#include "daemon/stats.h"
#include "os/os.h"

struct look {
	const struct stats_sources *from;
	struct host_finding *findings;
	size_t count;
	size_t most;
};

/* A finding to fill in, or a dummy when there are too many. */
static struct host_finding *
host_check_add(struct look *look, bool wrong, const char *name)
{
	struct host_finding *finding = &look->findings[look->count < look->most ? look->count : look->most - 1];

	if (look->count < look->most)
		look->count++;
	memset(finding, 0, sizeof(*finding));
	finding->wrong = wrong;
	finding->name = name;
	return finding;
}

static void
host_check_problems(struct look *look)
{
	const struct problems *problems = selfcheck_problems(look->from->selfcheck);

	for (size_t i = 0; i < problems_count(problems); i++) {
		const struct problem *problem = problems_at(problems, i);
		struct host_finding *finding = host_check_add(look, true, problem_name(problem->id));

		snprintf(finding->what, HOST_TEXT, "%s", problem->what);
		snprintf(finding->meaning, HOST_TEXT, "%s", problem_meaning(problem->id));
		snprintf(finding->fix, HOST_TEXT, "%s", problem->fix);
		snprintf(finding->undo, HOST_TEXT, "%s", problem->undo);
	}
}

static void
host_check_offloads(struct look *look, const struct iface *iface)
{
	struct offload on;
	struct host_finding *finding;
	char text[OFFLOAD_TEXT];

	if (os_offload_read(iface->name, &on) == -1 || on.turned_off == 0)
		return;
	os_offload_text(&on, text);
	/* Not wrong: what they merge is split, by dsrd or by the card. */
	finding = host_check_add(look, false, "offloads");
	snprintf(finding->what, HOST_TEXT, "receive offloads are on at %s: %s", iface->name, text);
	snprintf(finding->meaning, HOST_TEXT, "They merge frames into larger ones than can be sent. Those are "
	    "split again, into frames that need not be what the client sent.");
	os_command(OS_OFFLOADS_OFF, iface->name, "", finding->fix, HOST_TEXT);
	os_command(OS_OFFLOADS_ON, iface->name, "", finding->undo, HOST_TEXT);
}

/* Bursts fit into it, or are lost. */
static void
host_check_buffer(struct look *look, size_t index)
{
	struct receiver *receiver = look->from->nics[index].receiver;
	const char *name = look->from->director->ifaces[index].name;
	struct host_finding *finding;
	char fix[HOST_TEXT];
	size_t bytes;

	if (receiver == NULL)
		return;
	bytes = os_capture_buffer(receiver->ops->descriptor(receiver), fix, sizeof(fix));
	if (bytes == 0)
		return;
	finding = host_check_add(look, false, "capture-buffer");
	snprintf(finding->what, HOST_TEXT, "the kernel limits the capture buffer of %s to %zu KiB", name,
	    bytes / 1024);
	snprintf(finding->meaning, HOST_TEXT, "Larger bursts are partly lost. The fix takes effect when "
	    "dsrd is restarted.");
	snprintf(finding->fix, HOST_TEXT, "%s", fix);
}

bool
host_check_judge_strays(enum os_answer drops, const char *fix, struct host_finding *finding)
{
	if (drops == OS_NO)
		return false;
	memset(finding, 0, sizeof(*finding));
	finding->name = drops == OS_YES ? "strict-interfaces" : "strict-interfaces-unknown";
	snprintf(finding->what, HOST_TEXT, "%s packets that arrive on an interface other than the one with their address",
	    drops == OS_YES ? "this host drops" : "dsrd cannot find out whether this host drops");
	snprintf(finding->meaning, HOST_TEXT, "%s to checks are lost if they come in by the wrong one, as when two interfaces "
	    "are in one network.", drops == OS_YES ? "Answers" : "If it does, answers");
	if (drops == OS_YES)
		snprintf(finding->fix, HOST_TEXT, "%s", fix);
	return true;
}

/* With one interface none can be the wrong one. */
static void
host_check_strays(struct look *look)
{
	const struct director *director = look->from->director;
	struct host_finding finding;
	char fix[HOST_TEXT] = "";

	if (director->iface_count >= 2 &&
	    host_check_judge_strays(os_drops_strays(&director->routing, fix, sizeof(fix)), fix, &finding))
		*host_check_add(look, finding.wrong, finding.name) = finding;
}

/* That it forwards is a problem of selfcheck.h's. */
static void
host_check_forwarding(struct look *look, size_t index)
{
	static const enum addr_family families[] = { ADDR_IPV4, ADDR_IPV6 };
	const struct director *director = look->from->director;
	struct host_finding *finding;
	char fix[HOST_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (model_vips_at(director->model, index, families[i]) == 0 || os_forwards(&director->routing,
		    director->ifaces[index].name, families[i], fix, sizeof(fix)) != OS_UNKNOWN)
			continue;
		finding = host_check_add(look, false, "forwarding-unknown");
		snprintf(finding->what, HOST_TEXT, "dsrd cannot find out whether this host forwards %s packets that arrive on %s",
		    i == 0 ? "IPv4" : "IPv6", director->ifaces[index].name);
		snprintf(finding->meaning, HOST_TEXT, "If it does, the servers get a second copy of each packet: turn its "
		    "forwarding off.");
	}
}

static void
host_check_engine(struct look *look, size_t index)
{
	const struct nic *nic = &look->from->nics[index];
	const char *name = look->from->director->ifaces[index].name;
	struct receiver_stats received;
	struct sender_stats sent;
	struct host_finding *finding;

	nic_stats(nic, &received, &sent);
	if (sent.failed > 0) {
		finding = host_check_add(look, false, "not-sent");
		snprintf(finding->what, HOST_TEXT, "%" PRIu64 " frames could not be sent at %s: %s", sent.failed, name,
		    strerror(sent.last_errno));
		snprintf(finding->meaning, HOST_TEXT, "Clients retransmit, with a delay; dsrd repeats its own probes.");
	}
}

/* Makers of virtual network cards, by the first bytes of their addresses (IEEE MA-L; 52:54:00 is QEMU's own). */
static void
host_check_switch(struct look *look, const struct iface *iface)
{
	static const struct {
		uint8_t bytes[3];
		const char *maker;
		const char *hint;
	} makers[] = {
		{ { 0x00, 0x50, 0x56 }, "VMware", "a port group with SpoofGuard (NSX) must allow the VIP as the "
		    "servers' source" },
		{ { 0x00, 0x0c, 0x29 }, "VMware", "a port group with SpoofGuard (NSX) must allow the VIP as the "
		    "servers' source" },
		{ { 0x00, 0x15, 0x5d }, "Hyper-V", "a virtual switch with router or DHCP guard, or port ACLs, may "
		    "drop the VIP" },
		{ { 0x52, 0x54, 0x00 }, "QEMU/KVM", "libvirt's no-ip-spoofing and no-arp-spoofing, and Proxmox's "
		    "ipfilter, drop the VIP: allow it on the ports of director and servers" },
		{ { 0x08, 0x00, 0x27 }, "VirtualBox", "bridged networking over Wi-Fi shares one MAC address, and "
		    "cannot work" },
		{ { 0x00, 0x16, 0x3e }, "Xen", "an antispoof vif script drops the VIP" },
	};

	for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
		struct host_finding *finding;

		if (memcmp(iface->mac.bytes, makers[i].bytes, 3) != 0)
			continue;
		finding = host_check_add(look, false, "virtual-switch");
		snprintf(finding->what, HOST_TEXT, "%s is a virtual network card (%s)", iface->name, makers[i].maker);
		snprintf(finding->meaning, HOST_TEXT, "If a server's answer is lost: %s.", makers[i].hint);
	}
}

/* Frames come in by the VIP's interface and leave by the server's. */
static void
host_check_mtu(struct look *look)
{
	const struct director *director = look->from->director;

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];
		const struct iface *in, *out;
		struct host_finding *finding;
		char name[SERVER_NAME_TEXT], mtu[16];

		if (server == NULL || server->iface == IFACE_NONE || server->service->iface == IFACE_NONE)
			continue;
		in = &director->ifaces[server->service->iface];
		out = &director->ifaces[server->iface];
		if (out->mtu >= in->mtu)
			continue;
		finding = host_check_add(look, true, "mtu");
		snprintf(finding->what, HOST_TEXT, "the MTU of %s, where %s is, is %" PRIu32
		    "; that of %s, where its VIP is, is %" PRIu32, out->name, server_name(server, name), out->mtu,
		    in->name, in->mtu);
		snprintf(finding->meaning, HOST_TEXT, "Requests in large frames cannot be handed on.");
		snprintf(mtu, sizeof(mtu), "%" PRIu32, in->mtu);
		os_command(OS_MTU_SET, out->name, mtu, finding->fix, HOST_TEXT);
		snprintf(mtu, sizeof(mtu), "%" PRIu32, out->mtu);
		os_command(OS_MTU_SET, out->name, mtu, finding->undo, HOST_TEXT);
		return;
	}
}

static void
host_check_probe_addrs(struct look *look)
{
	const struct probe_addrs *probe_addrs = &look->from->director->forwarder.probe_addrs;
	bool any = false;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		const struct probe_addr *probe_addr = &probe_addrs->list[i];
		struct host_finding *finding;
		char addr[ADDR_TEXT], mac[MAC_TEXT];

		any |= probe_addr->state != PROBE_ADDR_NONE;
		if (probe_addr->state != PROBE_ADDR_TAKEN)
			continue;
		finding = host_check_add(look, true, "probe-address-taken");
		snprintf(finding->what, HOST_TEXT, "the probe address %s belongs to %s",
		    addr_format(&probe_addr->addr, addr), mac_format(&probe_addr->holder, mac));
		snprintf(finding->meaning, HOST_TEXT, "VIP checks do not use it. Each "
		    "director needs a `probe-address` that no host has.");
	}
	if (!any && look->from->director->vipchecking.probes) {
		struct host_finding *finding = host_check_add(look, false, "no-probe-address");

		snprintf(finding->what, HOST_TEXT, "no `probe-address` is configured");
		snprintf(finding->meaning, HOST_TEXT, "VIP checks use the director's own address. They cannot distinguish a "
		    "lost answer from one that was never sent, or find a server that announces the VIP.");
	}
}

static_assert(OS_PRIVILEGE_TEXT <= HOST_TEXT, "the text of os_missing_privilege() must fit in a finding");

static void
host_check_process(struct look *look)
{
	const char *missing = os_missing_privilege();
	struct host_finding *finding;

	if (look->from->observe) {
		finding = host_check_add(look, false, "observing");
		snprintf(finding->what, HOST_TEXT, "dsrd only observes (--observe)");
		snprintf(finding->meaning, HOST_TEXT, "It sends nothing: no frame is forwarded and no server checked "
		    "for the VIP.");
	}
	if (missing != NULL) {
		finding = host_check_add(look, false, "privileges");
		snprintf(finding->what, HOST_TEXT, "dsrd could not open an interface again, now that root is dropped");
		snprintf(finding->meaning, HOST_TEXT, "%s", missing);
	}
}

size_t
host_check(const struct stats_sources *from, struct host_finding *findings, size_t most)
{
	struct look look = { .from = from, .findings = findings, .most = most };
	const struct director *director = from->director;

	host_check_problems(&look);
	for (size_t i = 0; i < director->iface_count; i++) {
		host_check_engine(&look, i);
		host_check_buffer(&look, i);
		host_check_offloads(&look, &director->ifaces[i]);
		host_check_switch(&look, &director->ifaces[i]);
		host_check_forwarding(&look, i);
	}
	host_check_strays(&look);
	host_check_mtu(&look);
	host_check_probe_addrs(&look);
	host_check_process(&look);
	return look.count;
}
