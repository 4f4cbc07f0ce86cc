/* SPDX-License-Identifier: ISC */
/* HTTPS against a TLS server of the test's own, with a certificate made for it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "bench.h"
#include "suites.h"

#define PATH_TEXT 200

static char directory[32];

static void
file_path(char path[PATH_TEXT], const char *name)
{
	(void)snprintf(path, PATH_TEXT, "%s/%s", directory, name);
}

/* For www.example.org and for 127.0.0.1. */
static void
make_certificate(void)
{
	char command[800];

	(void)snprintf(directory, sizeof(directory), "/tmp/dsrd-tls.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem "
	    "-out "
	    "cert.pem -days 2 -subj /CN=test -addext 'subjectAltName=DNS:www.example.org,IP:127.0.0.1' 2>/dev/null",
	    directory);
	ck_assert_int_eq(system(command), 0);
}

static void
remove_certificate(void)
{
	char path[PATH_TEXT];

	file_path(path, "key.pem");
	(void)unlink(path);
	file_path(path, "cert.pem");
	(void)unlink(path);
	(void)rmdir(directory);
}

/* One request over TLS; the response is `context`, or with NULL the name that was asked for. */
static void
serve_tls(int fd, const void *context)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	char path[PATH_TEXT], bytes[2048];
	const char *name;
	SSL *ssl;

	file_path(path, "cert.pem");
	(void)SSL_CTX_use_certificate_file(server, path, SSL_FILETYPE_PEM);
	file_path(path, "key.pem");
	(void)SSL_CTX_use_PrivateKey_file(server, path, SSL_FILETYPE_PEM);
	ssl = SSL_new(server);
	(void)SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && SSL_read(ssl, bytes, sizeof(bytes)) > 0) {
		name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
		(void)snprintf(bytes, sizeof(bytes), "HTTP/1.1 200 OK\r\n\r\nname=%s.", name == NULL ? "none" : name);
		if (context != NULL)
			(void)snprintf(bytes, sizeof(bytes), "%s", (const char *)context);
		(void)SSL_write(ssl, bytes, (int)strlen(bytes));
	}
	/* Closed without a word of TLS, as many do. */
	SSL_free(ssl);
	SSL_CTX_free(server);
}

static void
serve_plain(int fd, const void *context)
{
	char bytes[2048];

	(void)!recv(fd, bytes, sizeof(bytes), 0);
	(void)!send(fd, context, strlen(context), MSG_NOSIGNAL);
}

static void
ask_with(struct bench *bench, void (*serve)(int fd, const void *context), const char *text)
{
	const int listener = bench_socket(SOCK_STREAM, &bench->target.port);
	const pid_t pid = bench_serve(listener, 1, serve, text);

	bench->target.timeout.tv_sec = 4;
	bench_run(bench);
	bench_unserve(pid);
	(void)close(listener);
}

static void
begin(struct bench *bench)
{
	bench_begin(bench, CHECK_HTTPS);
	file_path(bench->target.check.ca, "cert.pem");
}

START_TEST(test_verified)
{
	struct bench bench;

	begin(&bench);
	/* By address, for which no name is sent. */
	bench_bytes(&bench.target.check.expect, "name=none.");
	ask_with(&bench, serve_tls, NULL);
	ck_assert_str_eq(bench.detail, "");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	/* By the name in `host`, also with a port; and `sni` above it. */
	bench_bytes(&bench.target.check.expect, "name=www.example.org.");
	memcpy(bench.target.check.host, "www.example.org:8443", 21);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	memcpy(bench.target.check.host, "else.example.org", 17);
	memcpy(bench.target.check.sni, "www.example.org", 16);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	ask_with(&bench, serve_tls, "HTTP/1.1 500 Oops\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_STATUS);
	bench_end(&bench);
}
END_TEST

START_TEST(test_wrong_name)
{
	struct bench bench;

	begin(&bench);
	memcpy(bench.target.check.host, "shop.example.org", 17);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(bench.detail, "mismatch"));
	bench.target.check.ca[0] = '\0';
	bench.target.check.no_verify = true;
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	bench_end(&bench);
}
END_TEST

