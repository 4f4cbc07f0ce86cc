/* SPDX-License-Identifier: ISC */
/* Any POSIX system that has no file of its own yet. Its root can't be divided, and offloads are the operator's. */
#include "config.h"

#include "os/os.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
os_hold_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME])
{
	os_iface_of_addresses(addrs, count, ifaces);
}

void
os_release_command(const struct addr *addr, const char *iface, char *text, size_t size)
{
	char name[ADDR_TEXT];

	os_command(OS_ADDRESS_DELETE, iface, addr_format(addr, name), text, size);
}

void
os_routing_read(struct os_routing *routing)
{
	routing->forwards[0] = routing->forwards[1] = OS_UNKNOWN;
}

enum os_answer
os_forwards(const struct os_routing *routing UNUSED, const char *iface UNUSED, enum addr_family family UNUSED,
    char *fix UNUSED, size_t size UNUSED)
{
	return OS_UNKNOWN;
}

enum os_answer
os_drops_strays(const struct os_routing *routing UNUSED, char *fix UNUSED, size_t size UNUSED)
{
	return OS_UNKNOWN;
}

int
os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR])
{
	offload->turned_off = 0;
	(void)snprintf(error, OS_ERROR,
	    "dsrd cannot turn receive offloads off on this system; if ifconfig shows LRO on %s,"
	    " type: ifconfig %s -lro",
	    iface, iface);
	errno = ENOTSUP;
	return -1;
}

int
os_offload_read(const char *iface UNUSED, struct offload *on)
{
	on->turned_off = 0;
	return -1;
}

int
os_offload_restore(const char *iface UNUSED, const struct offload *offload UNUSED, char error[OS_ERROR] UNUSED)
{
	return 0; /* nothing was turned off */
}

const char *
os_offload_text(const struct offload *offload UNUSED, char text[OFFLOAD_TEXT])
{
	(void)snprintf(text, OFFLOAD_TEXT, "none");
	return text;
}

int
os_silence_socket(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

int
os_ignore_outgoing(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

const char *
os_missing_privilege(void)
{
	/* Where frames come from on the BSDs and macOS: one device that clones itself, or many. */
	static const char *const devices[] = {"/dev/bpf", "/dev/bpf0"};

	if (geteuid() == 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		if (access(devices[i], R_OK | W_OK) == 0)
			return NULL;
	}
	return "dsrd may not open /dev/bpf: run it as root, or give its user read and write access to that device";
}

/* POSIX has no such name. */
void
os_boot(char boot[OS_BOOT])
{
	memset(boot, 0, OS_BOOT);
}

int
os_route_find(const struct addr *addr UNUSED, struct ip_route *route UNUSED)
{
	return -1;
}
