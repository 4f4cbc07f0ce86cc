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
#include "base/clock.h"
#include "base/duration.h"
#include "base/log.h"
#include "check/check.h"
#include "check/children.h"
#include "compat/entropy.h"
#include "daemon/announcing.h"
#include "daemon/background.h"
#include "daemon/burst.h"
#include "daemon/change.h"
#include "daemon/checking.h"
#include "daemon/commands.h"
#include "daemon/confine.h"
#include "daemon/director.h"
#include "daemon/drop_log.h"
#include "daemon/dump.h"
#include "daemon/host_shield.h"
#include "daemon/hash_key.h"
#include "daemon/interfaces.h"
#include "daemon/local_server.h"
#include "daemon/loop.h"
#include "daemon/notify_program.h"
#include "daemon/offloading.h"
#include "daemon/peering.h"
#include "daemon/privsep.h"
#include "daemon/processes.h"
#include "daemon/recording.h"
#include "daemon/reload.h"
#include "daemon/role_source.h"
#include "daemon/roles.h"
#include "daemon/selfcheck.h"
#include "daemon/state.h"
#include "daemon/stats.h"
#include "daemon/web_status.h"
#include "offload/cache.h"
#include "os/os.h"

/* Frames taken before checks, timers and signals get their turn. */
#define BURST 256
#define RESCAN SECONDS(5)
/* Some systems send many notifications: a rescan lists all interfaces. */
#define RESCAN_LEAST MILLISECONDS(200)
/* The loop's number for changes of interfaces, after the interfaces themselves. */
#define NEWS IFACES_MOST
#define RECORDS (NEWS + 1)

/* The owner of everything that lives in a running director. Its parts get references to what they need, never to it. */
struct dsrd {
	const struct options *options;
	const struct notify *notify;
	struct conf conf; /* its settings have moved into the director's model */
	struct director director;
	struct interfaces interfaces;
	struct burst burst;
	struct drop_log losses;
	struct stats_sources sources;
	struct reload reload;
	struct recording recording; /* what happened, and what passed */
	struct selfcheck *selfcheck;
	struct offloading *offloading;
	struct host_shield *host_shield; /* NULL: the host's stack sees what it sees */
	struct loop *loop;
	struct children *children;
	struct notify_program *notify_program;
	struct checking *checking; /* NULL: attempts of checks are made in this process */
	struct checker *checker;
	struct privsep_order privileged; /* of the privileged process */
	struct privsep *privsep; /* NULL: this process has the privileges that it needs */
	struct os_sandbox sandbox;
	struct processes processes;
	struct command_server *cmds; /* NULL: no control socket */
	struct web_status *web_status; /* NULL: no HTTP */
	struct state *state;
	struct roles *roles;
	struct announcing *announcing; /* NULL: nothing is announced to routers */
	struct peering *peering; /* NULL: no peers */
	int news; /* the system's notifications about interfaces; -1: none */
	uint64_t rescanned;
	uint64_t next_rescan;
	bool unchecked; /* the checks do not follow the model yet, for lack of memory */
};

static void
dsrd_send_frame(void *context, const struct frame *frame)
{
	struct dsrd *dsrd = context;
	struct sender *sender = frame->local ? dsrd->interfaces.local : dsrd->interfaces.nics[frame->iface].sender;

	/* NULL in observe mode, and while an interface is lost. */
	if (sender != NULL)
		sender->ops->send(sender, frame);
}

static unsigned
dsrd_tx_features(void *context, uint16_t iface)
{
	const struct dsrd *dsrd = context;
	const struct sender *sender = dsrd->interfaces.nics[iface].sender;

	return sender == NULL ? 0 : sender->features;
}

static void
dsrd_on_frame(void *context, struct frame *frame, uint64_t when)
{
	struct dsrd *dsrd = context;

	if (!commands_take_frame(dsrd->cmds, frame, when))
		forward_frame(&dsrd->director.forwarder, frame, dsrd->director.now);
}

static void
dsrd_rescan(struct dsrd *dsrd, uint64_t now)
{
	interfaces_rescan(&dsrd->interfaces, now);
	local_servers_look(&dsrd->director, dsrd->interfaces.host_shield);
	selfcheck_host(dsrd->selfcheck);
	selfcheck_update(dsrd->selfcheck, now);
	dsrd->rescanned = now;
	dsrd->next_rescan = now + RESCAN;
}

