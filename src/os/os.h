/* SPDX-License-Identifier: ISC */
/*
 * What a platform provides. iface.c and user.c are portable; the rest has files for each platform,
 * picked by configure: *_linux.c, or *_bsd.c for FreeBSD, OpenBSD, NetBSD, DragonFly and macOS, or host_none.c where
 * there is nothing better, in which case what it cannot do is said, not pretended.
 */
#ifndef OS_OS_H
#define OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/iface.h"
#include "base/route.h"

#define OS_ERROR 256

/*
 * The properties of one interface: MAC (zero if it is not Ethernet), MTU, link, addresses. Returns 0, or -1 with a
 * reason (errno ENXIO: no such interface).
 */
NODISCARD int os_iface_read(const char *name, struct iface *iface, char error[OS_ERROR]);
/* Fills in `ipvlan` and `master` of an interface whose name is known, where the system tells. os_iface_read() does. */
void os_iface_read_shape(struct iface *iface);
/* Names of all interfaces that are up and are not loopbacks, in the system's order; at most `most`. Their number. */
size_t os_iface_list(char names[][IFACE_NAME], size_t most);
/* The interfaces of this host on which these addresses are configured; "" for an address that it does not have. */
void os_iface_of_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME]);
/*
 * Which of these addresses would this host's stack take for its own? On Linux also by a `local` route of a whole
 * prefix. Their interfaces; "" for the others. Some microseconds for each address.
 */
void os_hold_addresses(const struct addr *addrs, size_t count, char ifaces[][IFACE_NAME]);
/* The same for one. */
bool os_holds_address(const struct addr *addr, char iface[IFACE_NAME]);

/* Why this host's own stack cannot serve a VIP as one of the servers (`local`). */
enum os_local {
	OS_LOCAL_OK = 0,
	OS_LOCAL_UNSUPPORTED,  /* not known to work on this system */
	OS_LOCAL_MISSING,      /* it lacks the VIP */
	OS_LOCAL_EXPOSED,      /* it has it on another interface than the loopback */
	OS_LOCAL_ANSWERS_ARP,  /* it answers ARP for it on `iface` */
	OS_LOCAL_REVERSE_PATH  /* it drops packets from clients that come by the loopback interface */
};
enum os_local os_local_obstacle(const struct addr *vip, const char *iface);
/* The interface by which a frame reaches this host's own stack; NULL where this is not known to work. */
const char *os_loopback(void);

/*
 * The command that makes the stack give up an address that it holds by `iface`: removes the address, or on Linux the
 * `local` route that holds it.
 */
void os_release_command(const struct addr *addr, const char *iface, char *text, size_t size);

/*
 * The route that a packet of this host to `addr` takes, as a route to that one address: interface and gateway. 0, or -1
 * when there is none, when it leads to the host itself, or where the system cannot be asked.
 */
NODISCARD int os_route_find(const struct addr *addr, struct ip_route *route);

/*
 * News of this host: an interface came or went, went up or down, has another MAC, MTU or address; on Linux also that it
 * forwards packets, or does no longer, and, if `routes`, that routes changed. A descriptor to watch, or -1 with errno
 * where the system reports nothing: then one must look in intervals, as one must in any case, since news can be lost.
 * os_news_read() takes all that waits there, and says whether any of it was such.
 */
int os_news_open(void);
bool os_news_read(int fd, bool routes);

enum os_answer { OS_NO, OS_YES, OS_UNKNOWN };

/*
 * Whether this host's stack forwards, where that must be read before os_sandbox_enter(): no promise of pledge(2)
 * allows the sysctls of net.inet (OpenBSD, sys/kern/kern_pledge.c), and the kernel logs each attempt. Other systems
 * leave it unused and look at each question.
 */
struct os_routing {
	enum os_answer forwards[2]; /* IPv4, IPv6 */
};
void os_routing_read(struct os_routing *routing);
/*
 * Would this host route packets that arrive on `iface`? If so `fix` (of `size` bytes) gets the command that stops it.
 * On OpenBSD the answer is that of os_routing_read(), whatever was changed since.
 */
enum os_answer os_forwards(const struct os_routing *routing, const char *iface, enum addr_family family, char *fix,
    size_t size);
/*
 * Does this host drop packets that arrive on an interface other than the one with their address? If so `fix` gets the
 * command that changes it, or an empty string where there is none.
 */
enum os_answer os_drops_strays(const struct os_routing *routing, char *fix, size_t size);

/*
 * Receive offloads merge frames into larger ones than can be sent, and the original sizes are lost. os_offload_off()
 * turns them off and remembers what was on; os_offload_restore() turns that back on. On failure it returns -1 with a
 * reason in `error`, and dsrd splits the frames itself; some may be off even then, so `offload` is set, and must be
 * restored, in any case. All zero restores nothing.
 */
struct offload {
	unsigned turned_off; /* a bit for each feature; the meaning is private to the platform's file */
};
NODISCARD int os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR]);
/* The features that are on now, as if os_offload_off() had turned them off. Returns 0, or -1 where this is unknown. */
NODISCARD int os_offload_read(const char *iface, struct offload *on);
NODISCARD int os_offload_restore(const char *iface, const struct offload *offload, char error[OS_ERROR]);
/* "gro lro", for the log. Returns `text`. */
#define OFFLOAD_TEXT 64
const char *os_offload_text(const struct offload *offload, char text[OFFLOAD_TEXT]);

