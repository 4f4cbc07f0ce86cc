/* SPDX-License-Identifier: ISC */
/* Messages as this platform's kernel sends them; configure picks the file that has them. */
#ifndef UNIT_OS_NEWS_SAMPLES_H
#define UNIT_OS_NEWS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

struct news_sample {
	const void *bytes;
	size_t length;
	bool news;
	bool is_route; /* news to those who want routes */
};

size_t news_sample_count(void);
const struct news_sample *news_sample(size_t number);

#endif
