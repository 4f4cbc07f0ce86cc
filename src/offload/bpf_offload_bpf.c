/* SPDX-License-Identifier: ISC */
/* The fast path by libbpf. The programs' object file is part of this program: dsrd_bpf_object, made at build time. */
#include "config.h"

#include "offload/bpf_offload.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/membarrier.h>
#include <linux/pkt_cls.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "offload/bpf_error.h"
#include "offload/bpf_object.h"
#include "base/iface.h"
#include "offload/attach.h"
#include "offload/bpf_offload_ring.h"

struct attached {
	enum bpf_offload_kind kind;
	char iface[IFACE_NAME]; /* empty: nothing is attached */
	int link;   /* -1: in clsact, which holds no link */
};

struct bpf_offload {
	const struct attacher *attacher;
	struct bpf_object *object;
	struct offload_memory memory;
	size_t bucket_bytes;
	struct rings rings;
	struct attached attached[FAST_PATHS_MOST];
};

/* What is written goes to the caller's error, not to standard error. */
static int
bpf_offload_ignore_writes(enum libbpf_print_level level UNUSED, const char *format UNUSED, va_list arguments UNUSED)
{
	return 0;
}

static size_t
bpf_offload_whole_pages(size_t bytes)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static void *
bpf_offload_map_memory(const struct bpf_object *object, const char *name, size_t bytes)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object, name);
	void *memory;

	if (map == NULL)
		return NULL;
	memory = mmap(NULL, bpf_offload_whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);
	return memory == MAP_FAILED ? NULL : memory;
}

static int
bpf_offload_map_all(struct bpf_offload *path)
{
	struct offload_memory *memory = &path->memory;

	path->bucket_bytes = (size_t)memory->bucket_count * sizeof(struct offload_bucket);
	memory->buckets = bpf_offload_map_memory(path->object, "buckets", path->bucket_bytes);
	memory->servers = bpf_offload_map_memory(path->object, "servers",
	    OFFLOAD_SERVERS * sizeof(struct offload_server));
	memory->encaps = bpf_offload_map_memory(path->object, "encaps", OFFLOAD_ENCAPS * sizeof(struct offload_encap));
	memory->vips = bpf_offload_map_memory(path->object, "vips", OFFLOAD_VIPS * sizeof(struct offload_vip));
	memory->control = bpf_offload_map_memory(path->object, "control", sizeof(struct offload_control));
	memory->selection = bpf_offload_map_memory(path->object, "selection", sizeof(struct select_control));
	memory->banks = bpf_offload_map_memory(path->object, "banks", SELECT_BANKS * sizeof(struct select_bank));
	memory->counts = bpf_offload_map_memory(path->object, "counts", memory->cpus * sizeof(struct select_counts));
	return memory->buckets != NULL && memory->servers != NULL && memory->encaps != NULL && memory->vips != NULL &&
	    memory->control != NULL && memory->selection != NULL && memory->banks != NULL && memory->counts != NULL ? 0 : -1;
}

static void
bpf_offload_unmap(void *memory, size_t bytes)
{
	if (memory != NULL)
		(void)munmap(memory, bpf_offload_whole_pages(bytes));
}

static void
bpf_offload_explain(char error[BPF_OFFLOAD_ERROR], const char *what, int number)
{
	bpf_error(error, BPF_OFFLOAD_ERROR, what, number, ": the table takes 64 bytes for each of `connections`");
}

static int
bpf_offload_set_size(const struct bpf_offload *path, const char *name, uint32_t entries)
{
	struct bpf_map *map = bpf_object__find_map_by_name(path->object, name);

	return map == NULL ? -1 : bpf_map__set_max_entries(map, entries);
}

static int
bpf_offload_load(struct bpf_offload *path, char error[BPF_OFFLOAD_ERROR])
{
	const struct bpf_object_open_opts options = { .sz = sizeof(options), .object_name = "dsrd" };
	int number;

	path->object = bpf_object__open_mem(dsrd_bpf_object, dsrd_bpf_object_size, &options);
	if (path->object == NULL) {
		bpf_offload_explain(error, "the BPF programs cannot be read", errno);
		return -1;
	}
	if (bpf_offload_set_size(path, "buckets", path->memory.bucket_count) != 0 ||
	    bpf_offload_set_size(path, "counts", path->memory.cpus) != 0 ||
	    bpf_offload_set_size(path, "rings", path->memory.cpus) != 0) {
		bpf_offload_explain(error, "the BPF programs have no table", EINVAL);
		return -1;
	}
	number = -bpf_object__load(path->object);
	if (number != 0) {
		bpf_offload_explain(error, "the kernel does not load the BPF programs (Linux 5.18 or later does)",
		    number);
		return -1;
	}
	if (bpf_offload_map_all(path) == -1) {
		bpf_offload_explain(error, "the BPF programs' memory cannot be shared", errno);
		return -1;
	}
	number = rings_open(&path->rings, bpf_map__fd(bpf_object__find_map_by_name(path->object, "rings")),
	    path->memory.cpus);
	if (number != 0) {
		bpf_offload_explain(error, "the BPF programs' rings cannot be made", number);
		return -1;
	}
	return 0;
}

