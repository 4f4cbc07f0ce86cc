/* SPDX-License-Identifier: ISC */
/* By a program at the ingress of traffic control. Its object file is part of this program: withhold_bpf_object. */
#include "config.h"

#include "offload/withhold.h"

#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#include "offload/bpf_error.h"
#include "offload/bpf_object.h"
#include "base/iface.h"
#include "offload/attach.h"
#include "offload/withhold_map.h"

struct held {
	uint32_t ifindex; /* 0: inactive there */
	char iface[IFACE_NAME];
	int link;
};

struct withhold {
	const struct attacher *attacher;
	struct bpf_object *object;
	struct withhold_state *state;
	struct held held[WITHHOLDS_MOST];
};

static size_t
withhold_state_bytes(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (sizeof(struct withhold_state) + page - 1) / page * page;
}

static int
withhold_load(struct withhold *withhold, char error[WITHHOLD_ERROR])
{
	const struct bpf_object_open_opts options = { .sz = sizeof(options), .object_name = "dsrd_withhold" };
	void *memory = MAP_FAILED;
	int number;

	withhold->object = bpf_object__open_mem(withhold_bpf_object, withhold_bpf_object_size, &options);
	number = withhold->object == NULL ? errno : -bpf_object__load(withhold->object);
	if (number != 0) {
		bpf_error(error, WITHHOLD_ERROR, "the kernel does not load the BPF program (Linux 5.18 or later does)",
		    number, "");
		return -1;
	}
	memory = mmap(NULL, withhold_state_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED,
	    bpf_map__fd(bpf_object__find_map_by_name(withhold->object, "withheld")), 0);
	if (memory == MAP_FAILED) {
		bpf_error(error, WITHHOLD_ERROR, "the BPF program's memory cannot be shared", errno, "");
		return -1;
	}
	withhold->state = memory;
	return 0;
}

/* What is written goes to the caller's error, not to standard error. */
static int
withhold_ignore_writes(enum libbpf_print_level level UNUSED, const char *format UNUSED, va_list arguments UNUSED)
{
	return 0;
}

struct withhold *
withhold_open(const struct attacher *attacher, char error[WITHHOLD_ERROR])
{
	struct withhold *withhold = calloc(1, sizeof(*withhold));

	if (withhold == NULL) {
		bpf_error(error, WITHHOLD_ERROR, "no memory", ENOMEM, "");
		return NULL;
	}
	withhold->attacher = attacher;
	libbpf_set_print(withhold_ignore_writes);
	if (withhold_load(withhold, error) == 0)
		return withhold;
	withhold_close(withhold);
	return NULL;
}

void
withhold_close(struct withhold *withhold)
{
	if (withhold == NULL)
		return;
	for (size_t i = 0; i < WITHHOLDS_MOST; i++)
		withhold_end(withhold, i);
	if (withhold->state != NULL)
		(void)munmap(withhold->state, withhold_state_bytes());
	bpf_object__close(withhold->object);
	free(withhold);
}

int
withhold_begin(struct withhold *withhold, size_t number, const char *iface,
    char error[WITHHOLD_ERROR])
{
	struct held *held = &withhold->held[number];
	const struct bpf_program *program = bpf_object__find_program_by_name(withhold->object, "dsrd_withhold");
	const uint32_t ifindex = if_nametoindex(iface);
	int result;

	if (ifindex != 0 && held->ifindex == ifindex)
		return 0;
	withhold_end(withhold, number);
	result = attacher_begin(withhold->attacher, bpf_program__fd(program), iface, ATTACH_WITHHOLD, &held->link);
	if (result != 0) {
		bpf_error(error, WITHHOLD_ERROR, "the program cannot be attached to tc", result, "");
		return -1;
	}
	held->ifindex = ifindex;
	(void)snprintf(held->iface, sizeof(held->iface), "%s", iface);
	return 0;
}

void
withhold_end(struct withhold *withhold, size_t number)
{
	struct held *held = &withhold->held[number];

	if (held->ifindex != 0)
		attacher_end(withhold->attacher, held->iface, ATTACH_WITHHOLD, held->link);
	held->ifindex = 0;
}

/* As withhold.bpf.c has them. */
static void
withhold_as_ipv6(const struct addr *addr, uint64_t words[2])
{
	uint8_t bytes[16] = { [10] = 0xff, [11] = 0xff };

	if (addr->family == ADDR_IPV4)
		memcpy(bytes + 12, addr->bytes, 4);
	else
		memcpy(bytes, addr->bytes, sizeof(bytes));
	memcpy(words, bytes, sizeof(bytes));
}

/* False when all its slots are in use. */
static bool
withhold_put(struct withhold_place *places, const uint64_t addr[2], uint32_t ifindex)
{
	const uint32_t hash = withhold_hash(addr, ifindex);

	for (uint32_t i = 0; i < WITHHOLD_PROBES; i++) {
		struct withhold_place *place = &places[(hash + i) % WITHHOLD_PLACES];

		if (place->ifindex != 0)
			continue;
		*place = (struct withhold_place) { { addr[0], addr[1] }, ifindex, 0 };
		return true;
	}
	return false;
}

/* Builds a new table, then copies it slot by slot: addresses that stay are withheld at nearly all times. */
size_t
withhold_set(struct withhold *withhold, const struct withheld_vip *vips, size_t count)
{
	struct withhold_place *fresh = calloc(WITHHOLD_PLACES, sizeof(*fresh));
	size_t left = 0;

	for (size_t i = 0; i < count && fresh != NULL; i++) {
		const uint32_t ifindex = withhold->held[vips[i].number].ifindex;
		uint64_t addr[2];

		if (ifindex == 0)
			continue;
		withhold_as_ipv6(&vips[i].addr, addr);
		if (i - left >= WITHHOLD_VIPS_MOST || !withhold_put(fresh, addr, ifindex))
			left++;
	}
	if (fresh == NULL)
		return count;
	for (size_t i = 0; i < WITHHOLD_PLACES; i++)
		if (memcmp(&withhold->state->places[i], &fresh[i], sizeof(fresh[i])) != 0)
			withhold->state->places[i] = fresh[i];
	free(fresh);
	return left;
}

void
withhold_beat(struct withhold *withhold)
{
	__atomic_store_n(&withhold->state->alive, clock_us() * 1000, __ATOMIC_RELAXED);
}