/* Orders, time and other directors' claims; and when to look again. */
static void
dsrd_follow_roles(struct dsrd *dsrd, uint64_t now)
{
	roles_tick(dsrd->roles, now);
	burst_wake_at(&dsrd->burst, roles_due(dsrd->roles));
}

/* What routers are to know, and when to look again. */
static void
dsrd_announce(struct dsrd *dsrd, uint64_t now)
{
	if (now >= announcing_due(dsrd->announcing))
		announcing_run(dsrd->announcing, now);
	burst_wake_at(&dsrd->burst, announcing_due(dsrd->announcing));
}

static void
dsrd_on_os_change(struct dsrd *dsrd)
{
	const uint64_t now = clock_us();

	roles_look(dsrd->roles, now);
	if (!os_news_read(dsrd->news, model_needs_routes(dsrd->director.model)))
		return;
	dsrd_follow_roles(dsrd, now);
	if (now - dsrd->rescanned < RESCAN_LEAST) {
		dsrd->next_rescan = dsrd->rescanned + RESCAN_LEAST;
		burst_wake_at(&dsrd->burst, dsrd->next_rescan);
		return;
	}
	dsrd_rescan(dsrd, now);
	burst_flush(&dsrd->burst);
}

/* Frames whose server the kernel selected. */
static void
dsrd_on_records(struct dsrd *dsrd)
{
	dsrd->director.now = clock_us();
	offloading_learn(dsrd->offloading);
	forward_burst_end(&dsrd->director.forwarder, dsrd->director.now);
	burst_settle(&dsrd->burst);
}

static void
dsrd_on_readable(void *context, size_t index)
{
	struct dsrd *dsrd = context;
	struct receiver *receiver;
	char error[IO_ERROR];
	int count;

	if (index == NEWS) {
		dsrd_on_os_change(dsrd);
		return;
	}
	if (index == RECORDS) {
		dsrd_on_records(dsrd);
		return;
	}
	receiver = dsrd->interfaces.nics[index].receiver;
	dsrd->director.now = clock_us();
	roles_look(dsrd->roles, dsrd->director.now);
	burst_begin(&dsrd->burst);
	count = receiver->ops->dispatch(receiver, BURST, dsrd_on_frame, dsrd, error);
	nic_has_read(&dsrd->interfaces.nics[index], count == BURST, dsrd->director.now);
	if (count == -1)
		interfaces_lose(&dsrd->interfaces, index, error);
	forward_burst_end(&dsrd->director.forwarder, dsrd->director.now);
	burst_flush(&dsrd->burst);
}

/* Until there is memory for it, servers stay as they were checked last. */
static void
dsrd_sync_checks(struct dsrd *dsrd)
{
	dsrd->unchecked = checker_sync(dsrd->checker, dsrd->director.model) == -1;
	if (dsrd->unchecked)
		log_error("memory result=failed reason=\"out of memory: not every server is checked; tried again in a "
		    "second\"");
}

static void
dsrd_tick(struct dsrd *dsrd, uint64_t now)
{
	struct report_iface ifaces[IFACES_MOST];
	const struct report_facts facts = stats_gather(&dsrd->sources, ifaces);

	if (dsrd->unchecked)
		dsrd_sync_checks(dsrd);
	director_tick(&dsrd->director, now);
	drop_log_write(&dsrd->losses, &facts);
	offloading_look(dsrd->offloading);
	host_shield_beat(dsrd->host_shield);
	confine_look(&dsrd->sandbox);
	state_tick(dsrd->state, now);
	peering_tick(dsrd->peering, now);
	roles_set_table(dsrd->roles, peering_table_present(dsrd->peering), "a peer has not sent its connections yet");
	if (now >= dsrd->next_rescan)
		dsrd_rescan(dsrd, now);
	else
		selfcheck_update(dsrd->selfcheck, now);
	burst_flush(&dsrd->burst);
}

/* What the VIP check and the neighbors must know of frames that they may have missed. */
static void
dsrd_count_lost(struct dsrd *dsrd)
{
	struct forwarder *forwarder = &dsrd->director.forwarder;
	struct receiver_stats received;
	struct sender_stats sent;

	forwarder->lost = 0;
	forwarder->unread_since = 0;
	for (size_t i = 0; i < dsrd->director.iface_count; i++) {
		const struct nic *nic = &dsrd->interfaces.nics[i];

		nic_stats(nic, &received, &sent);
		forwarder->lost += received.dropped + sent.failed;
		if (nic->unread_since != 0 &&
		    (forwarder->unread_since == 0 || nic->unread_since < forwarder->unread_since))
			forwarder->unread_since = nic->unread_since;
	}
}

