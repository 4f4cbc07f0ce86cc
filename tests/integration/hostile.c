/* SPDX-License-Identifier: ISC */
/*
 * dsrd with hostile code in it: what a fault in a parser could run. It is linked with --wrap=os_sandbox_enter, so
 * nothing of it is in dsrd itself. In each process, once it has confined itself, it tries what such code would try,
 * and writes a line for each attempt into the file $HOSTILE_TABLE, which was mapped before:
 *
 *     PROCESS ATTEMPT refused|DONE REASON
 *
 * $HOSTILE_OUTSIDE is a file that everyone may read, $HOSTILE_IFACE an interface that the configuration does not name,
 * $HOSTILE_PORT a TCP port of 127.0.0.1 that accepts.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "os/sandbox.h"

#define TABLE_BYTES 65536
#define FDS_MOST 256
#define FRAME 60

/* Of libos.a, and what the linker calls instead. */
int __real_os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR]);
int __wrap_os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR]);

static struct table {
	uint32_t length;
	char text[TABLE_BYTES - sizeof(uint32_t)];
} *table;
static char outside[256];
static unsigned other_iface;
static uint16_t port;

static void __attribute__((constructor))
hostile_begin(void)
{
	const char *path = getenv("HOSTILE_TABLE"), *file = getenv("HOSTILE_OUTSIDE"), *number = getenv("HOSTILE_PORT");
	const char *iface = getenv("HOSTILE_IFACE");
	int fd;

	if (path == NULL || file == NULL || iface == NULL || number == NULL)
		return;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1 || ftruncate(fd, TABLE_BYTES) == -1)
		abort();
	table = mmap(NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (table == MAP_FAILED)
		abort();
	(void)snprintf(outside, sizeof(outside), "%s", file);
	other_iface = if_nametoindex(iface);
	port = (uint16_t)strtoul(number, NULL, 10);
}

static const char *
process_name(enum os_process process)
{
	switch (process) {
	case OS_PROCESS_DIRECTOR:
		return "director";
	case OS_PROCESS_PRIVILEGED:
		return "privileged";
	case OS_PROCESS_LAUNCHER:
		return "launcher";
	case OS_PROCESS_CHECKER:
		return "checker";
	}
	return "?";
}

/* `result` -1: refused, with errno. */
static void
note(enum os_process process, const char *attempt, long result)
{
	char line[200];
	const int number = errno;
	const int length = snprintf(line, sizeof(line), "%s %s %s %s\n", process_name(process), attempt,
	    result == -1 ? "refused" : "DONE", result == -1 ? strerror(number) : "-");
	const uint32_t at = __atomic_fetch_add(&table->length, (uint32_t)length, __ATOMIC_RELAXED);

	if (at + (uint32_t)length < sizeof(table->text))
		memcpy(table->text + at, line, (size_t)length);
}

static long
try_open(const char *path, int flags)
{
	const int fd = open(path, flags, 0600);

	if (fd != -1)
		(void)close(fd);
	return fd;
}

static long
try_connect(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	const long result = fd == -1 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof(address));
	const int number = errno;

	if (fd != -1)
		(void)close(fd);
	errno = number;
	return result;
}

/* Without connect(): a scan of the network needs one descriptor only. */
static long
try_unconnected(void)
{
	const struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	const long result = fd == -1 ? -1 : sendto(fd, "x", 1, 0, (const struct sockaddr *)&address, sizeof(address));
	const int number = errno;

	if (fd != -1)
		(void)close(fd);
	errno = number;
	return result;
}

static void
frame_for(struct sockaddr_ll *where, uint8_t frame[FRAME])
{
	memset(where, 0, sizeof(*where));
	where->sll_family = AF_PACKET;
	where->sll_ifindex = (int)other_iface;
	where->sll_halen = ETH_ALEN;
	memset(where->sll_addr, 0xff, ETH_ALEN);
	memset(frame, 0, FRAME);
	memset(frame, 0xff, ETH_ALEN);
	frame[12] = 0x88;
	frame[13] = 0xb5; /* IEEE 802, for experiments */
}

/* By a descriptor of its own. */
static long
try_new_socket(void)
{
	const int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd != -1)
		(void)close(fd);
	return fd;
}

