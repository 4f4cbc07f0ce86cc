/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include <time.h>

#include "base/attr.h"
#include "base/log.h"
#include "conf/compare.h"
#include "daemon/background.h"
#include "daemon/director.h"
#include "daemon/host_facts.h"
#include "daemon/interfaces.h"
#include "daemon/selfcheck.h"
#include "daemon/stats.h"

/* It gave up root after it read the file the first time. */
static void
reload_explain_user(const char *path, struct errlist *errors)
{
	if (access(path, R_OK) == 0 || errno != EACCES)
		return;
	errlist_add(errors, path, 0, "the director runs as user ID %jd now (`user`), which may not read it: let that "
	    "user read it and all directories above, or restart dsrd", (intmax_t)geteuid());
}

enum exit_status
reload_prepare(const struct reload *reload, const struct conf *conf)
{
	enum exit_status status = interfaces_check_vips(&conf->settings);

	if (status == EXIT_OK)
		status = interfaces_prepare(reload->interfaces, &conf->settings);
	/* What was opened for nothing is closed again. */
	if (status != EXIT_OK)
		interfaces_settle(reload->interfaces);
	else
		host_fit_log(&conf->settings);
	return status;
}

int
reload_read(const struct reload *reload, struct conf *fresh, struct errlist *errors)
{
	if (conf_load(reload->options->config, fresh, errors) == -1) {
		reload_explain_user(reload->options->config, errors);
		return -1;
	}
	options_override(reload->options, fresh);
	if (fresh->hash_key[0] == '\0')
		fresh->settings.hash_key = reload->hash_key;
	if (conf_need_iface(fresh, reload->options->config, errors) == 0)
		return 0;
	conf_clear(fresh);
	return -1;
}

/* What a running daemon cannot change any more. */
static void
reload_warn_of_restart(void *context UNUSED, const struct conf_change *change)
{
	if (change->service == NULL && change->at_start)
		log_warning("reload key=%s reason=\"requires a restart\"", change->key);
}

/* Of [dsrd] alone: without services. */
static void
reload_compare_daemon_keys(const struct reload *reload, const struct conf *fresh)
{
	struct conf before = *reload->conf, after = *fresh;

	before.settings.connections = conn_table_capacity(reload->sources->director->forwarder.conns);
	before.settings.service_count = after.settings.service_count = 0;
	if (conf_compare(&before, &after, reload_warn_of_restart, NULL) == -1)
		log_warning("reload reason=\"out of memory: cannot list the keys that require a restart\"");
}

static void
reload_keep(struct reload *reload, struct conf *fresh)
{
	conf_clear(reload->conf);
	*reload->conf = *fresh;
	reload->interfaces->bypass = fresh->bypass;
	if (!reload->options->log_stderr)
		log_open(reload->conf->log, reload->options->verbose);
	reload->sources->reloads++;
	reload->sources->loaded = (uint64_t)time(NULL);
	selfcheck_reload(reload->selfcheck, NULL);
	log_notice("reload result=ok services=%zu servers=%zu", reload->sources->director->model->service_count,
	    model_server_count(reload->sources->director->model));
}

int
reload_apply(struct reload *reload, struct conf *fresh)
{
	if (reload_prepare(reload, fresh) != EXIT_OK) {
		log_error("reload result=failed reason=\"see above: nothing was changed\"");
		selfcheck_reload(reload->selfcheck, "an interface cannot be opened, or this host holds an address: see the log");
		conf_clear(fresh);
		return -1;
	}
	reload_compare_daemon_keys(reload, fresh);
	if (reload->take_over(reload->context, fresh) == -1) {
		log_error("reload result=failed reason=\"not enough memory for the new configuration: nothing was changed\"");
		selfcheck_reload(reload->selfcheck, "not enough memory for the new configuration");
		interfaces_settle(reload->interfaces);
		conf_clear(fresh);
		return -1;
	}
	reload_keep(reload, fresh);
	return 0;
}

void
reload_refuse(const struct reload *reload, const struct errlist *errors)
{
	selfcheck_reload(reload->selfcheck,
	    errlist_count(errors) > 0 ? errlist_text(errors, 0) : "the configuration cannot be read");
}

static void
reload_read_and_apply(struct reload *reload, struct errlist *errors)
{
	char text[LOG_TEXT];
	struct conf fresh;

	if (reload_read(reload, &fresh, errors) == 0) {
		(void)reload_apply(reload, &fresh);
		return;
	}
	for (size_t i = 0; i < errlist_count(errors); i++)
		log_error("reload error=\"%s\"", log_escape(errlist_text(errors, i), text));
	log_error("reload result=failed reason=\"the configuration has errors: nothing was changed\"");
	reload_refuse(reload, errors);
}

void
reload_by_signal(struct reload *reload)
{
	struct errlist *errors = errlist_new();

	notify_reloading(reload->notify);
	if (errors != NULL)
		reload_read_and_apply(reload, errors);
	else
		selfcheck_reload(reload->selfcheck, "out of memory");
	errlist_free(errors);
	notify_ready(reload->notify);
}