static void
dsrd_on_tick(void *context)
{
	struct dsrd *dsrd = context;
	const uint64_t now = clock_us();

	dsrd_count_lost(dsrd);
	roles_look(dsrd->roles, now);
	selfcheck_tick(dsrd->selfcheck, now);
	offloading_watch_flood(dsrd->offloading, now);
	dsrd_tick(dsrd, now);
	dsrd_follow_roles(dsrd, now);
	announcing_tick(dsrd->announcing, now);
	dsrd_announce(dsrd, now);
	recording_tick(&dsrd->recording, dsrd->director.model, &dsrd->director.forwarder);
	commands_tick(dsrd->cmds);
}

static void
dsrd_on_check(void *context, struct server *server, size_t check, const struct check_report *report)
{
	struct dsrd *dsrd = context;

	dsrd->director.now = clock_us();
	director_health(&dsrd->director, server, check, report, dsrd->director.now);
	dsrd_announce(dsrd, dsrd->director.now);
	burst_settle(&dsrd->burst);
}

static void
dsrd_on_wake(void *context)
{
	struct dsrd *dsrd = context;

	burst_woken(&dsrd->burst);
	roles_look(dsrd->roles, clock_us());
	if (clock_us() >= roles_due(dsrd->roles))
		roles_tick(dsrd->roles, clock_us());
	if (clock_us() >= dsrd->next_rescan)
		dsrd_rescan(dsrd, clock_us());
	dsrd_count_lost(dsrd);
	director_neighbors(&dsrd->director, clock_us());
	director_vipcheck(&dsrd->director, clock_us());
	forward_announce(&dsrd->director.forwarder, clock_us());
	burst_wake_at(&dsrd->burst, roles_due(dsrd->roles));
	dsrd_announce(dsrd, clock_us());
	if (dsrd->director.forwarder.offload != NULL)
		offload_tick(dsrd->director.forwarder.offload, clock_us());
	burst_flush(&dsrd->burst);
}

static void
dsrd_on_settings(void *context, uint64_t now)
{
	struct dsrd *dsrd = context;

	roles_apply(dsrd->roles, now);
	announcing_apply(dsrd->announcing, now);
}

/* At the start there is no peering yet, and its faults are fatal. */
static void
dsrd_apply_peers(struct dsrd *dsrd, const struct conf *conf)
{
	char error[PEERING_ERROR], said[LOG_TEXT];

	if (peering_apply(dsrd->peering, conf, error) == -1)
		log_error("reload key=peer result=failed reason=\"%s\" meaning=\"peers stay as they were\"",
		    log_escape(error, said));
}

/* For reloads, and at the start. */
static int
dsrd_apply(void *context, struct conf *conf)
{
	struct dsrd *dsrd = context;

	if (director_apply(&dsrd->director, &conf->settings, clock_us()) == -1) {
		log_error("memory result=failed reason=\"not enough for this configuration: nothing was changed\"");
		return -1;
	}
	dsrd_sync_checks(dsrd);
	dsrd_apply_peers(dsrd, conf);
	interfaces_settle(&dsrd->interfaces);
	selfcheck_host(dsrd->selfcheck);
	dsrd_tick(dsrd, clock_us());
	/* Flows of new servers may begin with the next frame. */
	state_save(dsrd->state);
	return 0;
}

static void
dsrd_dump(const struct dsrd *dsrd)
{
	stats_sync(&dsrd->sources);
	dump_to_log(&dsrd->sources, dsrd->notify_program);
}

static void
dsrd_on_signal(void *context, int number)
{
	struct dsrd *dsrd = context;

	switch (number) {
	case SIGHUP:
		reload_by_signal(&dsrd->reload);
		break;
	case SIGUSR1:
		dsrd_dump(dsrd);
		break;
	default:
		log_notice("stop signal=%d", number);
		announcing_stop(dsrd->announcing, dsrd->loop, clock_us());
		burst_wake_at(&dsrd->burst, announcing_due(dsrd->announcing));
	}
}

/* Without it the rescan in intervals finds all that has changed, later. */
static void
dsrd_watch_os_changes(struct dsrd *dsrd)
{
	dsrd->news = os_news_open();
	if (dsrd->news != -1 && loop_watch(dsrd->loop, NEWS, dsrd->news, NULL) == 0)
		return;
	log_info("interface-news result=failed reason=\"%s\" meaning=\"changes of interfaces are noticed within 5 "
	    "seconds\"", strerror(errno));
}

