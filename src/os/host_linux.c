/* SPDX-License-Identifier: ISC */
/* Linux: local addresses, forwarding, packet sockets, capabilities. */
#include "config.h"

#include "os/os.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct route_question {
	struct nlmsghdr header;
	struct rtmsg route;
	struct rtattr attribute;
	uint8_t destination[16];
};

union route_answer {
	struct nlmsghdr header; /* for its alignment */
	uint8_t bytes[4096];    /* one route is some 100 bytes; the kernel's own tools read this much and more */
};

static void
route_ask(struct route_question *question, const struct addr *addr)
{
	size_t length = addr->family == ADDR_IPV4 ? 4 : 16;

	memset(question, 0, sizeof(*question));
	question->header.nlmsg_type = RTM_GETROUTE;
	question->header.nlmsg_flags = NLM_F_REQUEST;
	question->header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(struct rtmsg)) + RTA_LENGTH(length));
	question->route.rtm_family = addr->family == ADDR_IPV4 ? AF_INET : AF_INET6;
	question->route.rtm_dst_len = (unsigned char)(length * 8);
	question->attribute.rta_type = RTA_DST;
	question->attribute.rta_len = (unsigned short)RTA_LENGTH(length);
	memcpy(question->destination, addr->bytes, length);
}

static void
route_interface(struct nlmsghdr *header, char iface[IFACE_NAME])
{
	struct rtmsg *route = NLMSG_DATA(header);
	int left = (int)RTM_PAYLOAD(header);
	unsigned index;

	for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type != RTA_OIF || RTA_PAYLOAD(at) != sizeof(index))
			continue;
		memcpy(&index, RTA_DATA(at), sizeof(index));
		if (if_indextoname(index, iface) == NULL)
			iface[0] = '\0';
	}
}

/* How the kernel would route a packet to `addr`: 1 to this host, 0 elsewhere, -1 unknown. */
static int
route_look_up(int fd, const struct addr *addr, unsigned flags, union route_answer *answer)
{
	struct route_question question;
	const struct rtmsg *route = NLMSG_DATA(&answer->header);
	ssize_t length = -1;

	if (fd < 0)
		return -1;
	route_ask(&question, addr);
	question.route.rtm_flags = flags;
	/* rtnetlink answers within send(): what is not there then never comes, and nothing here waits. */
	if (send(fd, &question, question.header.nlmsg_len, 0) == (ssize_t)question.header.nlmsg_len)
		length = recv(fd, answer, sizeof(*answer), MSG_DONTWAIT);
	if (length < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || !NLMSG_OK(&answer->header, (size_t)length))
		return -1;
	/* No route is an answer too: an error. */
	return answer->header.nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_LOCAL;
}

static int
route_is_local(int fd, const struct addr *addr, char iface[IFACE_NAME])
{
	union route_answer answer;
	const int local = route_look_up(fd, addr, 0, &answer);

	if (local == 1)
		route_interface(&answer.header, iface);
	return local;
}

/* A gateway of the other IP version is in RTA_VIA: its family, then the address (struct rtvia, linux/rtnetlink.h). */
static void
route_read_gateway(struct rtattr *at, struct addr *gateway)
{
	const uint8_t *bytes = RTA_DATA(at);
	size_t length = RTA_PAYLOAD(at);

	if (at->rta_type == RTA_VIA && length > sizeof(sa_family_t)) {
		bytes += sizeof(sa_family_t);
		length -= sizeof(sa_family_t);
	}
	if (length != 4 && length != 16)
		return;
	gateway->family = length == 4 ? ADDR_IPV4 : ADDR_IPV6;
	memcpy(gateway->bytes, bytes, length);
}

int
os_route_find(const struct addr *addr, struct ip_route *route)
{
	const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	union route_answer answer;
	struct rtmsg *found = NLMSG_DATA(&answer.header);
	const int looked_up = route_look_up(fd, addr, 0, &answer);
	int left = (int)RTM_PAYLOAD(&answer.header);

	if (fd >= 0)
		(void)close(fd);
	memset(route, 0, sizeof(*route));
	if (looked_up != 0 || answer.header.nlmsg_type != RTM_NEWROUTE || found->rtm_type != RTN_UNICAST)
		return -1;
	route->destination = (struct prefix) { .addr = *addr, .length = addr->family == ADDR_IPV4 ? 32 : 128 };
	route_interface(&answer.header, route->iface);
	for (struct rtattr *at = RTM_RTA(found); RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == RTA_GATEWAY || at->rta_type == RTA_VIA)
			route_read_gateway(at, &route->gateway);
	return route->iface[0] != '\0' ? 0 : -1;
}

