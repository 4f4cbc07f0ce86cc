/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "conf/conf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "suites.h"
#include "tool.h"

#define HEAD "[dsrd]\ninterface = eth0\n"
#define WEB "[service web]\nlisten = 192.0.2.10 tcp/80\n"
#define MAIL "[service mail]\nlisten = 192.0.2.20 tcp/25\nserver = mx 192.0.2.30\n"

static void
tell(void *context, const struct conf_change *change)
{
	fprintf(context, "%s%s %s %s: %s -> %s\n", change->at_start ? "later " : "", conf_change_name(change->kind),
	    change->service == NULL ? "dsrd" : change->service, change->key == NULL ? "*" : change->key,
	    change->before == NULL ? "-" : change->before, change->after == NULL ? "-" : change->after);
}

static void
check_changes(const char *before, const char *after, const char *expected)
{
	struct conf old = must_read(before), fresh = must_read(after);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	ck_assert_ptr_nonnull(out);
	ck_assert_int_eq(conf_compare(&old, &fresh, tell, out), 0);
	fclose(out);
	ck_assert_str_eq(text, expected);
	free(text);
	conf_clear(&old);
	conf_clear(&fresh);
}

static const struct row {
	const char *before;
	const char *after;
	const char *expected;
} rows[] = {
	{ HEAD WEB "server = a 192.0.2.11\n" MAIL, HEAD WEB "server = a 192.0.2.11\n" MAIL, "" },
	/* Order is no change, nor is a default that is written out. */
	{ HEAD WEB "server = a 192.0.2.11\nserver = b 192.0.2.12\n" MAIL,
	    HEAD MAIL WEB "scheduler = wlc\nserver = b 192.0.2.12\nserver = a 192.0.2.11 weight=1\n", "" },
	{ HEAD WEB "server = a 192.0.2.11\n", HEAD WEB "scheduler = rr\nserver = a 192.0.2.11 weight=5\n",
	    "changed web scheduler: wlc -> rr\n"
	    "changed web server: a 192.0.2.11 weight=1 -> a 192.0.2.11 weight=5\n" },
	{ HEAD WEB "server = a 192.0.2.1\nserver = b 192.0.2.12\n",
	    HEAD WEB "server = a 192.0.2.11\nserver = c 192.0.2.13\n",
	    "removed web server: a 192.0.2.1 weight=1 -> -\n"
	    "added web server: - -> a 192.0.2.11 weight=1\n"
	    "removed web server: b 192.0.2.12 weight=1 -> -\n"
	    "added web server: - -> c 192.0.2.13 weight=1\n" },
	/* Behind another interface it is another server. */
	{ HEAD WEB "server = a 192.0.2.11 interface=eth1\n", HEAD WEB "server = a 192.0.2.11 interface=eth10\n",
	    "removed web server: a 192.0.2.11 weight=1 interface=eth1 -> -\n"
	    "added web server: - -> a 192.0.2.11 weight=1 interface=eth10\n" },
	{ HEAD WEB "server = a 192.0.2.11 interface=eth1\n", HEAD WEB "server = a 192.0.2.11 interface=eth1 backup\n",
	    "changed web server: a 192.0.2.11 weight=1 interface=eth1 -> a 192.0.2.11 weight=1 interface=eth1 backup\n"
	    },
	{ HEAD WEB "server = a 192.0.2.11\n", HEAD WEB "listen = 192.0.2.10 tcp/443\nserver = a 192.0.2.11\n",
	    "added web listen: - -> 192.0.2.10 tcp/443\n" },
	{ HEAD WEB "server = a 192.0.2.11\n", HEAD MAIL, "removed web *: - -> -\nadded mail *: - -> -\n" },
	{ HEAD WEB "server = a 192.0.2.11\n", HEAD "connections = 64k\nnotify = /bin/true\n" WEB
	    "server = a 192.0.2.11\n",
	    "later changed dsrd connections: 1000000 -> 65536\nadded dsrd notify: - -> /bin/true\n" },
};

START_TEST(test_changes)
{
	check_changes(rows[_i].before, rows[_i].after, rows[_i].expected);
}
END_TEST

Suite *
compare_suite(void)
{
	Suite *suite = suite_create("compare");
	TCase *tcase = tcase_create("compare");

	tcase_add_loop_test(tcase, test_changes, 0, ARRAY_LEN(rows));
	suite_add_tcase(suite, tcase);
	return suite;
}