static int
dsrd_start_director(struct dsrd *dsrd, char *error, size_t size)
{
	const struct frame_tx tx = { dsrd_send_frame, dsrd, dsrd_tx_features };
	struct siphash_key key;

	if (getentropy(key.bytes, sizeof(key.bytes)) == -1) {
		snprintf(error, size, "no random numbers: %s", strerror(errno));
		return -1;
	}
	if (director_init(&dsrd->director, dsrd->conf.settings.connections, &key, &tx, error, size) == -1)
		return -1;
	os_routing_read(&dsrd->director.routing);
	dsrd->director.live = true;
	dsrd->director.forwarder.shared = dsrd->conf.peer_count > 0;
	dsrd->director.forwarder.began = clock_us();
	dsrd->director.find_route = os_route_find;
	dsrd->director.vipchecking.probes = !dsrd->options->observe;
	return 0;
}

/* Callbacks of the event loop, and the parts that need it. */
static int
dsrd_start_loop(struct dsrd *dsrd, char *error, size_t size)
{
	static const struct loop_calls calls = { dsrd_on_readable, dsrd_on_tick, dsrd_on_wake, dsrd_on_signal };

	dsrd->loop = loop_new(&calls, dsrd, RECORDS + 1);
	if (dsrd->loop != NULL)
		dsrd->children = dsrd->privsep == NULL ? children_new(loop_base(dsrd->loop), confine_launcher,
		    reading_task) :
		    children_new_from(loop_base(dsrd->loop), privsep_launcher, dsrd->privsep);
	/*
	 * After the launcher was forked: programs keep the limit that dsrd was started with, since select(2) ends at
	 * 1024.
	 */
	if (os_raise_descriptors() == -1)
		log_warning("descriptors result=failed reason=\"%s\" meaning=\"many checks at once may lack "
		    "descriptors\"",
		    strerror(errno));
	if (dsrd->children != NULL && confine_children(dsrd->children, &dsrd->conf, error) == -1)
		return -1;
	if (dsrd->children != NULL)
		dsrd->notify_program = notify_program_new(dsrd->children, dsrd->conf.notify);
	if (dsrd->notify_program != NULL && dsrd->privsep != NULL)
		dsrd->checking = checking_new(loop_base(dsrd->loop), dsrd->privsep);
	if (dsrd->notify_program != NULL && (dsrd->privsep == NULL || dsrd->checking != NULL))
		dsrd->checker = checker_new(loop_base(dsrd->loop), dsrd->children, dsrd_on_check, dsrd);
	if (dsrd->checker != NULL && dsrd->privsep != NULL)
		checker_set_ping(dsrd->checker, privsep_ping, dsrd->privsep);
	if (dsrd->checker != NULL && dsrd->checking != NULL)
		checker_set_attempts(dsrd->checker, checking_attempts(dsrd->checking));
	if (dsrd->checker == NULL) {
		snprintf(error, size, "libevent does not start");
		return -1;
	}
	dsrd_watch_os_changes(dsrd);
	return 0;
}

static int
dsrd_connect_announcing(struct dsrd *dsrd)
{
	const struct announcing_parts parts = { .director = &dsrd->director, .nics = dsrd->interfaces.nics,
		.roles = dsrd->roles, .children = dsrd->children, .privsep = dsrd->privsep,
		.order = &dsrd->privileged };

	dsrd->announcing = announcing_new(&parts);
	if (dsrd->announcing == NULL)
		return -1;
	change_subscribe(&dsrd->director.changes, announcing_change, dsrd->announcing);
	dsrd->sources.announcing = dsrd->announcing;
	selfcheck_set_announcing(dsrd->selfcheck, dsrd->announcing);
	return 0;
}