/* The command that removes that route of type local. */
static void
route_text(struct nlmsghdr *header, const struct addr *addr, const char *iface, char *text, size_t size)
{
	struct rtmsg *route = NLMSG_DATA(header);
	int left = (int)RTM_PAYLOAD(header);
	uint32_t table = route->rtm_table;
	struct addr prefix = *addr;
	char name[ADDR_TEXT], other[32] = "";

	for (struct rtattr *at = RTM_RTA(route); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type == RTA_DST && RTA_PAYLOAD(at) == (addr->family == ADDR_IPV4 ? 4 : 16))
			memcpy(prefix.bytes, RTA_DATA(at), RTA_PAYLOAD(at));
		else if (at->rta_type == RTA_TABLE && RTA_PAYLOAD(at) == sizeof(table))
			memcpy(&table, RTA_DATA(at), sizeof(table));
	}
	/* Without rules IPv4 keeps both tables in one, and calls it main (net/ipv4/fib_frontend.c, fib_unmerge()). */
	if (table != RT_TABLE_LOCAL && table != RT_TABLE_MAIN)
		(void)snprintf(other, sizeof(other), " table %u", (unsigned)table);
	(void)snprintf(text, size, "ip route delete local %s/%u dev %s%s", addr_format(&prefix, name),
	    route->rtm_dst_len,
	    iface, other);
}

void
os_release_command(const struct addr *addr, const char *iface, char *text, size_t size)
{
	char found[1][IFACE_NAME], name[ADDR_TEXT];
	union route_answer answer;
	bool routed = false;
	int fd;

	os_iface_of_addresses(addr, 1, found);
	if (found[0][0] == '\0') {
		/* Without an address there is a route: that itself is asked for, not what the kernel makes of it. */
		fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
		routed = route_look_up(fd, addr, RTM_F_FIB_MATCH, &answer) == 1;
		if (fd >= 0)
			(void)close(fd);
	}
	if (routed)
		route_text(&answer.header, addr, iface, text, size);
	else
		os_command(OS_ADDRESS_DELETE, iface, addr_format(addr, name), text, size);
}

void
os_hold_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME])
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	os_iface_of_addresses(addrs, count, ifaces);
	for (size_t i = 0; i < count; i++) {
		char routed[IFACE_NAME] = "";

		switch (route_is_local(fd, &addrs[i], routed)) {
		case 0: /* at most on an interface that is down */
			ifaces[i][0] = '\0';
			break;
		case 1: /* every local route uses lo: the interface with the address is more informative */
			if (ifaces[i][0] == '\0')
				(void)snprintf(ifaces[i], IFACE_NAME, "%s", routed[0] == '\0' ? "lo" : routed);
			break;
		default:
			break;
		}
	}
	if (fd >= 0)
		(void)close(fd);
}

/* Its files can be read at any time. */
void
os_routing_read(struct os_routing *routing)
{
	routing->forwards[0] = routing->forwards[1] = OS_UNKNOWN;
}

enum os_answer
os_forwards(const struct os_routing *routing UNUSED, const char *iface, enum addr_family family, char *fix, size_t size)
{
	char path[128], *key = path + strlen("/proc/sys/");
	FILE *file;
	int value;

	if (strchr(iface, '/') != NULL || strlen(iface) >= IFACE_NAME)
		return OS_NO;
	/* IPv6 is forwarded by all interfaces or none (Documentation/networking/ip-sysctl.rst). */
	if (family == ADDR_IPV4)
		(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/forwarding", iface);
	else
		(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/all/forwarding");
	file = fopen(path, "re");
	if (file == NULL)
		return errno == ENOENT ? OS_NO : OS_UNKNOWN; /* the interface is gone, or the kernel has no IPv6 */
	value = fgetc(file);
	(void)fclose(file);
	if (value == EOF || value == '0')
		return value == EOF ? OS_UNKNOWN : OS_NO;
	/* In the usual notation, unless the interface's name has dots: sysctl(8) accepts slashes then. */
	if (strchr(key, '.') == NULL)
		for (char *slash = key; (slash = strchr(slash, '/')) != NULL;)
			*slash = '.';
	(void)snprintf(fix, size, "sysctl -w %s=0", key);
	return OS_YES;
}

enum os_answer
os_drops_strays(const struct os_routing *routing UNUSED, char *fix UNUSED, size_t size UNUSED)
{
	return OS_NO; /* an address is the host's, whatever interface has it */
}

int
os_silence_socket(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog program = {.len = 1, .filter = &nothing};
	char byte;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0)
		return -1;
	/* What came before the filter would stay for good. */
	while (recv(fd, &byte, sizeof(byte), MSG_DONTWAIT) >= 0)
		continue;
	return 0;
}

int
os_ignore_outgoing(int fd)
{
#ifdef PACKET_IGNORE_OUTGOING /* Linux 4.20 */
	int one = 1;

	return setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one));
