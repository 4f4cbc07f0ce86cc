/* SPDX-License-Identifier: ISC */
/* Who gets a place when there are more clients than places. */
#include "config.h"

#include <string.h>

#include "base/attr.h"
#include "http/place.h"
#include "suites.h"

#define COUNT 8

static const struct http_places policy = { COUNT, 2, 3 };

/* A letter for each source: capitals are privileged. '.' is free. */
static void
fill(const char *text, struct http_place places[COUNT])
{
	static const char states[] = ".swr";

	/* "as" is a silent client of a, "aw" one that waits for its answer, "ar" one that has to read its answer. */
	memset(places, 0, COUNT * sizeof(*places));
	for (size_t i = 0; i < COUNT && text[3 * i] != '\0'; i++) {
		places[i].state = (enum http_place_state)(strchr(states, text[3 * i + 1]) - states);
		places[i].peer.source[0] = (unsigned char)text[3 * i];
		places[i].peer.privileged = text[3 * i] >= 'A' && text[3 * i] <= 'Z';
		places[i].since = i;
		if (text[3 * i + 2] == '\0')
			break;
	}
}

struct example {
	const char *places;
	char client;
	size_t place;
};

static const struct example examples[] = {
	/* The last free place. */
	{ "as", 'b', 7 },
	/* The share of one source: its own oldest silent client, else the one that does not read; else nothing. */
	{ "bs ar as as", 'a', 2 },
	{ "bs ar aw ar", 'a', 1 },
	{ "bs aw aw aw", 'a', COUNT },
	/* No share for the privileged, and the last places are theirs. */
	{ "As As As As", 'A', 7 },
	{ "aw aw aw bw bw bw", 'A', 7 },
	{ "aw aw aw bw bw bw", 'c', COUNT },
	/* A new source takes from the one that has most. */
	{ "bs aw as ar bw cw", 'd', 2 },
	{ "bs aw aw ar bw cw", 'd', 3 },
	{ "cs bs as dr er fr", 'g', 0 },
	{ "cw bw ar dr er fr", 'g', 2 },
	/* The privileged do not give way to others, but others to them, and they to each other. */
	{ "As Bs As Bs As Bs aw bw", 'c', COUNT },
	{ "As Bs As Bs As Bs aw bs", 'A', 7 },
	{ "Ar Bs As Bs As Bs aw bw", 'A', 1 },
	{ "Aw Bw Aw Bw Aw Bw Aw Bw", 'A', COUNT },
};

START_TEST(finds_places)
{
	struct http_place places[COUNT];
	struct http_peer peer = { .source = { (unsigned char)examples[_i].client },
		.privileged = examples[_i].client <= 'Z' };

	fill(examples[_i].places, places);
	ck_assert_uint_eq(http_place_find(places, &policy, &peer), examples[_i].place);
}
END_TEST

Suite *
place_suite(void)
{
	Suite *suite = suite_create("place");
	TCase *tcase = tcase_create("place");

	tcase_add_loop_test(tcase, finds_places, 0, (int)ARRAY_LEN(examples));
	suite_add_tcase(suite, tcase);
	return suite;
}