/* In the order of their dependencies. */
static int
dsrd_connect_parts(struct dsrd *dsrd)
{
	const struct options *options = dsrd->options;
	struct interfaces *interfaces = &dsrd->interfaces;
	struct selfcheck_sources looks = { .director = &dsrd->director, .nics = interfaces->nics,
	    .config = options->config };

	dsrd->offloading = offloading_open(&dsrd->director, interfaces->nics,
	    options->observe ? OFFLOAD_OFF : dsrd->conf.offload, privsep_attacher(dsrd->privsep));
	if (!options->observe && dsrd->conf.withhold)
		dsrd->host_shield = host_shield_open(&dsrd->director, interfaces->nics,
		    privsep_attacher(dsrd->privsep));
	dsrd->state = state_new(&dsrd->director);
	dsrd->roles = roles_new(&dsrd->director, interfaces, dsrd->conf.ready_file);
	dsrd->director.settled = dsrd_on_settings;
	dsrd->director.settled_context = dsrd;
	looks.offloading = interfaces->offloading = dsrd->offloading;
	looks.host_shield = interfaces->host_shield = dsrd->host_shield;
	looks.state = dsrd->state;
	looks.roles = dsrd->roles;
	looks.checking = dsrd->checking;
	dsrd->selfcheck = selfcheck_new(&looks);
	interfaces->director = &dsrd->director;
	interfaces->loop = dsrd->loop;
	interfaces->observe = options->observe;
	interfaces->bypass = dsrd->conf.bypass;
	interfaces->privsep = dsrd->privsep;
	interfaces->control = dsrd->conf.control[0] == '/' ? dsrd->conf.control : CONF_CONTROL;
	burst_init(&dsrd->burst, &dsrd->director, interfaces->nics, dsrd->loop);
	dsrd->sources = (struct stats_sources) { .director = &dsrd->director, .nics = interfaces->nics,
		.offloading = dsrd->offloading, .roles = dsrd->roles, .selfcheck = dsrd->selfcheck,
		    .privsep = dsrd->privsep,
		.started = clock_us(),
		.loaded = (uint64_t)time(NULL), .observe = options->observe };
	dsrd->reload = (struct reload) { .options = options, .notify = dsrd->notify, .children = dsrd->children,
	    .conf = &dsrd->conf,
		.interfaces = interfaces, .selfcheck = dsrd->selfcheck, .sources = &dsrd->sources,
		    .take_over = dsrd_apply,
		.context = dsrd };
	change_subscribe(&dsrd->director.changes, notify_program_change, dsrd->notify_program);
	if (dsrd->offloading == NULL || (offloading_records(dsrd->offloading) != -1 &&
	    loop_watch(dsrd->loop, RECORDS, offloading_records(dsrd->offloading), NULL) == -1))
		return -1;
	if (dsrd->state == NULL || dsrd->roles == NULL || dsrd->selfcheck == NULL)
		return -1;
	return options->observe ? 0 : dsrd_connect_announcing(dsrd);
}

static int
dsrd_start_parts(struct dsrd *dsrd, char *error, size_t size)
{
	dsrd->privileged = (struct privsep_order) { .options = dsrd->options, .conf = &dsrd->conf,
	    .become = confine_launcher, .checker = confine_checker, .task = reading_task };
	/* A server that closes a connection while it is checked is an error of write(), not the end of dsrd. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* While the process is small. */
	if (privsep_start(&dsrd->privileged, &dsrd->privsep, error) == -1 || dsrd_start_director(dsrd, error, size) == -1 ||
	    dsrd_start_loop(dsrd, error, size) == -1)
		return -1;
	if (dsrd_connect_parts(dsrd) == 0)
		return 0;
	snprintf(error, size, "out of memory");
	return -1;
}

static void
dsrd_stop_parts(struct dsrd *dsrd)
{
	web_status_close(dsrd->web_status);
	peering_close(dsrd->peering);
	commands_close(dsrd->cmds);
	announcing_free(dsrd->announcing);
	reload_close(&dsrd->reload);
	checker_free(dsrd->checker);
	checking_free(dsrd->checking);
	notify_program_free(dsrd->notify_program);
	children_free(dsrd->children);
	if (dsrd->interfaces.director != NULL)
		interfaces_close(&dsrd->interfaces);
	loop_free(dsrd->loop);
	if (dsrd->news != -1)
		(void)close(dsrd->news);
	state_close(dsrd->state, clock_us());
	roles_free(dsrd->roles);
	offloading_close(dsrd->offloading);
	host_shield_close(dsrd->host_shield);
	director_clear(&dsrd->director);
	selfcheck_free(dsrd->selfcheck);
	privsep_stop(dsrd->privsep);
}

/*
 * Clients that know the key choose their server: without `hash-key` it is random, and two directors choose
 * differently.
 */
