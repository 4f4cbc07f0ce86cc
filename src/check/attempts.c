/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/attempts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/clock.h"
#include "base/duration.h"
#include "check/authority.h"

/* The first, and one that lived so long, is replaced at once; then the pause doubles with each. */
#define STABLE SECONDS(10)
#define PAUSE_FIRST SECONDS(1)
#define PAUSE_MOST SECONDS(8)

#define REFUSED_MOST 16 /* of one process, to be reported */
#define INPUT_MOST 65536

struct attempt {
	uint64_t id; /* its place in the low half, a number of its own in the high one; 0: it is free */
	const struct check_target *target;
	attempt_done *done;
	void *context;
	size_t next_free;
};

/* A file whose contents the process has. */
struct trusted {
	struct trusted *next;
	uint64_t version;
	char path[CHECK_TEXT];
};

struct attempts {
	struct event_base *base;
	struct attempts_calls calls;
	void *context;
	struct launcher process; /* fd -1: there is none */
	struct bufferevent *stream;
	struct event *reopen;
	uint64_t opened;
	uint64_t pause;
	uint64_t lacking;
	bool works;
	unsigned refused;
	struct trusted *trusted;
	struct attempt **list; /* all that ever were under way at the same time */
	size_t count;
	size_t free; /* the first that is; `count`: none is */
	size_t under_way;
	uint32_t last_number;
	uint64_t lost_at[ATTEMPTS_LOST]; /* a ring */
	size_t lost_count;
};

static void
attempts_release(struct attempts *attempts, struct attempt *attempt)
{
	const size_t place = (uint32_t)attempt->id;

	attempt->id = 0;
	attempt->next_free = attempts->free;
	attempts->free = place;
	attempts->under_way--;
}

static void
attempts_end(struct attempts *attempts, struct attempt *attempt, const struct check_report *report)
{
	attempt_done *done = attempt->done;
	void *context = attempt->context;

	attempts_release(attempts, attempt);
	done(context, report);
}

/* The one that is under way alone, or NULL. */
static const struct check_target *
attempts_alone(const struct attempts *attempts)
{
	for (size_t i = 0; attempts->under_way == 1 && i < attempts->count; i++)
		if (attempts->list[i]->id != 0)
			return attempts->list[i]->target;
	return NULL;
}

static void
attempts_close(struct attempts *attempts)
{
	if (attempts->stream != NULL)
		bufferevent_free(attempts->stream);
	attempts->stream = NULL;
	if (attempts->process.fd != -1)
		(void)close(attempts->process.fd);
	attempts->process = (struct launcher) { .fd = -1 };
	while (attempts->trusted != NULL) {
		struct trusted *trusted = attempts->trusted;

		attempts->trusted = trusted->next;
		free(trusted);
	}
}

static void
attempts_pause(struct attempts *attempts, uint64_t now)
{
	const uint64_t pause = now - attempts->opened >= STABLE ? 0 : attempts->pause;
	const struct timeval time = timeval_of(pause);

	attempts->pause = pause == 0 ? PAUSE_FIRST : pause * 2 > PAUSE_MOST ? PAUSE_MOST : pause * 2;
	/* Cannot fail: libevent has had room for this timer since it was made. */
	(void)event_add(attempts->reopen, &time);
}

static void
attempts_lose(struct attempts *attempts, const char *why)
{
	const struct attempts_loss loss = { why, attempts->under_way, attempts_alone(attempts) };
	const uint64_t now = clock_us();

	if (attempts->process.fd == -1)
		return;
	if (attempts->works)
		attempts->lacking = now;
	attempts->works = false;
	attempts->lost_at[attempts->lost_count++ % ATTEMPTS_LOST] = now;
	attempts_close(attempts);
	attempts_pause(attempts, now);
	attempts->calls.lost(attempts->context, &loss);
	for (size_t i = 0; i < attempts->count; i++)
		if (attempts->list[i]->id != 0)
			attempts_end(attempts, attempts->list[i], NULL);
}

/* One that was forgotten may have ended before the checker read that. False: there never was such an attempt. */
static bool
attempts_take_result(struct attempts *attempts, const struct attempt_answer *answer)
{
	const struct check_report report = { .reason = (enum health_reason)answer->reason, .weight = CHECK_NO_WEIGHT,
		.detail = answer->text[0] != '\0' ? answer->text : NULL };
	const size_t place = (uint32_t)answer->id;

	if (place >= attempts->count || answer->id >> 32 == 0)
		return false;
	if (attempts->list[place]->id == answer->id)
		attempts_end(attempts, attempts->list[place], &report);
	return true;
}