/* As sendto() does it, by another call, whose arguments are in memory. */
static ssize_t
send_message(int fd, uint8_t frame[FRAME], struct sockaddr_ll *where)
{
	struct iovec part = { frame, FRAME };
	const struct msghdr message = { .msg_name = where, .msg_namelen = sizeof(*where), .msg_iov = &part,
	    .msg_iovlen = 1 };

	return sendmsg(fd, &message, 0);
}

enum way { BIND, SENDTO, SENDMSG };

/* By each descriptor that is open: 1 when one of them did it. */
static long
try_open_sockets(enum way way)
{
	struct sockaddr_ll where;
	uint8_t frame[FRAME];
	long result = -1;
	int number = ENOENT; /* no such descriptor */

	frame_for(&where, frame);
	for (int fd = 3; fd < FDS_MOST; fd++) {
		int domain = 0;
		socklen_t size = sizeof(domain);

		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == -1 || domain != AF_PACKET)
			continue;
		if ((way == BIND && bind(fd, (const struct sockaddr *)&where, sizeof(where)) == 0) ||
		    (way == SENDTO && sendto(fd, frame, FRAME, 0, (const struct sockaddr *)&where, sizeof(where)) ==
		    FRAME) ||
		    (way == SENDMSG && send_message(fd, frame, &where) == FRAME))
			result = 1;
		else
			number = errno;
	}
	errno = number;
	return result;
}

static long
try_code(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? -1 : 0;
}

static long
try_bpf(void)
{
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = 4;
	attributes.value_size = 4;
	attributes.max_entries = 1;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes));
}

/* 0 when the kernel has taken that interface up again; errno from its answer. */
static long
try_netlink(void)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} request = { { sizeof(request), RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		{ .ifi_index = (int)other_iface, .ifi_flags = IFF_UP, .ifi_change = IFF_UP } };
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[256];
	} answer;
	const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	long result = -1;

	if (fd == -1)
		return -1;
	memset(&answer, 0, sizeof(answer));
	if (send(fd, &request, sizeof(request), 0) == sizeof(request) && recv(fd, &answer, sizeof(answer), 0) > 0) {
		errno = -answer.error.error;
		result = answer.error.error == 0 ? 0 : -1;
	}
	close(fd);
	return result;
}

/* Last, for if it works nothing comes after it. The launcher's task is to do it. */
static long
try_exec(void)
{
	char *const words[] = { (char *)(uintptr_t)"/bin/true", NULL };

	return execve(words[0], words, words + 1);
}

static long
try_fork(void)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid(pid, NULL, 0);
	return pid;
}

int
__wrap_os_sandbox_enter(const struct os_sandbox_order *order, struct os_sandbox *sandbox, char error[OS_ERROR])
{
	const int result = __real_os_sandbox_enter(order, sandbox, error);
	const enum os_process process = order->process;

	if (table == NULL || result == -1)
		return result;
	/* Everything works then: only what does no harm. */
	if (order->mode == OS_SANDBOX_LOG) {
		note(process, "fork", try_fork());
		return result;
	}
	note(process, "open-shadow", try_open("/etc/shadow", O_RDONLY));
	note(process, "become-root", syscall(SYS_setresuid, 0, 0, 0));
	note(process, "new-user-namespace", syscall(SYS_unshare, CLONE_NEWUSER));
	note(process, "bpf", try_bpf());
	note(process, "ptrace-parent", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	note(process, "signal-init", kill(1, 0));
	note(process, "io-uring", syscall(425, 8, NULL));
	note(process, "raw-socket", try_new_socket());
	note(process, "raw-bind-elsewhere", try_open_sockets(BIND));
	note(process, "raw-sendto-elsewhere", try_open_sockets(SENDTO));
	note(process, "raw-sendmsg-elsewhere", try_open_sockets(SENDMSG));
	note(process, "link-change", try_netlink());
	note(process, "mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
	if (process == OS_PROCESS_CHECKER)
		note(process, "udp-to-anywhere", try_unconnected());
	if (process == OS_PROCESS_DIRECTOR || process == OS_PROCESS_CHECKER) {
		note(process, "open-outside", try_open(outside, O_RDONLY));
		note(process, "create-outside", try_open("/tmp/dsrd-hostile", O_RDWR | O_CREAT));
		note(process, "executable-memory", try_code());
		note(process, "fork", try_fork());
		note(process, "connect", try_connect());
		note(process, "exec", try_exec());
	}
	return result;
}
