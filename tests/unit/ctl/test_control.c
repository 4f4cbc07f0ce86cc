/* SPDX-License-Identifier: ISC */
/* The control socket under good and bad clients: the loop goes on whatever they do. */
#include "config.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/attr.h"
#include "ctl/control.h"
#include "http/server.h"
#include "suites.h"

#define LITTLE_PATIENCE 500 /* milliseconds */

static char directory[] = "/tmp/dsrd-control.XXXXXX", path[100];
static struct event_base *base;
static struct control *control;
static unsigned answers, gone_count, waits;
static bool busy_for_ever;
static size_t answer_size;
static unsigned frames, answers_since, most_since; /* of frames_have_their_turn */
static const void *streamer; /* who was told that a stream follows */

static enum control_result
answer(void *context, const struct control_ask *ask, FILE *out)
{
	ck_assert_ptr_eq(context, &answers);
	if (busy_for_ever || (ask->request->command == COMMAND_DOCTOR && waits < 3 && !ask->last)) {
		waits++;
		return CONTROL_WAIT;
	}
	answers++;
	if (++answers_since > most_since)
		most_since = answers_since;
	if (ask->request->command == COMMAND_TRACE) {
		streamer = ask->client;
		return CONTROL_STREAM;
	}
	for (size_t i = 0; i < answer_size; i++)
		fputc('x', out);
	fprintf(out, "answer %d\n", ask->request->command);
	return ask->request->command == COMMAND_DOCTOR ? CONTROL_WRONG : CONTROL_DONE;
}

static void
gone(void *context, const void *client)
{
	ck_assert_ptr_eq(context, &answers);
	ck_assert_ptr_nonnull(client);
	gone_count++;
}

/* The next client is of this user; 0 is root. */
static uint32_t user_id;

static bool
peer(void *context, int fd, uint32_t *user)
{
	ck_assert_ptr_eq(context, &answers);
	ck_assert_int_ge(fd, 0);
	*user = user_id;
	return user_id == 0;
}

static const struct control_calls calls = { answer, gone, peer };

static struct control *
open_control(char error[CONTROL_ERROR])
{
	return control_open(base, path, "", CONTROL_PATIENCE, &calls, &answers, error);
}

static void
setup(void)
{
	char error[CONTROL_ERROR] = "";

	/* As dsrd does: a client that leaves is an error of write(). */
	(void)signal(SIGPIPE, SIG_IGN);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/sock", directory);
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	control = open_control(error);
	ck_assert_msg(control != NULL, "%s", error);
	answers = gone_count = waits = 0;
	streamer = NULL;
	busy_for_ever = false;
	answer_size = 0;
}

static void
teardown(void)
{
	control_close(control);
	event_base_free(base);
	unlink(path);
	ck_assert_int_eq(rmdir(directory), 0);
}

/* From now on clients have LITTLE_PATIENCE, so that a test can wait for its end. */
static void
reopen_with_little_patience(void)
{
	char error[CONTROL_ERROR] = "";

	control_close(control);
	control = control_open(base, path, "", LITTLE_PATIENCE, &calls, &answers, error);
	ck_assert_msg(control != NULL, "%s", error);
}

static void
turn(unsigned milliseconds)
{
	const struct timeval time = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	event_base_loopexit(base, &time);
	event_base_dispatch(base);
}

static int
client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_ne(fd, -1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void
say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What there is now; "" also when the other end has closed. */
static const char *
hear(int fd)
{
	static char text[8192];
	ssize_t got = recv(fd, text, sizeof(text) - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	return text;
}

static bool
is_closed(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK);

	return got == 0 || (got == -1 && errno == ECONNRESET);
}

START_TEST(answers_and_closes)
{
	int fd = client();
	const char *text;

	say(fd, "GET /ver");
	turn(20);
	say(fd, "sion HTTP/1.1\r\nHost: x\r\n\r\n");
	turn(20);
	text = hear(fd);
	ck_assert_int_eq(strncmp(text, "HTTP/1.1 200 OK\r\n", 17), 0);
	ck_assert_ptr_nonnull(strstr(text, "Content-Type: application/json"));
	ck_assert_ptr_nonnull(strstr(text, "Dsrd-Result: ok"));
	ck_assert_ptr_nonnull(strstr(text, "\r\n\r\nanswer "));
	ck_assert(is_closed(fd));
	ck_assert_uint_eq(answers, 1);
	ck_assert_uint_eq(gone_count, 0);
	close(fd);
}
END_TEST

START_TEST(is_private)
{
	struct stat status;

	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISSOCK(status.st_mode));
	ck_assert_uint_eq(status.st_mode & 0777, 0600);
}
END_TEST

START_TEST(waits_for_what_takes_time)
{
	int fd = client();

	say(fd, "GET /doctor HTTP/1.1\r\n\r\n");
	turn(150);
	ck_assert_str_eq(hear(fd), "");
	turn(400);
	ck_assert_ptr_nonnull(strstr(hear(fd), "Dsrd-Result: wrong"));
	ck_assert_uint_eq(waits, 3);
	close(fd);
}
END_TEST

