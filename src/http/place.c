/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "http/place.h"

#include <string.h>

static bool
place_is_of(const struct http_place *place, const struct http_peer *peer)
{
	return place->state != HTTP_PLACE_FREE && place->peer.privileged == peer->privileged &&
	    memcmp(place->peer.source, peer->source, HTTP_SOURCE) == 0;
}

static size_t
place_count(const struct http_place *places, size_t count, const struct http_peer *peer)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += place_is_of(&places[i], peer);
	return found;
}

static bool
place_may_be_taken(const struct http_place *place)
{
	return place->state == HTTP_PLACE_SILENT || place->state == HTTP_PLACE_SENDING;
}

/* Silent clients go before those that do not read, and of both the one that has done nothing for longest. */
static bool
place_goes_before(const struct http_place *place, const struct http_place *other)
{
	if (place->state != other->state)
		return place->state == HTTP_PLACE_SILENT;
	return place->since < other->since;
}

/* Of the unprivileged (or of the privileged) clients whose source has at least `least` places. */
static size_t
place_find_idle(const struct http_place *places, size_t count, bool privileged, size_t least)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++)
		if (place_may_be_taken(&places[i]) && places[i].peer.privileged == privileged &&
		    place_count(places, count, &places[i].peer) >= least &&
		    (found == count || place_goes_before(&places[i], &places[found])))
			found = i;
	return found;
}

static size_t
place_find_own(const struct http_place *places, size_t count, const struct http_peer *peer)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++)
		if (place_may_be_taken(&places[i]) && place_is_of(&places[i], peer) &&
		    (found == count || place_goes_before(&places[i], &places[found])))
			found = i;
	return found;
}

/* What the greediest unprivileged source has that has something to give. */
static size_t
place_count_most(const struct http_place *places, size_t count)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		const size_t own = place_count(places, count, &places[i].peer);

		if (place_may_be_taken(&places[i]) && !places[i].peer.privileged && own > most)
			most = own;
	}
	return most;
}

size_t
http_place_find(const struct http_place *places, const struct http_places *policy, const struct http_peer *peer)
{
	const size_t count = policy->count;
	size_t free_place = count, unprivileged = 0, found;

	for (size_t i = 0; i < count; i++) {
		if (places[i].state == HTTP_PLACE_FREE)
			free_place = i;
		else
			unprivileged += !places[i].peer.privileged;
	}
	if (!peer->privileged && place_count(places, count, peer) >= policy->share)
		return place_find_own(places, count, peer);
	if (free_place != count && (peer->privileged || unprivileged < count - policy->reserved))
		return free_place;
	found = place_find_idle(places, count, false, place_count_most(places, count));
	return found == count && peer->privileged ? place_find_idle(places, count, true, 0) : found;
}
