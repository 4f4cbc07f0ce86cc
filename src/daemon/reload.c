/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/reload.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/log.h"
#include "conf/conf.h"
#include "daemon/background.h"
#include "daemon/director.h"
#include "daemon/host_facts.h"
#include "daemon/interfaces.h"
#include "daemon/selfcheck.h"
#include "daemon/stats.h"

enum exit_status
reload_prepare(const struct reload *reload, const struct conf *conf)
{
	enum exit_status status = interfaces_check_addresses(&conf->settings);

	if (status == EXIT_OK)
		status = interfaces_prepare(reload->interfaces, &conf->settings);
	/* What was opened for nothing is closed again. */
	if (status != EXIT_OK)
		interfaces_settle(reload->interfaces);
	else
		host_fit_log(&conf->settings);
	return status;
}

struct reading *
reload_read(const struct reload *reload, reading_done *done, void *context)
{
	const struct reading_parts parts = { reload->children, reload->options, &reload->hash_key };

	return reading_start(&parts, done, context);
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
		selfcheck_reload(reload->selfcheck, "an interface cannot be opened, or this host holds an address: see "
		    "the log");
		conf_clear(fresh);
		return -1;
	}
	reload_compare_daemon_keys(reload, fresh);
	if (reload->take_over(reload->context, fresh) == -1) {
		log_error("reload result=failed reason=\"not enough memory for the new configuration: nothing was "
		    "changed\"");
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

/* `errors` may be NULL: memory is out. */
static void
reload_log_refusal(const struct reload *reload, const struct errlist *errors)
{
	char text[LOG_TEXT];

	for (size_t i = 0; errors != NULL && i < errlist_count(errors); i++)
		log_error("reload error=\"%s\"", log_escape(errlist_text(errors, i), text));
	log_error("reload result=failed reason=\"the configuration has errors: nothing was changed\"");
	if (errors != NULL)
		reload_refuse(reload, errors);
	else
		selfcheck_reload(reload->selfcheck, "out of memory");
}

static void reload_begin(struct reload *reload);

static void
reload_on_read(void *context, struct conf *fresh, struct errlist *errors)
{
	struct reload *reload = context;

	reload->reading = NULL;
	if (fresh != NULL)
		(void)reload_apply(reload, fresh);
	else
		reload_log_refusal(reload, errors);
	errlist_free(errors);
	if (reload->again)
		reload_begin(reload);
	else
		notify_ready(reload->notify);
}

static void
reload_begin(struct reload *reload)
{
	reload->again = false;
	reload->reading = reload_read(reload, reload_on_read, reload);
	if (reload->reading != NULL)
		return;
	log_error("reload result=failed reason=\"no process can be started to read the configuration: %s\"",
	    strerror(errno));
	selfcheck_reload(reload->selfcheck, "no process can be started to read the configuration");
	notify_ready(reload->notify);
}

void
reload_by_signal(struct reload *reload)
{
	log_notice("reload by=signal");
	if (reload->reading != NULL) {
		reload->again = true;
		return;
	}
	notify_reloading(reload->notify);
	reload_begin(reload);
}

void
reload_close(struct reload *reload)
{
	reading_forget(reload->reading);
	reload->reading = NULL;
}
