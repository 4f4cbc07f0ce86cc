/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "asking.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>
#include <event2/event.h>

#include "check/children.h"
#include "check/tls.h"

static const struct check_type *
kind_of(enum check_kind kind)
{
	static const struct check_type *const kinds[CHECK_KINDS] = {
		[CHECK_TCP] = &check_tcp,
		[CHECK_HTTP] = &check_http,
		[CHECK_HTTPS] = &check_http,
		[CHECK_ICMP] = &check_icmp,
		[CHECK_DNS] = &check_dns,
		[CHECK_UDP] = &check_udp,
		[CHECK_SCRIPT] = &check_script,
	};

	return kinds[kind];
}

static void
on_answer(void *argument, const struct check_report *report)
{
	struct asking *asking = argument;

	asking->answers++;
	asking->reason = report->reason;
	asking->weight = report->weight;
	(void)snprintf(asking->detail, sizeof(asking->detail), "%s", report->detail == NULL ? "" : report->detail);
	(void)event_base_loopbreak(asking->target.base);
}

void
asking_begin(struct asking *asking, enum check_kind kind)
{
	memset(asking, 0, sizeof(*asking));
	ck_assert_int_eq(addr_parse("127.0.0.1", &asking->target.addr), 0);
	asking->target.timeout.tv_sec = 1;
	asking->target.check.kind = kind;
	asking->target.base = event_base_new();
	ck_assert_ptr_nonnull(asking->target.base);
	asking->target.children = children_new(asking->target.base, NULL);
	asking->target.tls = tls_contexts_new();
	ck_assert(asking->target.children != NULL && asking->target.tls != NULL);
	asking->target.answer = on_answer;
	asking->target.question = asking;
}

void
asking_wait(struct asking *asking, unsigned milliseconds)
{
	const struct timeval most = { milliseconds / 1000, (suseconds_t)(milliseconds % 1000) * 1000 };

	(void)event_base_loopexit(asking->target.base, &most);
	(void)event_base_dispatch(asking->target.base);
}

void *
asking_asker(struct asking *asking)
{
	void *asker = kind_of(asking->target.check.kind)->create(&asking->target);

	ck_assert_ptr_nonnull(asker);
	return asker;
}

void
asking_ask_with(struct asking *asking, void *asker)
{
	asking->answers = 0;
	kind_of(asking->target.check.kind)->begin(asker);
	if (asking->answers == 0)
		asking_wait(asking, 5000);
	ck_assert_uint_eq(asking->answers, 1);
}

void
asking_drop(struct asking *asking, void *asker)
{
	kind_of(asking->target.check.kind)->destroy(asker);
}

void
asking_ask(struct asking *asking)
{
	void *asker = asking_asker(asking);

	asking_ask_with(asking, asker);
	asking_drop(asking, asker);
}

void
asking_give_up(struct asking *asking, unsigned milliseconds)
{
	const struct check_type *kind = kind_of(asking->target.check.kind);
	void *asker = kind->create(&asking->target);

	ck_assert_ptr_nonnull(asker);
	asking->answers = 0;
	kind->begin(asker);
	asking_wait(asking, milliseconds);
	kind->destroy(asker);
	asking_wait(asking, milliseconds);
	ck_assert_uint_eq(asking->answers, 0);
}

void
asking_end(struct asking *asking)
{
	tls_contexts_free(asking->target.tls);
	children_free(asking->target.children);
	event_base_free(asking->target.base);
}

void
asking_bytes(struct check_bytes *bytes, const char *text)
{
	ck_assert_uint_lt(strlen(text), CHECK_TEXT);
	bytes->given = true;
	bytes->length = (uint8_t)strlen(text);
	memcpy(bytes->bytes, text, bytes->length);
}

int
asking_socket(int type, uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(sa);
	const int fd = socket(AF_INET, type, 0);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(fd, 8), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

pid_t
asking_serve(int listener, unsigned count, void (*serve)(int fd, const void *context), const void *context)
{
	const pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid != 0)
		return pid;
	for (; count > 0; count--) {
		const int fd = accept(listener, NULL, NULL);

		serve(fd, context);
		(void)close(fd);
	}
	_exit(0);
}

void
asking_unserve(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