START_TEST(tells_when_the_asker_left)
{
	int fd = client();

	busy_for_ever = true;
	say(fd, "GET /doctor HTTP/1.1\r\n\r\n");
	turn(50);
	close(fd);
	turn(50);
	ck_assert_uint_eq(gone_count, 1);
	turn(200);
	ck_assert_uint_eq(gone_count, 1);
}
END_TEST

static void
on_frame(evutil_socket_t fd UNUSED, short what UNUSED, void *arg UNUSED)
{
	frames++;
	answers_since = 0;
}

/* However many ask at once: between two answers the loop looks whether there are frames. */
START_TEST(frames_have_their_turn)
{
	int fds[CONTROL_CONNECTIONS], ends[2];
	struct event *event;

	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++) {
		fds[i] = client();
		say(fds[i], "GET /show HTTP/1.1\r\n\r\n");
	}
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	frames = most_since = 0;
	event = event_new(base, ends[0], EV_READ | EV_PERSIST, on_frame, NULL);
	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(event_add(event, NULL), 0);
	for (unsigned i = 0; i < 100 && answers < CONTROL_CONNECTIONS; i++)
		turn(20);
	ck_assert_uint_eq(answers, CONTROL_CONNECTIONS);
	/* A turn of kqueue(2) in which a filter was deleted may return nothing else. */
	ck_assert_uint_le(most_since, 2);
	ck_assert_uint_ge(frames, CONTROL_CONNECTIONS);
	event_free(event);
	close(ends[0]);
	close(ends[1]);
	for (size_t i = 0; i < CONTROL_CONNECTIONS; i++) {
		ck_assert_ptr_nonnull(strstr(hear(fds[i]), "answer "));
		close(fds[i]);
	}
}
END_TEST

START_TEST(refuses_garbage)
{
	int fd = client();

	say(fd, "\x16\x03\x01 not http\r\n\r\n");
	turn(20);
	ck_assert_int_eq(strncmp(hear(fd), "HTTP/1.1 400 ", 13), 0);
	close(fd);
	ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(refuses_greed)
{
	int fd = client();
	char piece[1024];

	memset(piece, 'a', sizeof(piece));
	/* Far more than is ever read: the rest stays in the kernel, and the sender is the one who waits. */
	for (unsigned i = 0; i < 64; i++) {
		if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) == -1)
			break;
		turn(1);
	}
	turn(20);
	ck_assert_uint_eq(answers, 0);
	ck_assert(is_closed(fd) || strncmp(hear(fd), "HTTP/1.1 413 ", 13) == 0);
	close(fd);
}
END_TEST

/* The client that has been silent longest gives its place up, and all of the silent are dropped in the end. */
START_TEST(serves_others_beside_the_stuck)
{
	int stuck[CONTROL_CONNECTIONS], fd;

	reopen_with_little_patience();
	for (unsigned i = 0; i < CONTROL_CONNECTIONS; i++) {
		stuck[i] = client();
		say(stuck[i], i % 2 == 0 ? "GET /sh" : "\r");
		turn(1);
	}
	turn(5);
	ck_assert(!is_closed(stuck[0]));
	fd = client();
	say(fd, "GET /version HTTP/1.1\r\n\r\n");
	turn(20);
	ck_assert_int_eq(strncmp(hear(fd), "HTTP/1.1 200 OK\r\n", 17), 0);
	close(fd);
	ck_assert(is_closed(stuck[0]));
	ck_assert(!is_closed(stuck[1]));
	turn(LITTLE_PATIENCE + 200);
	for (unsigned i = 0; i < CONTROL_CONNECTIONS; i++) {
		ck_assert(is_closed(stuck[i]));
		close(stuck[i]);
	}
}
END_TEST

/* However many places other users take and use, root gets in, and so does the next user. */
START_TEST(places_are_shared_fairly)
{
	int fds[CONTROL_CONNECTIONS + 1], fd;

	busy_for_ever = true;
	for (unsigned i = 0; i < CONTROL_CONNECTIONS + 1; i++) {
		user_id = i < CONTROL_SHARE + 1 ? 1000 : 1001;
		fds[i] = client();
		say(fds[i], "GET /doctor HTTP/1.1\r\n\r\n");
		turn(5);
	}
	/* One more than its share, and one more than all that is not reserved, is refused and told why. */
	ck_assert_int_eq(strncmp(hear(fds[CONTROL_SHARE]), "HTTP/1.1 503 ", 13), 0);
	ck_assert(is_closed(fds[CONTROL_SHARE]));
	ck_assert_str_eq(hear(fds[CONTROL_SHARE - 1]), "");
	ck_assert_int_eq(strncmp(hear(fds[CONTROL_CONNECTIONS]), "HTTP/1.1 503 ", 13), 0);
	user_id = 0;
	busy_for_ever = false;
	fd = client();
	say(fd, "GET /version HTTP/1.1\r\n\r\n");
	turn(20);
	ck_assert_int_eq(strncmp(hear(fd), "HTTP/1.1 200 OK\r\n", 17), 0);
	close(fd);
	for (unsigned i = 0; i < CONTROL_CONNECTIONS + 1; i++)
		close(fds[i]);
	turn(20);
}
END_TEST