struct bpf_offload *
bpf_offload_open(uint32_t connections, const struct attacher *attacher, char error[BPF_OFFLOAD_ERROR])
{
	struct bpf_offload *path = calloc(1, sizeof(*path));

	if (path == NULL) {
		bpf_offload_explain(error, "no memory", ENOMEM);
		return NULL;
	}
	libbpf_set_print(bpf_offload_ignore_writes);
	path->attacher = attacher;
	path->memory.bucket_count = offload_buckets(connections);
	path->memory.cpus = (uint32_t)libbpf_num_possible_cpus();
	path->rings.epoll = -1;
	if (bpf_offload_load(path, error) == -1) {
		bpf_offload_close(path);
		return NULL;
	}
	return path;
}

void
bpf_offload_close(struct bpf_offload *path)
{
	if (path == NULL)
		return;
	for (size_t i = 0; i < FAST_PATHS_MOST; i++)
		bpf_offload_detach(path, i, -1);
	bpf_offload_unmap(path->memory.buckets, path->bucket_bytes);
	bpf_offload_unmap(path->memory.servers, OFFLOAD_SERVERS * sizeof(struct offload_server));
	bpf_offload_unmap(path->memory.encaps, OFFLOAD_ENCAPS * sizeof(struct offload_encap));
	bpf_offload_unmap(path->memory.vips, OFFLOAD_VIPS * sizeof(struct offload_vip));
	bpf_offload_unmap(path->memory.control, sizeof(struct offload_control));
	bpf_offload_unmap(path->memory.selection, sizeof(struct select_control));
	bpf_offload_unmap(path->memory.banks, SELECT_BANKS * sizeof(struct select_bank));
	bpf_offload_unmap(path->memory.counts, path->memory.cpus * sizeof(struct select_counts));
	rings_close(&path->rings);
	bpf_object__close(path->object);
	free(path);
}

const struct offload_memory *
bpf_offload_memory(const struct bpf_offload *path)
{
	return &path->memory;
}

int
bpf_offload_descriptor(const struct bpf_offload *path)
{
	return path->rings.epoll;
}

uint32_t
bpf_offload_read(struct bpf_offload *path, uint32_t budget, bpf_offload_reader *reader, void *context)
{
	return rings_read(&path->rings, budget, reader, context);
}

static int
bpf_offload_program(const struct bpf_offload *path, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(path->object, name));
}

uint32_t
bpf_offload_ifindex(const char *iface)
{
	return if_nametoindex(iface);
}

/* tc's program first, then the filter that decides for it: else what it decided first would be lost. */
static int
bpf_offload_attach_tc(struct bpf_offload *path, struct attached *attached, int capture, char error[BPF_OFFLOAD_ERROR])
{
	const int tap = bpf_offload_program(path, "dsrd_tap");
	int number;

	attached->kind = BPF_OFFLOAD_TC;
	number = attacher_begin(path->attacher, bpf_offload_program(path, "dsrd_tc"), attached->iface, ATTACH_OFFLOAD,
	    &attached->link);
	if (number != 0) {
		bpf_offload_explain(error, "the program cannot be attached to tc", number);
		return -1;
	}
	if (setsockopt(capture, SOL_SOCKET, SO_ATTACH_BPF, &tap, sizeof(tap)) != 0) {
		bpf_offload_explain(error, "the filter cannot be attached to the capture", errno);
		return -1;
	}
	return 0;
}

/* ethtool(8)'s command to the kernel. False: the interface has no such thing. */
static bool
bpf_offload_ask(const char *iface, void *command)
{
	struct ifreq request = { .ifr_data = command };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool answered;

	if (fd == -1)
		return false;
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", iface);
	answered = ioctl(fd, SIOCETHTOOL, &request) == 0;
	(void)close(fd);
	return answered;
}

static bool
bpf_offload_is_driver(const char *iface, const char *driver)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	return bpf_offload_ask(iface, &info) && strncmp(info.driver, driver, sizeof(info.driver)) == 0;
}

bool
bpf_offload_strips_tags(const char *iface)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	return bpf_offload_ask(iface, &flags) && (flags.data & ETH_FLAG_RXVLAN) != 0;
}

/*
 * In the driver where that is safe. veth has native XDP, but loses every frame if the peer has neither XDP nor GRO, and
 * forgets which checksums are unfinished; generic XDP does neither.
 */
