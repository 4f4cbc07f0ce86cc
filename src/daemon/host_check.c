/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/host_check.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "daemon/announcing.h"
#include "daemon/port.h"
#include "daemon/selfcheck.h"
#include "daemon/stats.h"
#include "daemon/privsep.h"
#include "os/os.h"

struct look {
	const struct stats_sources *from;
	struct problem *findings;
	size_t count;
	size_t most;
};

/* Findings beyond the room for them are not reported. */
static void
host_check_add(struct look *look, enum diagnosis id, const struct remedy_word *words)
{
	struct problem *finding = &look->findings[look->count];

	if (look->count == look->most)
		return;
	look->count++;
	*finding = (struct problem) { .id = id, .iface = IFACE_NONE };
	problem_write(finding, words);
}

static void
host_check_problems(struct look *look)
{
	const struct problems *problems = selfcheck_problems(look->from->selfcheck);

	for (size_t i = 0; i < problems_count(problems) && look->count < look->most; i++)
		look->findings[look->count++] = *problems_at(problems, i);
}

/* Not wrong: what they merge is split, by dsrd or by the card. */
static void
host_check_offloads(struct look *look, const struct iface *iface)
{
	struct offload on;
	char text[OFFLOAD_TEXT];

	if (os_offload_read(iface->name, &on) == -1 || on.turned_off == 0)
		return;
	os_offload_text(&on, text);
	host_check_add(look, DIAGNOSIS_OFFLOADS,
	    (const struct remedy_word[]) { { "interface", iface->name }, { "list", text }, { NULL, NULL } });
}

/* Bursts fit into it, or are lost. */
static void
host_check_buffer(struct look *look, size_t index)
{
	struct receiver *receiver = look->from->nics[index].receiver;
	char fix[PROBLEM_TEXT], count[24];
	size_t bytes;

	if (receiver == NULL)
		return;
	bytes = os_capture_buffer(receiver->ops->descriptor(receiver), fix, sizeof(fix));
	if (bytes == 0)
		return;
	snprintf(count, sizeof(count), "%zu", bytes / 1024);
	host_check_add(look, DIAGNOSIS_CAPTURE_BUFFER, (const struct remedy_word[]) {
	    { "interface", look->from->director->ifaces[index].name }, { "count", count }, { "command", fix },
	    { NULL, NULL } });
}

enum diagnosis
host_check_judge_strays(enum os_answer drops)
{
	switch (drops) {
	case OS_YES:
		return DIAGNOSIS_STRICT_INTERFACES;
	case OS_UNKNOWN:
		return DIAGNOSIS_STRICT_INTERFACES_UNKNOWN;
	case OS_NO:
		break;
	}
	return DIAGNOSIS_COUNT;
}

/* With one interface there is no wrong one. */
static void
host_check_strays(struct look *look)
{
	const struct director *director = look->from->director;
	char fix[PROBLEM_TEXT] = "";
	enum diagnosis found;

	if (director->iface_count < 2)
		return;
	found = host_check_judge_strays(os_drops_strays(&director->routing, fix, sizeof(fix)));
	if (found != DIAGNOSIS_COUNT)
		host_check_add(look, found, (const struct remedy_word[]) { { "command", fix }, { NULL, NULL } });
}

/* That it forwards is a problem of selfcheck.h's. */
static void
host_check_forwarding(struct look *look, size_t index)
{
	static const enum addr_family families[] = { ADDR_IPV4, ADDR_IPV6 };
	const struct director *director = look->from->director;
	const char *interface = director->ifaces[index].name;
	char fix[PROBLEM_TEXT];

	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (model_vips_at(director->model, index, families[i]) > 0 &&
		    os_forwards(&director->routing, interface, families[i], fix, sizeof(fix)) == OS_UNKNOWN)
			host_check_add(look, DIAGNOSIS_FORWARDING_UNKNOWN, (const struct remedy_word[]) {
			    { "family", families[i] == ADDR_IPV4 ? "IPv4" : "IPv6" }, { "interface", interface },
			    { NULL, NULL } });
}

static void
host_check_engine(struct look *look, size_t index)
{
	struct receiver_stats received;
	struct sender_stats sent;
	char count[24];

	nic_stats(&look->from->nics[index], &received, &sent);
	if (sent.failed == 0)
		return;
	snprintf(count, sizeof(count), "%" PRIu64, sent.failed);
	host_check_add(look, DIAGNOSIS_NOT_SENT, (const struct remedy_word[]) { { "count", count },
	    { "interface", look->from->director->ifaces[index].name }, { "reason", strerror(sent.last_errno) },
	    { NULL, NULL } });
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

	for (size_t i = 0; i < ARRAY_LEN(makers); i++)
		if (memcmp(iface->mac.bytes, makers[i].bytes, 3) == 0)
			host_check_add(look, DIAGNOSIS_VIRTUAL_SWITCH, (const struct remedy_word[]) {
			    { "interface", iface->name }, { "maker", makers[i].maker }, { "hint", makers[i].hint },
			    { NULL, NULL } });
}