/* The file of the authority is replaced: the first check that is more than a second later goes by the new one. */
START_TEST(test_replaced_authority)
{
	struct bench bench;
	char command[800], ca[PATH_TEXT];

	begin(&bench);
	file_path(ca, "other.pem");
	(void)snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key "
	    "-out "
	    "other.pem -days 2 -subj /CN=other 2>/dev/null && rm other.key", directory);
	ck_assert_int_eq(system(command), 0);
	memcpy(bench.target.check.ca, ca, strlen(ca) + 1);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_CERTIFICATE);
	(void)snprintf(command, sizeof(command), "cd %s && cp cert.pem new.pem && mv new.pem other.pem", directory);
	ck_assert_int_eq(system(command), 0);
	(void)poll(NULL, 0, 1100);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	(void)unlink(ca);
	bench_end(&bench);
}
END_TEST

/*
 * A pipe stands for a file system that does not answer: no check waits longer than its time, and no server is blamed.
 */
START_TEST(test_a_file_system_that_does_not_answer)
{
	struct bench bench;
	char command[800], ca[PATH_TEXT];

	begin(&bench);
	file_path(ca, "stalled.pem");
	ck_assert_int_eq(mkfifo(ca, 0600), 0);
	memcpy(bench.target.check.ca, ca, strlen(ca) + 1);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_LOCAL);
	ck_assert_ptr_nonnull(strstr(bench.detail, "stalled.pem: its file system does not answer"));
	bench_end(&bench);
	/* What was read before stays in use. */
	begin(&bench);
	(void)snprintf(command, sizeof(command), "cd %s && cp cert.pem known.pem", directory);
	ck_assert_int_eq(system(command), 0);
	file_path(bench.target.check.ca, "known.pem");
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	(void)snprintf(command, sizeof(command), "cd %s && mv stalled.pem known.pem", directory);
	ck_assert_int_eq(system(command), 0);
	(void)poll(NULL, 0, 1100);
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_NONE);
	(void)unlink(bench.target.check.ca);
	bench_end(&bench);
}
END_TEST

START_TEST(test_unknown_authority)
{
	struct bench bench;

	begin(&bench);
	bench.target.check.ca[0] = '\0';
	ask_with(&bench, serve_tls, NULL);
	ck_assert_int_eq(bench.reason, HEALTH_REASON_CERTIFICATE);
	bench_end(&bench);
}
END_TEST

START_TEST(test_no_tls)
{
	struct bench bench;

	begin(&bench);
	ask_with(&bench, serve_plain, "HTTP/1.1 400 Bad Request\r\n\r\n");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_TLS);
	ck_assert_str_ne(bench.detail, "");
	memcpy(bench.target.check.ca, "/nowhere/ca.pem", 16);
	ask_with(&bench, serve_plain, "");
	ck_assert_int_eq(bench.reason, HEALTH_REASON_LOCAL);
	ck_assert_ptr_nonnull(strstr(bench.detail, "/nowhere/ca.pem"));
	bench_end(&bench);
}
END_TEST

static TCase *
https_tests(const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, make_certificate, remove_certificate);
	tcase_add_test(tcase, test_verified);
	tcase_add_test(tcase, test_wrong_name);
	tcase_add_test(tcase, test_unknown_authority);
	tcase_add_test(tcase, test_replaced_authority);
	tcase_add_test(tcase, test_a_file_system_that_does_not_answer);
	tcase_add_test(tcase, test_no_tls);
	return tcase;
}

Suite *
https_suite(void)
{
	Suite *suite = suite_create("https");
	TCase *checker = https_tests("in the checker");

	suite_add_tcase(suite, https_tests("here"));
	tcase_add_unchecked_fixture(checker, bench_use_checker, bench_use_none);
	suite_add_tcase(suite, checker);
	return suite;
}