/*
 * Keeps the kernel from queueing received frames on a socket that is only written to: libnet's link socket is also a
 * tap that is never read. Returns 0 or -1.
 */
NODISCARD int os_silence_socket(int fd);
/*
 * A socket for joining IPv6 multicast groups, so that the interface, and switches with MLD snooping, deliver neighbor
 * solicitations for VIPs that the kernel does not know. -1 without IPv6. Closing it leaves all groups.
 */
int os_group_socket(void);
/* 0 also when it was joined before; -1 with errno. */
NODISCARD int os_group_join(int fd, const char *iface, const struct addr *group);
/* Frames leave with the source address they have, which some kernels replace otherwise. 0 or -1. */
NODISCARD int os_complete_headers(int fd);
/* Keeps frames sent by this host away from a capture descriptor. An optimisation: -1 is harmless. */
int os_ignore_outgoing(int fd);

/*
 * The size in bytes of a capture buffer that is smaller than wanted, with the command that allows a larger one at the
 * next open in `fix`; 0 where it is as large as wanted.
 */
size_t os_capture_buffer(int fd, char *fix, size_t size);
/*
 * Keeps packets that arrive for `mac` and these addresses from this host's own stack, so that it cannot forward a
 * second copy. `*fd` is -1 at first; closing it removes the filter. Returns 0, or -1 with errno: ENOTSUP on all systems
 * but OpenBSD, EPERM when root is needed and has been given up, E2BIG when there are too many addresses.
 */
NODISCARD int os_withhold(int *fd, const char *iface, const struct mac *mac, const struct addr *addresses,
    size_t count);

/*
 * After root has been given up, open descriptors can be locked, where os_can_lock() is true. A locked capture
 * descriptor keeps its filter and accepts no further settings; a locked sender's accepts only IP and ARP frames.
 * Returns 0, or -1 with errno.
 */
bool os_can_lock(void);
NODISCARD int os_lock_capture(int fd);
NODISCARD int os_lock_sender(int fd);
/*
 * Raises the soft limit of descriptors to the hard one: each check that waits for its answer holds one, and OpenBSD's
 * class `daemon` starts with 128, Linux with 1024. 0, or -1 with errno: the limit stays what it is.
 */
NODISCARD int os_raise_descriptors(void);

/* "name" or "name:group" as numbers; the group is else the user's own. 0, or -1 with what to type in `error`. */
struct os_user {
	uid_t uid;
	gid_t gid;
};
NODISCARD int os_user_find(const char *user, struct os_user *found, char error[OS_ERROR]);
/*
 * The name of a user in /etc/passwd; empty for others. Uses no name service, which could block the caller.
 */
#define OS_USER_NAME 33 /* bytes, with the end: useradd(8) allows 32 */
void os_user_name(uid_t uid, char name[OS_USER_NAME]);
/*
 * Switches to `user` ("name" or "name:group"), keeping only the right to open and write raw frames and to change
 * offloads, where the platform can divide root's privileges; elsewhere a later open fails with an error. It cannot be
 * undone. A process that already runs as that user, or as any for NULL, only drops what it does not need. Programs it
 * executes later gain nothing. Returns 0 or -1.
 */
NODISCARD int os_drop_root(const char *user, char error[OS_ERROR]);
/* The same without those rights, for a process that opens no frames. After os_drop_root(). 0 or -1 with a reason. */
NODISCARD int os_drop_rights(char error[OS_ERROR]);
/*
 * For a process that does for others what needs privileges: it gives up those that none of these and
 * os_offload_off(), nor becoming another user, needs. 0 or -1 with a reason.
 */
NODISCARD int os_keep_privileged(char error[OS_ERROR]);
/* For the process that holds routes: no right stays but that to change the network. 0 or -1 with a reason. */
NODISCARD int os_keep_network(char error[OS_ERROR]);
/*
 * A packet socket that is bound to the interface: to capture, or else to send, which receives nothing
 * (io_libnet_linux.c explains to what it is bound). Its buffers are as large as both need. -1 with errno.
 */
NODISCARD int os_packet_socket(const char *iface, bool capture);
/* A raw socket for ICMP, or ICMPv6, connected to that address; it does not block. -1 with errno. */
NODISCARD int os_ping_socket(const struct addr *addr);
#define OS_BOOT 40
/*
 * An identifier of the current boot, padded with zeros; empty where the system has none, or none that survives setting
 * the clock.
 */
void os_boot(char boot[OS_BOOT]);
/* The user at the other end of a connected Unix socket. 0 or -1. */
NODISCARD int os_peer_user(int fd, uid_t *uid);
/* What a person types on this system. `argument` is an address, a user or a group. */
enum os_command {
	OS_ADDRESS_DELETE,
	OS_USER_ADD,
	OS_GROUP_ADD
};
#define OS_COMMAND 200
void os_command(enum os_command command, const char *iface, const char *argument, char *text, size_t size);

/* What this process lacks to capture and inject, as a sentence; NULL when nothing is missing. */
#define OS_PRIVILEGE_TEXT 320 /* bytes, with the end: the longest, so that no reader cuts it */
const char *os_missing_privilege(void);

#endif