/* False: it breaks the form. */
static bool
attempts_take(struct attempts *attempts, const struct attempt_answer *answer)
{
	switch ((enum attempt_word)answer->word) {
	case ATTEMPT_CONFINED:
		if (attempts->works)
			return false;
		attempts->works = true;
		attempts->calls.confined(attempts->context, answer->text);
		return true;
	case ATTEMPT_ENDED:
		return attempts->works && attempts_take_result(attempts, answer);
	case ATTEMPT_REFUSED:
		if (attempts->refused++ < REFUSED_MOST)
			attempts->calls.refused(attempts->context, answer->text);
		return true;
	}
	return false;
}

static void
attempts_on_readable(struct bufferevent *stream, void *argument)
{
	struct attempts *attempts = argument;
	struct evbuffer *input = bufferevent_get_input(stream);
	char bytes[sizeof(struct attempt_answer)];
	struct attempt_answer answer;

	while (attempts->stream == stream && evbuffer_get_length(input) >= sizeof(bytes)) {
		(void)evbuffer_remove(input, bytes, sizeof(bytes));
		if (attempt_read_answer(bytes, sizeof(bytes), &answer) == 0 ? !attempts_take(attempts, &answer) : true)
			attempts_lose(attempts, "it sends what is no answer");
	}
}

static void
attempts_on_event(struct bufferevent *stream UNUSED, short what UNUSED, void *argument)
{
	attempts_lose(argument, "it ended");
}

static void
attempts_on_reopen(evutil_socket_t fd UNUSED, short what UNUSED, void *argument)
{
	struct attempts *attempts = argument;

	attempts->opened = clock_us();
	attempts->refused = 0;
	if (attempts->calls.open(attempts->context, &attempts->process) == -1) {
		attempts->process.fd = -1;
		attempts_pause(attempts, attempts->opened);
		return;
	}
	if (evutil_make_socket_nonblocking(attempts->process.fd) == 0)
		attempts->stream = bufferevent_socket_new(attempts->base, attempts->process.fd, 0);
	if (attempts->stream == NULL) {
		attempts_lose(attempts, "there is no memory for it");
		return;
	}
	bufferevent_setcb(attempts->stream, attempts_on_readable, NULL, attempts_on_event, attempts);
	bufferevent_setwatermark(attempts->stream, EV_READ, sizeof(struct attempt_answer), INPUT_MOST);
	if (bufferevent_enable(attempts->stream, EV_READ | EV_WRITE) == -1)
		attempts_lose(attempts, "there is no memory for it");
}

struct attempts *
attempts_new(struct event_base *base, const struct attempts_calls *calls, void *context)
{
	struct attempts *attempts = calloc(1, sizeof(*attempts));

	if (attempts == NULL)
		return NULL;
	attempts->base = base;
	attempts->calls = *calls;
	attempts->context = context;
	attempts->process.fd = -1;
	attempts->lacking = clock_us();
	attempts->reopen = event_new(base, -1, 0, attempts_on_reopen, attempts);
	if (attempts->reopen == NULL || event_add(attempts->reopen, &(struct timeval){ 0 }) == -1) {
		attempts_free(attempts);
		return NULL;
	}
	(void)event_del(attempts->reopen);
	attempts_on_reopen(-1, 0, attempts);
	return attempts;
}

void
attempts_free(struct attempts *attempts)
{
	if (attempts == NULL)
		return;
	attempts_close(attempts);
	if (attempts->reopen != NULL)
		event_free(attempts->reopen);
	for (size_t i = 0; i < attempts->count; i++)
		free(attempts->list[i]);
	free(attempts->list);
	free(attempts);
}

/* One that is free, perhaps a new one. NULL: no memory. */
static struct attempt *
attempts_place(struct attempts *attempts, size_t *place)
{
	const size_t most = attempts->count + 1 + attempts->count / 2;
	struct attempt **list;

	if (attempts->free == attempts->count) {
		list = realloc(attempts->list, most * sizeof(*list));
		if (list == NULL)
			return NULL;
		attempts->list = list;
		for (; attempts->count < most; attempts->count++) {
			list[attempts->count] = calloc(1, sizeof(**list));
			if (list[attempts->count] == NULL)
				break;
			list[attempts->count]->next_free = attempts->count + 1;
		}
	}
	*place = attempts->free;
	return attempts->free == attempts->count ? NULL : attempts->list[attempts->free];
}