static int
bpf_offload_attach_xdp(struct bpf_offload *path, struct attached *attached, const char *iface,
    char error[BPF_OFFLOAD_ERROR])
{
	const bool generic = bpf_offload_is_driver(iface, "veth");
	int number;

	if (bpf_offload_strips_tags(iface)) {
		(void)snprintf(error, BPF_OFFLOAD_ERROR, "%s takes VLAN tags out of received frames (rx-vlan-offload), "
		    "so XDP would send "
		    "them on without: type `ethtool -K %s rxvlan off`, and restart dsrd", iface, iface);
		return -1;
	}
	number = attacher_begin(path->attacher, bpf_offload_program(path, "dsrd_xdp"), iface,
	    generic ? ATTACH_XDP_GENERIC : ATTACH_XDP, &attached->link);
	if (number != 0) {
		bpf_offload_explain(error, generic ? "XDP cannot be attached" : "the driver does not take XDP", number);
		return -1;
	}
	attached->kind = generic ? BPF_OFFLOAD_XDP_GENERIC : BPF_OFFLOAD_XDP;
	return 0;
}

enum bpf_offload_kind
bpf_offload_attach(struct bpf_offload *path, size_t number, const char *iface, int capture, bool xdp,
    char error[BPF_OFFLOAD_ERROR])
{
	struct attached *attached = &path->attached[number];

	bpf_offload_detach(path, number, capture);
	*attached = (struct attached) { .link = -1 };
	(void)snprintf(attached->iface, sizeof(attached->iface), "%s", iface);
	if ((xdp ? bpf_offload_attach_xdp(path, attached, iface, error) :
	    bpf_offload_attach_tc(path, attached, capture, error)) == 0)
		return attached->kind;
	bpf_offload_detach(path, number, capture);
	return BPF_OFFLOAD_OFF;
}

enum bpf_offload_kind
bpf_offload_kind(const struct bpf_offload *path, size_t number)
{
	return path->attached[number].kind;
}

/* The kernel returns the text of a classic filter, which such a program does not have (net/core/filter.c). */
bool
bpf_offload_decides(const struct bpf_offload *path, size_t number, int capture)
{
	socklen_t length = 0;

	if (path->attached[number].kind != BPF_OFFLOAD_TC)
		return path->attached[number].kind != BPF_OFFLOAD_OFF;
	return getsockopt(capture, SOL_SOCKET, SO_GET_FILTER, NULL, &length) == -1 && errno == EACCES;
}

void
bpf_offload_settle(void)
{
	/* It waits for what runs without sleeping on any processor (kernel/sched/membarrier.c: synchronize_rcu()). */
	(void)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void
bpf_offload_detach(struct bpf_offload *path, size_t number, int capture)
{
	struct attached *attached = &path->attached[number];

	if (attached->iface[0] == '\0')
		return;
	if (attached->kind == BPF_OFFLOAD_TC && capture != -1)
		(void)setsockopt(capture, SOL_SOCKET, SO_DETACH_FILTER, &(int) { 0 }, sizeof(int));
	if (attached->kind == BPF_OFFLOAD_TC || attached->link != -1)
		attacher_end(path->attacher, attached->iface, ATTACH_OFFLOAD, attached->link);
	memset(attached, 0, sizeof(*attached));
}

/* Runs a program on a frame, which it may change: `room` bytes are there. Its result, or -1. */
static int
bpf_offload_run(const struct bpf_offload *path, const char *program, uint8_t *frame, uint32_t *length, uint32_t room)
{
	uint8_t *out = malloc(room);
	DECLARE_LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = *length, .data_out = out,
	    .data_size_out = room, .repeat = 1);
	int result = -1;

	if (out != NULL && bpf_prog_test_run_opts(bpf_offload_program(path, program), &run) == 0)
		result = (int)run.retval;
	if (result != -1) {
		memcpy(frame, out, run.data_size_out);
		*length = run.data_size_out;
	}
	free(out);
	return result;
}

/*
 * The filter of a socket sees what follows the first 14 bytes (net/bpf/test_run.c), and tc all, so the filter gets 14
 * more: from and to the address of lo, which is 0. The filter's decision is for tc on the same processor.
 */
static bool
bpf_offload_try_tc(const struct bpf_offload *path, uint8_t *frame, uint32_t *length)
{
	const uint32_t ethernet = 14;
	uint32_t seen = *length + ethernet;
	uint8_t *copy = calloc(1, seen);
	cpu_set_t all, one;
	bool left;

	if (copy == NULL)
		return false;
	memcpy(copy + ethernet, frame, *length);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	if (sched_getaffinity(0, sizeof(all), &all) != 0 || sched_setaffinity(0, sizeof(one), &one) != 0) {
		free(copy);
		return false;
	}
	left = bpf_offload_run(path, "dsrd_tap", copy, &seen, seen) == 0 &&
	    bpf_offload_run(path, "dsrd_tc", frame, length, *length + ENCAP_HEADER_MOST) == TC_ACT_REDIRECT;
	(void)sched_setaffinity(0, sizeof(all), &all);
	free(copy);
	return left;
}

bool
bpf_offload_try(const struct bpf_offload *path, bool xdp, uint8_t *frame, uint32_t *length)
{
	if (!xdp)
		return bpf_offload_try_tc(path, frame, length);
	return bpf_offload_run(path, "dsrd_xdp", frame, length, *length + ENCAP_HEADER_MOST) == XDP_TX;
}

const char *
bpf_offload_library(void)
{
	return libbpf_version_string();
}