#else
	(void)fd;
	errno = ENOTSUP;
	return -1;
#endif
}

/* glibc has these two without a prototype, for libcap's sake. */
static int
capabilities_get(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(SYS_capget, &header, data);
}

static int
capabilities_set(const struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return (int)syscall(SYS_capset, &header, data);
}

#define BIT(capability) (1ULL << (capability))
#define RIGHTS_FRAMES (BIT(CAP_NET_RAW) | BIT(CAP_NET_ADMIN))
/* bpf(2) and perf's share of it (linux/capability.h: 39 and 38, Linux 5.8), and what becoming another user needs. */
#define RIGHTS_PRIVILEGED (RIGHTS_FRAMES | BIT(39) | BIT(38) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP))

/* Give up all but `wanted`; what is missing already, in a container, stays missing. */
static int
capabilities_reduce(uint64_t wanted)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (capabilities_get(data) != 0)
		return -1;
	for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].permitted &= (uint32_t)(wanted >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (capabilities_set(data) != 0)
		return -1;
	/* Since Linux 4.3; earlier kernels have no ambient capabilities to clear. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Failure is harmless with PR_SET_NO_NEW_PRIVS: a service manager may have removed CAP_SETPCAP before. */
static void
bounding_set_reduce(uint64_t wanted)
{
	for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++) {
		if (capability >= 64 || (wanted & BIT(capability)) == 0)
			(void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
	}
}

int
os_drop_root(const char *user, char error[OS_ERROR])
{
	struct os_user wanted = { geteuid(), getegid() };

	if (user != NULL && os_user_find(user, &wanted, error) != 0)
		return -1;
	bounding_set_reduce(RIGHTS_FRAMES);
	if (geteuid() != wanted.uid || getegid() != wanted.gid) {
		if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setgroups(1, &wanted.gid) != 0 ||
		    setresgid(wanted.gid, wanted.gid, wanted.gid) != 0 ||
		    setresuid(wanted.uid, wanted.uid, wanted.uid) != 0)
			goto fail;
	}
	/* Who stays root has asked for all that root may do. */
	if (wanted.uid == 0 ? prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 : capabilities_reduce(RIGHTS_FRAMES) != 0)
		goto fail;
	return 0;
fail:
	(void)snprintf(error, OS_ERROR, "cannot become user %.64s: %s: start dsrd as root, or as that user",
	    user != NULL ? user : "it is", strerror(errno));
	return -1;
}

static int
rights_keep(uint64_t wanted, char error[OS_ERROR])
{
	bounding_set_reduce(wanted);
	if (capabilities_reduce(wanted) == 0)
		return 0;
	(void)snprintf(error, OS_ERROR, "cannot give up capabilities: %s", strerror(errno));
	return -1;
}

int
os_drop_rights(char error[OS_ERROR])
{
	return rights_keep(0, error);
}

int
os_keep_privileged(char error[OS_ERROR])
{
	return rights_keep(RIGHTS_PRIVILEGED, error);
}

int
os_keep_network(char error[OS_ERROR])
{
	return rights_keep(BIT(CAP_NET_ADMIN), error);
}

const char *
os_missing_privilege(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (capabilities_get(data) == 0 && (data[0].effective & 1U << CAP_NET_RAW) != 0)
		return NULL;
	return "the capability CAP_NET_RAW is missing, without which frames can be neither captured nor sent: run"
	    " dsrd as root, or give its service CAP_NET_RAW, and CAP_NET_ADMIN for turning offloads off";
}

/* Documentation/admin-guide/sysctl/kernel.rst, random/boot_id: 36 characters. */
void
os_boot(char boot[OS_BOOT])
{
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	size_t length = 0;

	memset(boot, 0, OS_BOOT);
	if (file == NULL)
		return;
	length = fread(boot, 1, OS_BOOT - 1, file);
	(void)fclose(file);
	if (length > 0 && boot[length - 1] == '\n')
		boot[length - 1] = '\0';
}
