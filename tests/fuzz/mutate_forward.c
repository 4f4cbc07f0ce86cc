/* SPDX-License-Identifier: ISC */
/*
 * Takes every frame of the packet fuzzer's corpus and gives a director 150 000 mutations of them: bytes changed, frames cut,
 * lengthened, addressed to the VIPs with one part of the header intact. director.h says what must hold. The same
 * mutations in every run; another seed as the second argument.
 *
 *     mutate_forward [DIRECTORY [SEED]]     default: $SOURCE_DIR/tests/fuzz/corpus/packet
 */
#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "director.h"

#define MUTATIONS 150000
#define SEEDS_MOST 256
#define SEED_BYTES 4096
#define CHANGES_MOST 4

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

	if (seed->length < 58)
		return;
	memcpy(seed->bytes, mac, sizeof(mac));
	if (seed->bytes[12] == 0x08 && seed->bytes[13] == 0x00)
		memcpy(seed->bytes + 30, v4, sizeof(v4));
	if (seed->bytes[12] == 0x86 && seed->bytes[13] == 0xdd)
		memcpy(seed->bytes + 38, v6, sizeof(v6));
}

static size_t
read_seeds(const char *path, struct seed *seeds)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	size_t count = 0;
	char name[8192];
	FILE *in;

	if (directory == NULL)
		return 0;
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
mutate(uint8_t *bytes, const struct seed *seed)
{
	size_t length = seed->length;

	memcpy(bytes, seed->bytes, length);
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

int
main(int argc, char *argv[])
{
	static struct seed seeds[SEEDS_MOST];
	static uint8_t bytes[SEED_BYTES];
	const char *source = getenv("SOURCE_DIR");
	struct fuzz_director *director;
	unsigned verdicts[VERDICT_DROP + 1] = { 0 };
	char path[4096];
	size_t count;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/packet", source != NULL ? source : ".");
	count = read_seeds(argc > 1 ? argv[1] : path, seeds);
	if (count == 0) {
		fprintf(stderr, "mutate_forward: no frames in %s\n", argc > 1 ? argv[1] : path);
		return 1;
	}
	state = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	director = director_open();
	for (size_t i = 0; i < MUTATIONS; i++) {
		const size_t length = mutate(bytes, &seeds[below(count)]);
		const size_t wire = length + (below(16) == 0 ? below(2000) : 0);

		verdicts[director_take(director, bytes, length, (uint32_t)wire, SECONDS(1) + MILLISECONDS(i))]++;
	}
	director_shut(director);
	/* Mutations that all go one way prove nothing. */
	for (size_t i = 0; i <= VERDICT_DROP; i++)
		if (verdicts[i] < MUTATIONS / 1000) {
			fprintf(stderr, "mutate_forward: only %u frames got verdict %s\n", verdicts[i],
			    verdict_name((enum verdict)i));
			return 1;
		}
	return 0;
}
