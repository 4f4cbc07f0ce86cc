/* SPDX-License-Identifier: ISC */
/*
 * Takes every frame of the fuzzers' corpora and gives a director 600 000 mutations of them: bytes changed, frames cut,
 * lengthened, addressed to the VIPs with one part of the header intact. director.h says what must hold. The same
 * mutations in every run; another seed gives others.
 *
 *     mutate_forward [SEED]
 */
#include "config.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "director.h"
#include "proto/packet.h"

#define MUTATIONS 600000
#define SEEDS_MOST 256
#define SEED_BYTES 4096
#define CHANGES_MOST 4
#define RARE 50 /* times that each of the rarer ways must have been gone */

struct seed {
	uint8_t bytes[SEED_BYTES];
	size_t length;
};

static uint64_t state;

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
static size_t
below(size_t most)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ (z >> 31)) % most);
}

/* The corpus's frames are for whatever addresses: here they are for us. */
static void
address_to_us(struct seed *seed)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 }, v4[4] = { 192, 0, 2, 10 };
	static const uint8_t v6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 0x10 };

	if (seed->length < 37)
		return;
	memcpy(seed->bytes, mac, sizeof(mac));
	if (seed->bytes[12] == 0x08 && seed->bytes[13] == 0x00) {
		memcpy(seed->bytes + 30, v4, sizeof(v4));
		/* Fragments are of one protocol, so that they can be of one datagram. */
		if ((seed->bytes[20] & 0x3f) != 0 || seed->bytes[21] != 0)
			seed->bytes[23] = PROTOCOL_UDP;
	}
	if (seed->length >= 58 && seed->bytes[12] == 0x86 && seed->bytes[13] == 0xdd)
		memcpy(seed->bytes + 38, v6, sizeof(v6));
}

static size_t
read_seeds(const char *corpus, struct seed *seeds, size_t count)
{
	const char *source = getenv("SOURCE_DIR");
	char path[4096], name[8192];
	struct dirent *entry;
	DIR *directory;
	FILE *in;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", source != NULL ? source : ".", corpus);
	directory = opendir(path);
	if (directory == NULL) {
		fprintf(stderr, "mutate_forward: there is no %s\n", path);
		exit(1);
	}
	while (count + 1 < SEEDS_MOST && (entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		in = fopen(name, "rb");
		if (in == NULL)
			continue;
		seeds[count].length = fread(seeds[count].bytes, 1, SEED_BYTES, in);
		fclose(in);
		if (seeds[count].length == 0)
			continue;
		seeds[count + 1] = seeds[count];
		address_to_us(&seeds[++count]);
		count++;
	}
	closedir(directory);
	return count;
}

/* Returns the length of what is in `bytes` now. */
static size_t
mutate(uint8_t *bytes, const struct seed *seed, size_t round)
{
	size_t length = seed->length;

	memcpy(bytes, seed->bytes, length);
	/* Datagrams get numbers that nobody has seen yet, for some fragments to come before their first one. */
	if (length > 20 && bytes[12] == 0x08 && bytes[13] == 0x00) {
		bytes[18] = (uint8_t)(round >> 8);
		bytes[19] = (uint8_t)below(4);
	}
	for (size_t changes = below(CHANGES_MOST + 1); changes > 0; changes--)
		bytes[below(length < 80 ? length : 80)] = (uint8_t)below(256);
	switch (below(8)) {
	case 0:
		return below(length + 1);
	case 1:
		memset(bytes + length, (int)below(256), SEED_BYTES - length);
		return length + below(SEED_BYTES - length + 1);
	default:
		return length;
	}
}

static void
enough(uint64_t count, uint64_t least, const char *what)
{
	if (count >= least)
		return;
	fprintf(stderr, "mutate_forward: %s only %" PRIu64 " times\n", what, count);
	exit(1);
}

int
main(int argc, char *argv[])
{
	static struct seed seeds[SEEDS_MOST];
	static uint8_t bytes[SEED_BYTES];
	struct fuzz_director *director;
	unsigned verdicts[VERDICT_DROP + 1] = { 0 };
	size_t count = 0;

	count = read_seeds("packet", seeds, count);
	count = read_seeds("arp", seeds, count);
	count = read_seeds("ndp", seeds, count);
	state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
	director = director_open();
	for (size_t i = 0; i < MUTATIONS; i++) {
		const size_t length = mutate(bytes, &seeds[below(count)], i);
		const size_t wire = length + (below(16) == 0 ? below(2000) : 0);

		verdicts[director_take(director, bytes, length, (uint32_t)wire, SECONDS(1) + MILLISECONDS(i))]++;
	}
	/* Mutations that all go one way prove nothing. */
	for (size_t i = 0; i <= VERDICT_DROP; i++)
		enough(verdicts[i], MUTATIONS / 1000, verdict_name((enum verdict)i));
	enough(director_stats(director)->checksums_finished, RARE, "a checksum finished");
	enough(director_stats(director)->frames_split, RARE, "a super-frame split");
	enough(director_stats(director)->fragments_released, RARE, "a fragment released");
	enough(director_stats(director)->icmp_errors, RARE, "an ICMP error handed on");
	enough(director_stats(director)->echo_answers, RARE, "a ping answered");
	enough(director_stats(director)->arp_answers, RARE, "ARP answered");
	enough(director_stats(director)->ndp_answers, RARE, "a solicitation answered");
	director_shut(director);
	return 0;
}
