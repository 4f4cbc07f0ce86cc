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
#include "daemon/dsrd.h"
#include "daemon/interfaces.h"
#include "daemon/selfcheck.h"

/* It gave up root after it read the file the first time. */
static void
explain_user(const char *path, struct errlist *errors)
{
	if (access(path, R_OK) == 0 || errno != EACCES)
		return;
	errlist_add(errors, path, 0, "the director runs as user number %jd now (`user`), which may not read it: let that "
	    "user read it and all directories above, or restart dsrd", (intmax_t)geteuid());
}

int
reload_read(const struct dsrd *dsrd, struct conf *fresh, struct errlist *errors)
{
	if (conf_load(dsrd->options->config, fresh, errors) == -1) {
		explain_user(dsrd->options->config, errors);
		return -1;
	}
	dsrd_override(dsrd->options, fresh);
	if (conf_need_iface(fresh, dsrd->options->config, errors) == 0)
		return 0;
	conf_clear(fresh);
	return -1;
}

/* What a running daemon cannot change any more. */
static void
warn_of_restart(void *context UNUSED, const struct conf_change *change)
{
	if (change->service == NULL && change->at_start)
		log_warning("reload key=%s reason=\"takes effect at the next start\"", change->key);
}

/* Of [dsrd] alone: without services. */
static void
compare_daemon_keys(const struct dsrd *dsrd, const struct conf *fresh)
{
	struct conf before = dsrd->conf, after = *fresh;

	before.settings.connections = conn_table_capacity(dsrd->director.forwarder.conns);
	before.settings.service_count = after.settings.service_count = 0;
	if (conf_compare(&before, &after, warn_of_restart, NULL) == -1)
		log_warning("reload reason=\"out of memory: what takes effect at the next start only is not told\"");
}

static void
keep(struct dsrd *dsrd, struct conf *fresh)
{
	conf_clear(&dsrd->conf);
	dsrd->conf = *fresh;
	if (!dsrd->options->log_stderr)
		log_open(dsrd->conf.log, dsrd->options->verbose);
	dsrd->reloads++;
	dsrd->loaded = (uint64_t)time(NULL);
	selfcheck_reload(dsrd, NULL);
	log_notice("reload result=ok services=%zu servers=%zu", dsrd->director.model->service_count,
	    model_server_count(dsrd->director.model));
}

int
reload_apply(struct dsrd *dsrd, struct conf *fresh)
{
	if (dsrd_prepare(dsrd, fresh) != EXIT_OK) {
		log_error("reload result=failed reason=\"see above: nothing was changed\"");
		selfcheck_reload(dsrd, "an interface cannot be opened, or this host holds an address: the log says which");
		conf_clear(fresh);
		return -1;
	}
	compare_daemon_keys(dsrd, fresh);
	if (dsrd_take_over(dsrd, fresh) == -1) {
		log_error("reload result=failed reason=\"not enough memory for the new configuration: nothing was changed\"");
		selfcheck_reload(dsrd, "not enough memory for the new configuration");
		interfaces_settle(dsrd);
		conf_clear(fresh);
		return -1;
	}
	keep(dsrd, fresh);
	return 0;
}

static void
read_and_apply(struct dsrd *dsrd, struct errlist *errors)
{
	char text[LOG_TEXT];
	struct conf fresh;

	if (reload_read(dsrd, &fresh, errors) == 0) {
		(void)reload_apply(dsrd, &fresh);
		return;
	}
	for (size_t i = 0; i < errlist_count(errors); i++)
		log_error("reload error=\"%s\"", log_escape(errlist_text(errors, i), text));
	log_error("reload result=failed reason=\"the configuration has errors: nothing was changed\"");
	selfcheck_reload(dsrd, errlist_count(errors) > 0 ? errlist_text(errors, 0) : "the configuration cannot be read");
}

void
reload_by_signal(struct dsrd *dsrd)
{
	struct errlist *errors = errlist_new();

	notify_reloading(dsrd->notify);
	if (errors != NULL)
		read_and_apply(dsrd, errors);
	else
		selfcheck_reload(dsrd, "out of memory");
	errlist_free(errors);
	notify_ready(dsrd->notify);
}