static int
attempts_order(struct attempts *attempts, enum attempt_order order, const void *bytes, size_t length)
{
	const struct attempt_header header = { .order = order, .length = (uint32_t)length };

	return bufferevent_write(attempts->stream, &header, sizeof(header)) == 0 &&
	    bufferevent_write(attempts->stream, bytes, length) == 0 ? 0 : -1;
}

struct attempt *
attempt_begin(struct attempts *attempts, const struct check_target *target, attempt_done *done, void *context)
{
	struct attempt_run run;
	struct attempt *attempt;
	size_t place;

	attempt = attempts->stream == NULL ? NULL : attempts_place(attempts, &place);
	if (attempt == NULL)
		return NULL;
	memset(&run, 0, sizeof(run));
	if (++attempts->last_number == 0)
		attempts->last_number = 1;
	run.id = (uint64_t)attempts->last_number << 32 | place;
	run.timeout = timeval_us(&target->timeout);
	run.addr = target->addr;
	run.port = target->port;
	run.check = target->check;
	if (attempts_order(attempts, ATTEMPT_RUN, &run, sizeof(run)) == -1) {
		attempts_lose(attempts, "there is no memory for its orders");
		return NULL;
	}
	attempts->free = attempt->next_free;
	attempts->under_way++;
	*attempt = (struct attempt) { .id = run.id, .target = target, .done = done, .context = context };
	return attempt;
}

void
attempt_forget(struct attempts *attempts, struct attempt *attempt)
{
	const uint64_t id = attempt->id;

	attempts_release(attempts, attempt);
	if (attempts->stream != NULL && attempts_order(attempts, ATTEMPT_CANCEL, &id, sizeof(id)) == -1)
		attempts_lose(attempts, "there is no memory for its orders");
}

/* NULL when memory is out. */
static struct trusted *
attempts_trusted(struct attempts *attempts, const char *path)
{
	struct trusted *trusted = attempts->trusted;

	while (trusted != NULL && strcmp(trusted->path, path) != 0)
		trusted = trusted->next;
	if (trusted != NULL)
		return trusted;
	trusted = calloc(1, sizeof(*trusted));
	if (trusted == NULL)
		return NULL;
	(void)snprintf(trusted->path, sizeof(trusted->path), "%s", path);
	trusted->next = attempts->trusted;
	attempts->trusted = trusted;
	return trusted;
}

int
attempts_trust(struct attempts *attempts, const char *path, const struct authority *authority)
{
	struct attempt_header header = { .order = ATTEMPT_AUTHORITY };
	struct attempt_authority what;
	struct trusted *trusted;

	if (attempts->stream == NULL)
		return 0;
	trusted = attempts_trusted(attempts, path);
	if (trusted == NULL)
		return -1;
	if (trusted->version == authority->version)
		return 0;
	memset(&what, 0, sizeof(what));
	what.version = authority->version;
	(void)snprintf(what.path, sizeof(what.path), "%s", path);
	header.length = (uint32_t)(sizeof(what) + authority->length);
	if (bufferevent_write(attempts->stream, &header, sizeof(header)) == -1 ||
	    bufferevent_write(attempts->stream, &what, sizeof(what)) == -1 ||
	    bufferevent_write(attempts->stream, authority->bytes, authority->length) == -1) {
		attempts_lose(attempts, "there is no memory for its orders");
		return 0;
	}
	trusted->version = authority->version;
	return 0;
}

void
attempts_overdue(struct attempts *attempts)
{
	attempts_lose(attempts, "it does not answer in time");
}

struct attempts_state
attempts_state(const struct attempts *attempts)
{
	struct attempts_state state = { .pid = attempts->process.fd == -1 ? 0 : attempts->process.pid,
		.works = attempts->works, .lacking = attempts->lacking };
	const size_t kept = attempts->lost_count < ATTEMPTS_LOST ? attempts->lost_count : ATTEMPTS_LOST;
	const uint64_t now = clock_us();

	for (size_t i = 0; i < kept; i++)
		state.lost += now - attempts->lost_at[i] < ATTEMPTS_MEMORY;
	return state;
}