static int
dsrd_open_hash_key(struct dsrd *dsrd)
{
	char path[HASH_KEY_PATH];
	bool kept;

	hash_key_path(&dsrd->conf, path);
	if (hash_key_open(path, &dsrd->reload.hash_key, &kept) == -1) {
		log_error("start result=failed reason=\"no random numbers: %s\"", strerror(errno));
		return -1;
	}
	if (dsrd->conf.hash_key[0] != '\0')
		return 0;
	dsrd->conf.settings.hash_key = dsrd->reload.hash_key;
	if (kept)
		log_notice("hash-key result=random file=%s meaning=\"a second director chooses other servers by hash: "
		    "set the same "
		    "`hash-key` on both\"", path);
	else
		log_warning("hash-key result=random file=%s reason=\"it cannot be kept: %s\" meaning=\"a restart "
		    "chooses other "
		    "servers by hash\"", path, strerror(errno));
	return 0;
}

static int
dsrd_open_peers(struct dsrd *dsrd)
{
	const struct peering_parts parts = { &dsrd->director, dsrd->state, dsrd->roles, &dsrd->burst, dsrd->privsep };
	char error[PEERING_ERROR];

	dsrd->peering = peering_open(loop_base(dsrd->loop), &dsrd->conf, &parts, error);
	if (dsrd->peering == NULL) {
		log_error("start result=failed reason=\"%s\"", error);
		return -1;
	}
	dsrd->sources.peering = dsrd->peering;
	selfcheck_set_peering(dsrd->selfcheck, dsrd->peering);
	announcing_set_others(dsrd->announcing, peering_serves, dsrd->peering);
	return 0;
}

/* Everything that needs root, then root goes. */
static enum exit_status
dsrd_start_running(struct dsrd *dsrd)
{
	struct command_parts commands = { .conf = &dsrd->conf, .sources = &dsrd->sources,
	    .interfaces = &dsrd->interfaces,
		.burst = &dsrd->burst, .roles = dsrd->roles, .recording = &dsrd->recording, .reload = &dsrd->reload };
	char error[OS_ERROR];
	enum exit_status status;

	if (dsrd_start_parts(dsrd, error, sizeof(error)) == -1) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_SYSTEM;
	}
	commands.loop = dsrd->loop;
	commands.state = dsrd->state;
	dsrd->processes = (struct processes) { &dsrd->sandbox, dsrd->privsep, dsrd->children,
	    dsrd->checking, dsrd->announcing };
	commands.processes = &dsrd->processes;
	commands.roles = dsrd->roles;
	commands.announcing = dsrd->announcing;
	if (dsrd_open_hash_key(dsrd) == -1)
		return EXIT_SYSTEM;
	status = reload_prepare(&dsrd->reload, &dsrd->conf);
	if (status == EXIT_OK)
		status = commands_open(&commands, &dsrd->cmds);
	if (status != EXIT_OK)
		return status;
	dsrd->web_status = web_status_open(loop_base(dsrd->loop), &(struct web_settings){ dsrd->conf.http_address,
	    dsrd->conf.http_port, dsrd->conf.http_host, WEB_PATIENCE }, &dsrd->sources, &dsrd->recording);
	if (dsrd_apply(dsrd, &dsrd->conf) == -1)
		return EXIT_SYSTEM;
	if (!dsrd->options->observe)
		state_open(dsrd->state, &dsrd->conf, clock_us());
	if (dsrd->conf.ready_file[0] != '\0')
		ready_file_prepare(dsrd->conf.ready_file, dsrd->conf.user);
	if (!dsrd->options->observe && dsrd_open_peers(dsrd) == -1)
		return EXIT_SYSTEM;
	return confine(&dsrd->conf, dsrd->options, &dsrd->interfaces, dsrd->privsep != NULL, &dsrd->sandbox);
}

static void
dsrd_announce_ready(const struct dsrd *dsrd)
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
	dsrd->notify = notify;
	dsrd->news = -1;
	dsrd->conf = *conf;
	memset(conf, 0, sizeof(*conf));
	options_override(options, &dsrd->conf);
	status = dsrd_start_running(dsrd);
	if (status == EXIT_OK) {
		background_ready(background);
		dsrd_announce_ready(dsrd);
		if (loop_run(dsrd->loop) == -1)
			status = EXIT_SYSTEM;
		notify_stopping(notify);
		dsrd_dump(dsrd);
	}
	dsrd_stop_parts(dsrd);
	recording_close(&dsrd->recording);
	conf_clear(&dsrd->conf);
	free(dsrd);
	return status;
}
