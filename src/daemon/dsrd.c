/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/dsrd.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/duration.h"
#include "base/log.h"
#include "check/check.h"
#include "check/children.h"
#include "compat/entropy.h"
#include "daemon/background.h"
#include "daemon/commands.h"
#include "daemon/confine.h"
#include "daemon/dump.h"
#include "daemon/facts.h"
#include "daemon/host_facts.h"
#include "daemon/host_shield.h"
#include "daemon/interfaces.h"
#include "daemon/loop.h"
#include "daemon/notify_program.h"
#include "daemon/offloading.h"
#include "daemon/reload.h"
#include "daemon/selfcheck.h"
#include "daemon/state.h"
#include "daemon/vipchecking.h"
#include "daemon/web_status.h"
#include "offload/cache.h"
#include "os/os.h"

/* Frames taken before checks, timers and signals get their turn. */
#define BURST 256
#define REFRESH_QUICK MILLISECONDS(2)
#define RESCAN SECONDS(5)
/* Some systems tell much: a rescan costs a list of all interfaces. */
#define RESCAN_LEAST MILLISECONDS(200)
/* The loop's number for news of interfaces, behind the interfaces themselves. */
#define NEWS IFACES_MOST

uint64_t
dsrd_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return SECONDS(now.tv_sec) + (uint64_t)now.tv_nsec / 1000;
}

static void
send_frame(void *context, const struct frame *frame)
{
	struct dsrd *dsrd = context;
	struct sender *sender = dsrd->nics[frame->iface].sender;

	/* NULL in observe mode, and while an interface is lost. */
	if (sender != NULL)
		sender->ops->send(sender, frame);
}

static unsigned
sender_takes(void *context, uint16_t iface)
{
	const struct dsrd *dsrd = context;
	const struct sender *sender = dsrd->nics[iface].sender;

	return sender == NULL ? 0 : sender->takes;
}

/* Wakes the loop at `due`, unless it is to be woken before. */
static void
wake_at(struct dsrd *dsrd, uint64_t due)
{
	uint64_t now;

	if (due >= dsrd->next_wake)
		return;
	now = dsrd_clock();
	loop_wake(dsrd->loop, due > now ? due - now : 0);
	dsrd->next_wake = due;
}

/*
 * The table of hundreds of services takes tens of milliseconds to compile, and when a director starts each of their
 * servers changes. So changes are gathered for as long as the last compilation took, when that was long.
 */
static void
refresh(struct dsrd *dsrd)
{
	uint64_t begin, took;

	if (!dsrd->director.stale)
		return;
	begin = dsrd_clock();
	if (begin < dsrd->next_refresh) {
		wake_at(dsrd, dsrd->next_refresh);
		return;
	}
	director_refresh(&dsrd->director);
	took = dsrd_clock() - begin;
	dsrd->next_refresh = took < REFRESH_QUICK ? 0 : begin + 2 * took;
}

/* Between two bursts: what has changed takes effect, and the VIP probe is woken when it wants to. */
static void
settle(struct dsrd *dsrd)
{
	uint64_t due;

	refresh(dsrd);
	due = dsrd->director.probes ? forward_vipcheck_due(&dsrd->director.forwarder) : UINT64_MAX;
	if (dsrd->director.forwarder.offload != NULL && offload_due(dsrd->director.forwarder.offload) < due)
		due = offload_due(dsrd->director.forwarder.offload);
	wake_at(dsrd, due);
}

/* While frames come in a burst, those that leave are gathered. */
static void
begin_burst(struct dsrd *dsrd)
{
	for (size_t i = 0; i < dsrd->director.iface_count; i++)
		if (dsrd->nics[i].sender != NULL)
			dsrd->nics[i].sender->burst = true;
}

void
dsrd_flush(struct dsrd *dsrd)
{
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		struct sender *sender = dsrd->nics[i].sender;

		if (sender == NULL)
			continue;
		sender->ops->flush(sender);
		sender->burst = false;
	}
	settle(dsrd);
}

static void
take_frame(void *context, struct frame *frame, uint64_t when)
{
	struct dsrd *dsrd = context;

	commands_hear(dsrd->cmds, frame);
	if (dsrd->trace == NULL)
		forward_frame(&dsrd->director.forwarder, frame, dsrd->director.now);
	else
		commands_trace_frame(dsrd->cmds, frame, when);
}

static void
rescan(struct dsrd *dsrd, uint64_t now)
{
	interfaces_rescan(dsrd, now);
	selfcheck_host(dsrd);
	selfcheck_update(dsrd, now);
	dsrd->rescanned = now;
	dsrd->next_rescan = now + RESCAN;
}

static void
on_news(struct dsrd *dsrd)
{
	const uint64_t now = dsrd_clock();

	if (!os_news_read(dsrd->news))
		return;
	if (now - dsrd->rescanned < RESCAN_LEAST) {
		dsrd->next_rescan = dsrd->rescanned + RESCAN_LEAST;
		wake_at(dsrd, dsrd->next_rescan);
		return;
	}
	rescan(dsrd, now);
	dsrd_flush(dsrd);
}

