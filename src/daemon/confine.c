/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/confine.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "check/tls.h"
#include "daemon/director.h"
#include "daemon/interfaces.h"
#include "os/os.h"

#define PATHS_MOST 64

/* With room for the directories of paths. */
struct paths {
	const char *list[PATHS_MOST];
	size_t count;
	char directories[PATHS_MOST][CONF_PATH];
};

static_assert((int)SANDBOX_ON == (int)OS_SANDBOX_ON && (int)SANDBOX_LOG == (int)OS_SANDBOX_LOG &&
    (int)SANDBOX_OFF == (int)OS_SANDBOX_OFF, "the values of the key are those of os/");

static void
paths_add(struct paths *paths, const char *path)
{
	if (paths->count < PATHS_MOST)
		paths->list[paths->count++] = path;
}

/* The directory that the file is in; one that is there already is not added. */
static void
paths_add_directory_of(struct paths *paths, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *text;

	if (*path != '/' || paths->count == PATHS_MOST)
		return;
	text = paths->directories[paths->count];
	(void)snprintf(text, CONF_PATH, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->list[i], text) == 0)
			return;
	paths->list[paths->count++] = text;
}

/* What the C library and libpcap look up. The configuration and `ca` are read by processes of the launcher. */
static void
collect_readable(struct paths *paths, const struct options *options)
{
	static const char *const always[] = { "/etc", "/usr", "/proc", "/sys", "/run", "/var/run", "/dev/null",
	    "/dev/urandom" };

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		paths_add(paths, always[i]);
	paths_add_directory_of(paths, options->config);
}

/* Directories in which files are replaced, and removed at the end. */
static void
collect_writable(struct paths *paths, const struct conf *conf, const struct role_config *roles,
    const struct options *options)
{
	const char *control = conf->control[0] != '\0' ? conf->control : CONF_CONTROL;
	char state[CONF_PATH];

	conf_state_path(conf, state);
	paths_add_directory_of(paths, control);
	paths_add_directory_of(paths, state);
	paths_add(paths, "/dev/null");
	if (options->pidfile != NULL)
		paths_add_directory_of(paths, options->pidfile);
	paths_add_directory_of(paths, conf->ready_file);
	for (size_t i = 0; i < roles->group_count; i++)
		paths_add_directory_of(paths, roles->groups[i].path);
}

/* A service manager has started dsrd as its user: only an explicit `user` must match. */
const char *
confine_user(const char *user)
{
	return geteuid() != 0 && strcmp(user, DSRD_USER) == 0 ? NULL : user;
}

/* What goes to the launcher. */
struct launcher_order {
	char user[CONF_USER];
	enum os_sandbox_mode mode;
};
static_assert(sizeof(struct launcher_order) <= LAUNCHER_ORDER && sizeof(struct os_sandbox) <= LAUNCHER_OUTCOME,
    "they fit into the launcher's messages");

/* What talks to networks or starts programs of checks and of `notify` does not run as root, whatever dsrd runs as. */
int
confine_never_root(const char *user, char error[OS_ERROR])
{
	const char *own = confine_user(user);
	struct os_user found;

	if (own != NULL && os_user_find(own, &found, error) == 0 && found.uid == 0)
		own = os_user_find(DSRD_USER, &found, error) == 0 ? DSRD_USER : "nobody";
	return os_drop_root(own, error) == -1 || os_drop_rights(error) == -1 ? -1 : 0;
}

int
confine_launcher(const void *argument, void *outcome, char error[OS_ERROR])
{
	const struct launcher_order *order = argument;
	const struct os_sandbox_order sandbox = { .process = OS_PROCESS_LAUNCHER, .mode = order->mode };

	return confine_never_root(order->user, error) == -1 ? -1 : os_sandbox_enter(&sandbox, outcome, error);
}

/* It verifies certificates, and opens no other file. */
int
confine_checker(const void *order, void *outcome, char error[OS_ERROR])
{
	const struct conf *conf = order;
	const char *readable[TLS_PATHS_MOST + 2];
	struct os_sandbox_order sandbox = { .process = OS_PROCESS_CHECKER, .mode = (enum os_sandbox_mode)conf->sandbox,
		.readable = readable, .readable_count = tls_system_paths(readable) };

	readable[sandbox.readable_count++] = "/dev/null";
	readable[sandbox.readable_count++] = "/dev/urandom";
	return confine_never_root(conf->user, error) == -1 ? -1 : os_sandbox_enter(&sandbox, outcome, error);
}

