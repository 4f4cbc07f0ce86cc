/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "role/word.h"

bool
role_word_answers(const struct role_word *word)
{
	return word->state == ROLE_ACTIVE;
}

static bool
role_word_is_later(const struct role_word *word, uint64_t epoch, bool wins_ties)
{
	return word->epoch != epoch ? word->epoch > epoch : !wins_ties;
}

enum role_event
role_hear(const struct role *role, uint64_t epoch, bool wins_ties, bool to_it, const struct role_word *word)
{
	const bool claims = role->state == ROLE_ACTIVE || (role->state == ROLE_STARTING && role->paused);

	if (role_word_answers(word))
		return claims && role_word_is_later(word, epoch, wins_ties) ? ROLE_RIVAL : ROLE_EVENT_COUNT;
	return role->state == ROLE_YIELDED && to_it ? ROLE_RIVAL_GONE : ROLE_EVENT_COUNT;
}
