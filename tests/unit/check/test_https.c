/* SPDX-License-Identifier: ISC */
/* HTTPS against a TLS server of the test's own, with a certificate made for it. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "asking.h"
#include "suites.h"

#define PATH_TEXT 200

static char directory[] = "/tmp/dsrd-tls.XXXXXX";

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

	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out "
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
ask_with(struct asking *asking, void (*serve)(int fd, const void *context), const char *text)
{
	const int listener = asking_socket(SOCK_STREAM, &asking->target.port);
	const pid_t pid = asking_serve(listener, 1, serve, text);

	asking->target.timeout.tv_sec = 4;
	asking_ask(asking);
	asking_unserve(pid);
	(void)close(listener);
}

static void
begin(struct asking *asking)
{
	asking_begin(asking, CHECK_HTTPS);
	file_path(asking->target.check.ca, "cert.pem");
}

START_TEST(test_verified)
{
	struct asking asking;

	begin(&asking);
	/* By address, for which no name is sent. */
	asking_bytes(&asking.target.check.expect, "name=none.");
	ask_with(&asking, serve_tls, NULL);
	ck_assert_str_eq(asking.detail, "");
	ck_assert_int_eq(asking.reason, HEALTH_REASON_NONE);
	/* By the name in `host`, also with a port; and `sni` above it. */
	asking_bytes(&asking.target.check.expect, "name=www.example.org.");
	memcpy(asking.target.check.host, "www.example.org:8443", 21);
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_NONE);
	memcpy(asking.target.check.host, "else.example.org", 17);
	memcpy(asking.target.check.sni, "www.example.org", 16);
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_NONE);
	ask_with(&asking, serve_tls, "HTTP/1.1 500 Oops\r\n\r\n");
	ck_assert_int_eq(asking.reason, HEALTH_REASON_STATUS);
	asking_end(&asking);
}
END_TEST

START_TEST(test_wrong_name)
{
	struct asking asking;

	begin(&asking);
	memcpy(asking.target.check.host, "shop.example.org", 17);
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(asking.detail, "mismatch"));
	asking.target.check.ca[0] = '\0';
	asking.target.check.no_verify = true;
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_NONE);
	asking_end(&asking);
}
END_TEST

/* The file of the authority is replaced: the next check goes by the new one. */
START_TEST(test_replaced_authority)
{
	struct asking asking;
	char command[800], ca[PATH_TEXT];

	begin(&asking);
	file_path(ca, "other.pem");
	(void)snprintf(command, sizeof(command), "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out "
	    "other.pem -days 2 -subj /CN=other 2>/dev/null && rm other.key", directory);
	ck_assert_int_eq(system(command), 0);
	memcpy(asking.target.check.ca, ca, strlen(ca) + 1);
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_CERTIFICATE);
	(void)snprintf(command, sizeof(command), "cd %s && cp cert.pem new.pem && mv new.pem other.pem", directory);
	ck_assert_int_eq(system(command), 0);
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_NONE);
	(void)unlink(ca);
	asking_end(&asking);
}
END_TEST

START_TEST(test_unknown_authority)
{
	struct asking asking;

	begin(&asking);
	asking.target.check.ca[0] = '\0';
	ask_with(&asking, serve_tls, NULL);
	ck_assert_int_eq(asking.reason, HEALTH_REASON_CERTIFICATE);
	asking_end(&asking);
}
END_TEST

START_TEST(test_no_tls)
{
	struct asking asking;

	begin(&asking);
	ask_with(&asking, serve_plain, "HTTP/1.1 400 Bad Request\r\n\r\n");
	ck_assert_int_eq(asking.reason, HEALTH_REASON_TLS);
	ck_assert_str_ne(asking.detail, "");
	memcpy(asking.target.check.ca, "/nowhere/ca.pem", 16);
	ask_with(&asking, serve_plain, "");
	ck_assert_int_eq(asking.reason, HEALTH_REASON_LOCAL);
	ck_assert_ptr_nonnull(strstr(asking.detail, "/nowhere/ca.pem"));
	asking_end(&asking);
}
END_TEST

Suite *
https_suite(void)
{
	Suite *suite = suite_create("https");
	TCase *tcase = tcase_create("https");

	tcase_set_timeout(tcase, 60);
	tcase_add_unchecked_fixture(tcase, make_certificate, remove_certificate);
	tcase_add_test(tcase, test_verified);
	tcase_add_test(tcase, test_wrong_name);
	tcase_add_test(tcase, test_unknown_authority);
	tcase_add_test(tcase, test_replaced_authority);
	tcase_add_test(tcase, test_no_tls);
	suite_add_tcase(suite, tcase);
	return suite;
}