int
confine_children(struct children *children, const struct conf *conf, char error[OS_ERROR])
{
	struct launcher_order order = { .mode = (enum os_sandbox_mode)conf->sandbox };

	(void)snprintf(order.user, sizeof(order.user), "%s", conf->user);
	return children_confine(children, &order, sizeof(order), error);
}

static void
confine_log(const struct conf *conf, const struct os_sandbox *sandbox)
{
	if (conf->sandbox == SANDBOX_OFF)
		log_warning("confine sandbox=off meaning=\"a fault in dsrd may do all that its user may: see `dsrctl "
		    "show process`\"");
	else if (conf->sandbox == SANDBOX_LOG)
		log_warning("confine sandbox=log calls=\"%s\" meaning=\"nothing is refused: what would be is "
		    "logged\"",
		    sandbox->calls_by);
	else
		log_info("confine sandbox=on calls=\"%s\" files=\"%s\"", sandbox->calls_by, sandbox->files_by);
}

static void
enter(const struct conf *conf, const struct role_config *roles, const struct options *options, bool separated,
    struct os_sandbox *sandbox)
{
	struct paths readable = { .count = 0 }, writable = { .count = 0 };
	struct os_sandbox_order order = { .process = OS_PROCESS_DIRECTOR, .mode = (enum os_sandbox_mode)conf->sandbox };
	uint16_t ports[CONF_PEERS + 1] = { CONF_PEER_PORT };
	char error[OS_ERROR];

	/* With a checker it connects to other directors only: to those of the file, and to what a reload may add. */
	for (size_t i = 0; i < conf->peer_count; i++)
		ports[i + 1] = conf->peers[i].port;
	order.limits_ports = separated;
	order.ports = ports;
	order.port_count = conf->peer_count + 1;
	collect_readable(&readable, options);
	collect_writable(&writable, conf, roles, options);
	order.readable = readable.list;
	order.readable_count = readable.count;
	order.writable = writable.list;
	order.writable_count = writable.count;
	if (os_sandbox_enter(&order, sandbox, error) == -1)
		log_warning("confine result=failed reason=\"%s\" meaning=\"dsrd runs with all rights of its user\"",
		    error);
	else
		confine_log(conf, sandbox);
}

enum exit_status
confine(const struct conf *conf, const struct options *options, struct interfaces *interfaces, bool separated,
    struct os_sandbox *sandbox)
{
	char error[OS_ERROR];

	if (os_drop_root(confine_user(conf->user), error) == -1 ||
	    (separated && geteuid() != 0 && os_drop_rights(error) == -1)) {
		log_error("start result=failed reason=\"%s\"", error);
		return EXIT_NO_PERMISSION;
	}
	if (geteuid() == 0)
		log_warning("confine user=root meaning=\"a fault in dsrd would expose this host: take `user = root` "
		    "out of the "
		    "configuration, and it runs as %s\"", DSRD_USER);
	else
		interfaces_lock(interfaces);
	enter(conf, &interfaces->director->model->roles, options, separated, sandbox);
	return EXIT_OK;
}

void
confine_log_call(const char *process, const char *call, enum os_confined calls)
{
	if (calls == OS_CONFINED_LOG)
		log_warning("sandbox call=%s process=%s result=passed meaning=\"`sandbox = on` would refuse it: if dsrd "
		    "needs it on this system, report it\"", call, process);
	else
		log_error("sandbox call=%s process=%s result=refused meaning=\"dsrd goes on: a fault in dsrd or a "
		    "library tried what dsrd never does, or the sandbox lacks a call that this system needs; "
		    "`sandbox = log` shows what else, report it\"", call, process);
}

void
confine_look(const struct os_sandbox *sandbox)
{
	char name[OS_CALL_NAME];
	unsigned lost;

	while (os_sandbox_refused(name, &lost)) {
		if (lost > 0)
			log_error("sandbox calls=%u process=director result=refused reason=\"too many to name each\"", lost);
		confine_log_call("director", name, sandbox->calls);
	}
}