static void
on_readable(void *context, size_t index)
{
	struct dsrd *dsrd = context;
	struct receiver *receiver;
	char error[IO_ERROR];

	if (index == NEWS) {
		on_news(dsrd);
		return;
	}
	receiver = dsrd->nics[index].receiver;
	dsrd->director.now = dsrd_clock();
	begin_burst(dsrd);
	if (receiver->ops->dispatch(receiver, BURST, take_frame, dsrd, error) == -1)
		interfaces_lose(dsrd, index, error);
	forward_burst_end(&dsrd->director.forwarder, dsrd->director.now);
	dsrd_flush(dsrd);
}

/* Until there is memory for it, servers stay as they were checked last. */
static void
sync_checks(struct dsrd *dsrd)
{
	dsrd->unchecked = checker_sync(dsrd->checker, dsrd->director.model) == -1;
	if (dsrd->unchecked)
		log_error("memory result=failed reason=\"out of memory: not every server is checked; tried again in a second\"");
}

static void
tick(struct dsrd *dsrd, uint64_t now)
{
	struct report_iface ifaces[IFACES_MOST];
	const struct report_facts facts = stats_gather(dsrd, ifaces);

	if (dsrd->unchecked)
		sync_checks(dsrd);
	director_tick(&dsrd->director, now);
	drop_log_write(&dsrd->losses, &facts);
	offloading_look(dsrd);
	host_shield_beat(dsrd);
	state_tick(dsrd, now);
	if (now >= dsrd->next_rescan)
		rescan(dsrd, now);
	else
		selfcheck_update(dsrd, now);
	dsrd_flush(dsrd);
}

static void
on_tick(void *context)
{
	struct dsrd *dsrd = context;
	const uint64_t now = dsrd_clock();

	selfcheck_tick(dsrd, now);
	tick(dsrd, now);
	recording_tick(dsrd);
	commands_tick(dsrd->cmds);
}

static void
on_check(void *context, struct server *server, size_t check, const struct check_report *report)
{
	struct dsrd *dsrd = context;

	dsrd->director.now = dsrd_clock();
	director_health(&dsrd->director, server, check, report, dsrd->director.now);
	settle(dsrd);
}

/* Frames that the kernel could not hold for us: answers may have been among them. */
static uint64_t
count_lost(const struct dsrd *dsrd)
{
	struct receiver_stats received;
	struct sender_stats sent;
	uint64_t lost = 0;

	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		nic_stats(&dsrd->nics[i], &received, &sent);
		lost += received.dropped;
	}
	return lost;
}

static void
on_wake(void *context)
{
	struct dsrd *dsrd = context;

	dsrd->next_wake = UINT64_MAX;
	if (dsrd_clock() >= dsrd->next_rescan)
		rescan(dsrd, dsrd_clock());
	dsrd->director.forwarder.lost = count_lost(dsrd);
	if (dsrd->director.probes)
		probing_run(&dsrd->director, dsrd_clock());
	if (dsrd->director.forwarder.offload != NULL)
		offload_tick(dsrd->director.forwarder.offload, dsrd_clock());
	dsrd_flush(dsrd);
}

static void
on_change(void *context, const struct state_change *change)
{
	struct dsrd *dsrd = context;

	notify_program_run(dsrd->notify_program, change);
}

enum exit_status
dsrd_prepare(struct dsrd *dsrd, const struct conf *conf)
{
	enum exit_status status = interfaces_check_vips(&conf->settings);

	if (status == EXIT_OK)
		status = interfaces_prepare(dsrd, &conf->settings);
	/* What was opened for nothing is closed again. */
	if (status != EXIT_OK)
		interfaces_settle(dsrd);
	else
		host_fit_log(&conf->settings);
	return status;
}

int
dsrd_take_over(struct dsrd *dsrd, struct conf *conf)
{
	if (director_apply(&dsrd->director, &conf->settings, dsrd_clock()) == -1) {
		log_error("memory result=failed reason=\"not enough for this configuration: nothing was changed\"");
		return -1;
	}
	sync_checks(dsrd);
	interfaces_settle(dsrd);
	selfcheck_host(dsrd);
	tick(dsrd, dsrd_clock());
	/* Flows of servers that have just come may begin with the next frame. */
	state_save(dsrd);
	return 0;
}

void
dsrd_override(const struct options *options, struct conf *conf)
{
	if (options->iface != NULL)
		conf_set_iface(conf, options->iface);
	if (options->user != NULL)
		snprintf(conf->user, sizeof(conf->user), "%s", options->user);
}

static void
on_signal(void *context, int number)
{
	struct dsrd *dsrd = context;

	switch (number) {
	case SIGHUP:
		reload_by_signal(dsrd);
		break;
	case SIGUSR1:
		offloading_sync(dsrd);
		dump_to_log(dsrd);
		break;
	default:
		log_notice("stop signal=%d", number);
		loop_stop(dsrd->loop);
	}
}

