/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "os/vip_filter.h"

#include "base/attr.h"

/* bpf(4): the instruction set, which has no header that all systems share. */
enum code {
	LOAD_WORD = 0x20,   /* BPF_LD | BPF_W | BPF_ABS */
	LOAD_HALF = 0x28,   /* BPF_LD | BPF_H | BPF_ABS */
	JUMP = 0x05,        /* BPF_JMP | BPF_JA */
	JUMP_EQUAL = 0x15,  /* BPF_JMP | BPF_JEQ | BPF_K */
	RETURN = 0x06,      /* BPF_RET | BPF_K */
};

#define ACCEPT 0xffffffffU
#define REJECT 0U

#define TYPE_AT 12
#define TYPE_IPV4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_VLAN 0x8100
#define TYPE_IPV6 0x86dd
#define TYPE_QINQ 0x88a8
#define DESTINATION4_AT 30 /* 14 of Ethernet and 16 of RFC 791 */
#define DESTINATION6_AT 38 /* 14 of Ethernet and 24 of RFC 8200 */

struct writer {
	struct filter_insn *program;
	size_t length; /* goes on beyond FILTER_INSNS, where nothing is written */
};

static void
vip_filter_put(struct writer *writer, enum code code, uint8_t jt, uint8_t jf, uint32_t k)
{
	if (writer->length < FILTER_INSNS)
		writer->program[writer->length] = (struct filter_insn){(uint16_t)code, jt, jf, k};
	writer->length++;
}

static uint32_t
vip_filter_word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Goes on when what was loaded is `value`, else rejects. */
static void
vip_filter_need(struct writer *writer, uint32_t value)
{
	vip_filter_put(writer, JUMP_EQUAL, 1, 0, value);
	vip_filter_put(writer, RETURN, 0, 0, REJECT);
}

/* Accepts when all four words of the destination are those of `addr`. */
static void
vip_filter_match6(struct writer *writer, const struct addr *addr)
{
	for (uint8_t i = 0; i < 4; i++) {
		/* What is left of this address: two for each word, and the return. */
		const uint8_t left = (uint8_t)(2 * (3 - i) + 1);

		vip_filter_put(writer, LOAD_WORD, 0, 0, DESTINATION6_AT + 4U * i);
		vip_filter_put(writer, JUMP_EQUAL, 0, left, vip_filter_word(&addr->bytes[4 * i]));
	}
	vip_filter_put(writer, RETURN, 0, 0, ACCEPT);
}

/* Ends with a return, so that what follows is reached by jumps only. */
static void
match_family(struct writer *writer, enum addr_family family, const struct addr *addresses, size_t count)
{
	if (family == ADDR_IPV4)
		vip_filter_put(writer, LOAD_WORD, 0, 0, DESTINATION4_AT);
	for (size_t i = 0; i < count; i++) {
		if (addresses[i].family != family)
			continue;
		if (family == ADDR_IPV6) {
			vip_filter_match6(writer, &addresses[i]);
			continue;
		}
		vip_filter_put(writer, JUMP_EQUAL, 0, 1, vip_filter_word(addresses[i].bytes));
		vip_filter_put(writer, RETURN, 0, 0, ACCEPT);
	}
	vip_filter_put(writer, RETURN, 0, 0, REJECT);
}

size_t
vip_filter_write(struct filter_insn program[FILTER_INSNS], const struct mac *mac, const struct addr *addresses,
    size_t count)
{
	struct writer writer = {program, 0};
	size_t jump;

	vip_filter_put(&writer, LOAD_WORD, 0, 0, 2);
	vip_filter_need(&writer, vip_filter_word(&mac->bytes[2]));
	vip_filter_put(&writer, LOAD_HALF, 0, 0, 0);
	vip_filter_need(&writer, (uint32_t)mac->bytes[0] << 8 | mac->bytes[1]);
	vip_filter_put(&writer, LOAD_HALF, 0, 0, TYPE_AT);
	/* A conditional jump reaches 255 instructions, a plain one all. */
	vip_filter_put(&writer, JUMP_EQUAL, 0, 1, TYPE_IPV6);
	jump = writer.length;
	vip_filter_put(&writer, JUMP, 0, 0, 0);
	vip_filter_need(&writer, TYPE_IPV4);
	match_family(&writer, ADDR_IPV4, addresses, count);
	if (jump < FILTER_INSNS)
		program[jump].k = (uint32_t)(writer.length - jump - 1);
	match_family(&writer, ADDR_IPV6, addresses, count);
	return writer.length <= FILTER_INSNS ? writer.length : 0;
}

size_t
sender_filter_write(struct filter_insn program[FILTER_INSNS])
{
	static const uint32_t types[] = {TYPE_IPV4, TYPE_IPV6, TYPE_ARP, TYPE_VLAN, TYPE_QINQ};
	struct writer writer = {program, 0};

	vip_filter_put(&writer, LOAD_HALF, 0, 0, TYPE_AT);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		vip_filter_put(&writer, JUMP_EQUAL, 0, 1, types[i]);
		vip_filter_put(&writer, RETURN, 0, 0, ACCEPT);
	}
	vip_filter_put(&writer, RETURN, 0, 0, REJECT);
	return writer.length;
}