/* Frames arrive by the VIP's interface and leave by the server's. The first such server stands for all. */
static void
host_check_mtu(struct look *look)
{
	const struct director *director = look->from->director;

	for (size_t i = 0; i < director->model->slot_count; i++) {
		const struct server *server = director->model->slots[i];
		const struct iface *in, *out;
		char name[SERVER_NAME_TEXT], mtu[16], other[16];

		if (server == NULL || server->iface == IFACE_NONE || server->service->iface == IFACE_NONE)
			continue;
		in = &director->ifaces[server->service->iface];
		out = &director->ifaces[server->iface];
		if (out->mtu >= in->mtu)
			continue;
		snprintf(mtu, sizeof(mtu), "%" PRIu32, out->mtu);
		snprintf(other, sizeof(other), "%" PRIu32, in->mtu);
		host_check_add(look, DIAGNOSIS_MTU, (const struct remedy_word[]) { { "interface", out->name },
		    { "server", server_name(server, name) }, { "mtu", mtu }, { "other", in->name },
		    { "other-mtu", other },
		    { NULL, NULL } });
		return;
	}
}

static void
host_check_probe_addrs(struct look *look)
{
	const struct probe_addrs *probe_addrs = &look->from->director->forwarder.probe_addrs;
	static const struct remedy_word none[] = { { NULL, NULL } };
	bool any = false;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++) {
		const struct probe_addr *probe_addr = &probe_addrs->list[i];
		char addr[ADDR_TEXT], mac[MAC_TEXT];

		any |= probe_addr->state != PROBE_ADDR_NONE;
		if (probe_addr->state == PROBE_ADDR_TAKEN)
			host_check_add(look, DIAGNOSIS_PROBE_ADDRESS_TAKEN, (const struct remedy_word[]) {
			    { "address", addr_format(&probe_addr->addr, addr) },
			    { "mac", mac_format(&probe_addr->holder, mac) }, { NULL, NULL } });
	}
	if (!any && look->from->director->vipchecking.probes)
		host_check_add(look, DIAGNOSIS_NO_PROBE_ADDRESS, none);
}

/* A VIP that is not answered for, of which routers do not hear either, or that they have no reason to route. */
static void
host_check_routed(struct look *look, const struct announce_status *status, uint16_t iface)
{
	const struct director *director = look->from->director;
	char vip[ADDR_TEXT];
	const struct remedy_word words[] = { { "vip", addr_format(&status->addr, vip) },
		{ "interface", iface == IFACE_NONE ? "?" : director->ifaces[iface].name }, { NULL, NULL } };

	if (!status->routed)
		return;
	if (!status->given && !status->listened)
		host_check_add(look, DIAGNOSIS_NOT_ANNOUNCED, words);
	if (iface != IFACE_NONE && iface_is_on_link(&director->ifaces[iface], &status->addr))
		host_check_add(look, DIAGNOSIS_ROUTED_ON_LINK, words);
}

static void
host_check_announce(struct look *look)
{
	const struct announce_report announce = announcing_report(look->from->announcing);
	const struct model *model = look->from->director->model;
	bool seen[ROLE_GROUPS] = { false };
	char table[16], protocol[16];

	(void)snprintf(protocol, sizeof(protocol), "%d", ANNOUNCE_PROTOCOL);
	for (size_t i = 0; i < announce.count; i++) {
		const struct announce_status *status = &announce.list[i];

		host_check_routed(look, status, model->vips[i].iface);
		if (seen[status->group] || (status->way != ANNOUNCE_DEVICE && status->way != ANNOUNCE_ROUTE))
			continue;
		seen[status->group] = true;
		(void)snprintf(table, sizeof(table), "%" PRIu32, announce.settings[status->group].table);
		host_check_add(look, DIAGNOSIS_ROUTERS_UNKNOWN, (const struct remedy_word[]) {
		    { "group", model->roles.groups[status->group].name }, { "protocol", protocol },
		    { "table", announce.settings[status->group].table == 0 ? "main" : table }, { NULL, NULL } });
	}
}

static_assert(OS_PRIVILEGE_TEXT <= PROBLEM_TEXT, "the text of os_missing_privilege() must fit in a finding");

/* What is missing to open interfaces; NULL: nothing. */
static const char *
host_check_privilege(const struct privsep *privsep)
{
	const struct os_sandbox *sandbox;
	pid_t pid;

	if (privsep == NULL)
		return os_missing_privilege();
	return privsep_process(privsep, &pid, &sandbox) ? NULL :
	    "the privileged process has ended, which opens interfaces and changes offloads: restart dsrd";
}

static void
host_check_process(struct look *look)
{
	const struct remedy_word missing[] = { { "reason", host_check_privilege(look->from->privsep) },
	    { NULL, NULL } };

	if (look->from->observe)
		host_check_add(look, DIAGNOSIS_OBSERVING, missing);
	if (missing[0].value != NULL)
		host_check_add(look, DIAGNOSIS_PRIVILEGES, missing);
}

size_t
host_check(const struct stats_sources *from, struct problem *findings, size_t most)
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
	host_check_announce(&look);
	host_check_process(&look);
	return look.count;
}