/* Without it the rescan in intervals finds all that has changed, later. */
static void
open_news(struct dsrd *dsrd)
{
	dsrd->news = os_news_open();
	if (dsrd->news != -1 && loop_watch(dsrd->loop, NEWS, dsrd->news, NULL) == 0)
		return;
	log_info("interface-news result=failed reason=\"%s\" meaning=\"what changes at an interface is noticed within 5 "
	    "seconds\"", strerror(errno));
}

static int
start_parts(struct dsrd *dsrd, char *error, size_t size)
{
	static const struct loop_calls calls = { on_readable, on_tick, on_wake, on_signal };
	const struct frame_tx tx = { send_frame, dsrd, sender_takes };
	struct siphash_key key;

	/* A server that closes while it is asked something is an error of write(), not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (getentropy(key.bytes, sizeof(key.bytes)) == -1) {
		snprintf(error, size, "no random numbers: %s", strerror(errno));
		return -1;
	}
	if (director_init(&dsrd->director, dsrd->conf.settings.connections, &key, &tx, error, size) == -1)
		return -1;
	dsrd->next_wake = UINT64_MAX;
	dsrd->director.announces = true;
	dsrd->director.probes = !dsrd->options->observe;
	dsrd->loop = loop_new(&calls, dsrd, NEWS + 1);
	dsrd->selfcheck = selfcheck_new();
	if (dsrd->loop != NULL && dsrd->selfcheck != NULL)
		dsrd->children = children_new(loop_base(dsrd->loop));
	if (dsrd->children != NULL)
		dsrd->notify_program = notify_program_new(dsrd->children, dsrd->conf.notify);
	if (dsrd->notify_program != NULL)
		dsrd->checker = checker_new(loop_base(dsrd->loop), dsrd->children, on_check, dsrd);
	if (dsrd->checker == NULL) {
		snprintf(error, size, "libevent does not start");
		return -1;
	}
	open_news(dsrd);
	offloading_open(dsrd);
	host_shield_open(dsrd);
	dsrd->director.changed = on_change;
	dsrd->director.changed_context = dsrd;
	return 0;
}

static void
stop_parts(struct dsrd *dsrd)
{
	web_status_close(dsrd->web_status);
	commands_close(dsrd->cmds);
	checker_free(dsrd->checker);
	notify_program_free(dsrd->notify_program);
	children_free(dsrd->children);
	if (dsrd->loop != NULL)
		interfaces_close(dsrd);
	loop_free(dsrd->loop);
	if (dsrd->news != -1)
		(void)close(dsrd->news);
	state_close(dsrd, dsrd_clock());
	offloading_close(dsrd);
	host_shield_close(dsrd);
	director_clear(&dsrd->director);
	selfcheck_free(dsrd->selfcheck);
}

/* Everything that needs root, then root goes. */
static enum exit_status
start(struct dsrd *dsrd)
{
	char error[OS_ERROR];
	enum exit_status status;

	if (start_parts(dsrd, error, sizeof(error)) == -1) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_SYSTEM;
	}
	status = dsrd_prepare(dsrd, &dsrd->conf);
	if (status == EXIT_OK)
		status = commands_open(dsrd, &dsrd->cmds);
	if (status != EXIT_OK)
		return status;
	dsrd->web_status = web_status_open(dsrd);
	if (dsrd_take_over(dsrd, &dsrd->conf) == -1)
		return EXIT_SYSTEM;
	state_open(dsrd, dsrd_clock());
	return confine(dsrd);
}

static void
announce_ready(const struct dsrd *dsrd)
{
	if (!dsrd->options->log_stderr)
		log_open(dsrd->conf.log, dsrd->options->verbose);
	log_notice("ready version=%s services=%zu servers=%zu connections=%u observe=%s", PACKAGE_VERSION,
	    dsrd->director.model->service_count, model_server_count(dsrd->director.model),
	    conn_table_capacity(dsrd->director.forwarder.conns), dsrd->options->observe ? "yes" : "no");
	notify_ready(dsrd->notify);
}

enum exit_status
dsrd_run(const struct options *options, struct conf *conf, struct background *background, const struct notify *notify)
{
	struct dsrd *dsrd = calloc(1, sizeof(*dsrd));
	enum exit_status status;

	if (dsrd == NULL) {
		log_error("start result=failed reason=\"out of memory\"");
		return EXIT_SYSTEM;
	}
	recording_open(&dsrd->recording);
	dsrd->options = options;
	dsrd->background = background;
	dsrd->notify = notify;
	dsrd->news = -1;
	dsrd->started = dsrd_clock();
	dsrd->loaded = (uint64_t)time(NULL);
	dsrd->conf = *conf;
	memset(conf, 0, sizeof(*conf));
	dsrd_override(options, &dsrd->conf);
	status = start(dsrd);
	if (status == EXIT_OK) {
		background_ready(background);
		announce_ready(dsrd);
		if (loop_run(dsrd->loop) == -1)
			status = EXIT_SYSTEM;
		notify_stopping(notify);
		offloading_sync(dsrd);
		dump_to_log(dsrd);
	}
	stop_parts(dsrd);
	recording_close(&dsrd->recording);
	conf_clear(&dsrd->conf);
	free(dsrd);
	return status;
}
