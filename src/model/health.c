/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "model/health.h"

#include "base/attr.h"

static void
health_enter(struct health *health, enum health_state state, uint64_t now)
{
	health->state = state;
	health->streak = 0;
	health->since = now;
}

bool
health_report(struct health *health, enum health_reason result, uint32_t rise, uint32_t fall, uint64_t now)
{
	const bool success = result == HEALTH_REASON_NONE;
	const enum health_state found = success ? HEALTH_UP : HEALTH_DOWN;

	if (result == HEALTH_REASON_LOCAL)
		return false;
	if (success) {
		health->successes++;
	} else {
		health->failures++;
		health->reason = result;
	}
	if (health->state == found) {
		health->streak = 0;
		return false;
	}
	health->streak++;
	if (health->state != HEALTH_UNKNOWN && health->streak < (success ? rise : fall))
		return false;
	health_enter(health, found, now);
	return true;
}

size_t
health_blame(const struct server_check *checks, size_t count)
{
	size_t i = 0;

	while (i < count && (checks[i].one_port || checks[i].health.state != HEALTH_DOWN))
		i++;
	return i;
}

bool
health_combine(struct health *whole, const struct server_check *checks, size_t count, uint64_t now)
{
	const size_t blamed = health_blame(checks, count);
	enum health_state state = HEALTH_UP;

	if (blamed < count) {
		state = HEALTH_DOWN;
		whole->reason = checks[blamed].health.reason;
	}
	for (size_t i = 0; i < count && state == HEALTH_UP; i++)
		if (checks[i].health.state == HEALTH_UNKNOWN)
			state = HEALTH_UNKNOWN;
	if (whole->state == state)
		return false;
	health_enter(whole, state, now);
	return true;
}

uint8_t
health_percent(const struct server_check *checks, size_t count)
{
	uint8_t percent = 100;

	for (size_t i = 0; i < count; i++)
		if (checks[i].percent < percent)
			percent = checks[i].percent;
	return percent;
}

bool
health_trust(struct health *health, uint64_t now)
{
	const bool changed = health->state != HEALTH_UP;

	if (changed)
		health_enter(health, HEALTH_UP, now);
	health->streak = 0;
	return changed;
}

const char *
health_state_name(enum health_state state)
{
	switch (state) {
	case HEALTH_UNKNOWN:
		return "unknown";
	case HEALTH_UP:
		return "up";
	case HEALTH_DOWN:
		return "down";
	}
	return "?";
}

const char *
health_reason_name(enum health_reason reason)
{
	static const char *const names[] = {
#define X(id, name, text) [HEALTH_REASON_##id] = name,
		HEALTH_REASONS(X)
#undef X
	};

	return (unsigned)reason < ARRAY_LEN(names) ? names[reason] : "?";
}

const char *
health_reason_text(enum health_reason reason)
{
	static const char *const texts[] = {
#define X(id, name, text) [HEALTH_REASON_##id] = text,
		HEALTH_REASONS(X)
#undef X
	};

	return (unsigned)reason < ARRAY_LEN(texts) ? texts[reason] : "?";
}