START_TEST(drops_who_does_not_read)
{
	int fd;

	reopen_with_little_patience();
	fd = client();
	answer_size = 4 << 20;
	say(fd, "GET /version HTTP/1.1\r\n\r\n");
	turn(100);
	ck_assert_uint_eq(answers, 1);
	ck_assert(!is_closed(fd));
	turn(LITTLE_PATIENCE + 200);
	while (*hear(fd) != '\0')
		continue;
	ck_assert(is_closed(fd));
	close(fd);
}
END_TEST

START_TEST(streams_until_the_client_leaves)
{
	int fd = client();
	const char *text;

	say(fd, "GET /trace HTTP/1.1\r\n\r\n");
	turn(20);
	text = hear(fd);
	ck_assert_msg(strncmp(text, "HTTP/1.1 200 OK\r\n", 17) == 0, "%s", text);
	ck_assert_ptr_null(strstr(text, "Content-Length"));
	ck_assert(control_stream(control, streamer, "one", 3));
	ck_assert(control_stream(control, streamer, "two", 3));
	turn(20);
	ck_assert_str_eq(hear(fd), "onetwo");
	ck_assert_uint_eq(gone_count, 0);
	close(fd);
	turn(20);
	ck_assert_uint_eq(gone_count, 1);
	ck_assert(!control_stream(control, streamer, "three", 5));
}
END_TEST

/* Who does not read gets no more than fits; what is taken makes room again. */
START_TEST(a_stream_that_is_not_read_is_bounded)
{
	static char piece[10000];
	int fd = client();
	unsigned taken = 0, again = 0;

	say(fd, "GET /trace HTTP/1.1\r\n\r\n");
	turn(20);
	while (control_stream(control, streamer, piece, sizeof(piece)))
		ck_assert_uint_le(++taken, HTTP_STREAM_MOST / sizeof(piece));
	ck_assert_uint_ge(taken, HTTP_STREAM_MOST / sizeof(piece) - 1);
	for (unsigned i = 0; i < 200; i++) {
		turn(1);
		(void)hear(fd);
	}
	while (again < 10 && control_stream(control, streamer, piece, sizeof(piece)))
		again++;
	ck_assert_uint_eq(again, 10);
	close(fd);
	turn(20);
	ck_assert_uint_eq(gone_count, 1);
}
END_TEST

START_TEST(a_second_one_is_refused)
{
	char error[CONTROL_ERROR] = "";

	ck_assert_ptr_null(open_control(error));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(error, "another dsrd answers on"));
	turn(20);
}
END_TEST

START_TEST(a_stale_socket_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char error[CONTROL_ERROR] = "";
	struct stat status;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	control_close(control);
	ck_assert_int_eq(lstat(path, &status), -1);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd); /* nobody listens, the name stays: as after a crash */
	control = open_control(error);
	ck_assert_msg(control != NULL, "%s", error);
}
END_TEST

START_TEST(no_other_file_is_removed)
{
	char error[CONTROL_ERROR] = "";
	FILE *file;

	control_close(control);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	control = open_control(error);
	ck_assert_ptr_null(control);
	ck_assert_ptr_nonnull(strstr(error, "is not a socket"));
	ck_assert_int_eq(access(path, F_OK), 0);
}
END_TEST

START_TEST(errors_name_the_remedy)
{
	char error[CONTROL_ERROR] = "", longest[200];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	ck_assert_ptr_null(control_open(base, longest, "", CONTROL_PATIENCE, &calls, &answers, error));
	ck_assert_ptr_nonnull(strstr(error, "too long for a socket"));
	ck_assert_ptr_null(control_open(base, "/nonexistent/dir/sock", "", CONTROL_PATIENCE, &calls, &answers, error));
	ck_assert_ptr_nonnull(strstr(error, "is the directory there?"));
	control_close(control);
	control = control_open(base, path, "no-such-group", CONTROL_PATIENCE, &calls, &answers, error);
	ck_assert_ptr_null(control);
	ck_assert_ptr_nonnull(strstr(error, "group `no-such-group`"));
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

Suite *
control_suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("control");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, answers_and_closes);
	tcase_add_test(tcase, is_private);
	tcase_add_test(tcase, waits_for_what_takes_time);
	tcase_add_test(tcase, tells_when_the_asker_left);
	tcase_add_test(tcase, frames_have_their_turn);
	tcase_add_test(tcase, refuses_garbage);
	tcase_add_test(tcase, refuses_greed);
	tcase_add_test(tcase, serves_others_beside_the_stuck);
	tcase_add_test(tcase, places_are_shared_fairly);
	tcase_add_test(tcase, drops_who_does_not_read);
	tcase_add_test(tcase, streams_until_the_client_leaves);
	tcase_add_test(tcase, a_stream_that_is_not_read_is_bounded);
	tcase_add_test(tcase, a_second_one_is_refused);
	tcase_add_test(tcase, a_stale_socket_is_replaced);
	tcase_add_test(tcase, no_other_file_is_removed);
	tcase_add_test(tcase, errors_name_the_remedy);
	suite_add_tcase(suite, tcase);
	return suite;
}
