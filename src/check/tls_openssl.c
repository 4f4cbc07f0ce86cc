/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "check/tls.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/addr.h"

/* Reading the system's certificates takes milliseconds and megabytes, so contexts are shared. */
struct context {
	struct context *next;
	SSL_CTX *ssl;
	bool verify;
	struct stat file; /* of the system's certificates when they were read; all zero without them */
	uint64_t version; /* of the file `ca`: struct authority */
	char ca[];
};

struct tls_contexts {
	struct context *first;
	struct authorities *authorities;
};

struct tls_contexts *
tls_contexts_new(struct children *children)
{
	struct tls_contexts *contexts = calloc(1, sizeof(*contexts));

	if (contexts == NULL)
		return NULL;
	contexts->authorities = authorities_new(children);
	if (contexts->authorities != NULL)
		return contexts;
	free(contexts);
	return NULL;
}

static void
tls_context_free(struct context *context)
{
	SSL_CTX_free(context->ssl);
	free(context);
}

void
tls_contexts_free(struct tls_contexts *contexts)
{
	if (contexts == NULL)
		return;
	while (contexts->first != NULL) {
		struct context *next = contexts->first->next;

		tls_context_free(contexts->first);
		contexts->first = next;
	}
	authorities_free(contexts->authorities);
	free(contexts);
}

/* OpenSSL's text for its latest error; clears its queue. */
static void
tls_read_error(const char *what, char error[TLS_ERROR])
{
	const unsigned long number = ERR_peek_last_error();
	const char *reason = ERR_reason_error_string(number);

	(void)snprintf(error, TLS_ERROR, "%s: %s", what, reason == NULL ? "no reason given" : reason);
	ERR_clear_error();
}

/* Identifies the system's file of trusted certificates as it is now. Zero: not accessible, or not used. */
static struct stat
tls_look_at_system(const struct tls_demand *demand)
{
	struct stat file;

	if (!demand->verify || demand->ca[0] != '\0' || stat(X509_get_default_cert_file(), &file) == -1)
		memset(&file, 0, sizeof(file));
	return file;
}

/*
 * Also when another file was moved to its place. What cannot be seen any more, as after a change of root, stays as it
 * was.
 */
static bool
tls_has_changed(const struct tls_contexts *contexts, const struct context *context, const struct tls_demand *demand)
{
	const struct stat now = tls_look_at_system(demand);

	if (demand->verify && demand->ca[0] != '\0')
		return authority_find(contexts->authorities, demand->ca).version != context->version;
	return now.st_ino != 0 && (now.st_ino != context->file.st_ino || now.st_dev != context->file.st_dev ||
	    now.st_size != context->file.st_size || now.st_mtim.tv_sec != context->file.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != context->file.st_mtim.tv_nsec);
}

/* The certificates and revocation lists of a PEM file. 0, or -1: there is no certificate, or OpenSSL has an error. */
static int
tls_trust_file(X509_STORE *store, const struct authority *authority)
{
	BIO *bio = authority->length <= INT_MAX ? BIO_new_mem_buf(authority->bytes, (int)authority->length) : NULL;
	STACK_OF(X509_INFO) *found = bio != NULL ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
	int certificates = 0, failures = 0;

	for (int i = 0; i < sk_X509_INFO_num(found); i++) {
		const X509_INFO *info = sk_X509_INFO_value(found, i);

		if (info->x509 != NULL) {
			certificates++;
			failures += X509_STORE_add_cert(store, info->x509) != 1;
		}
		if (info->crl != NULL)
			failures += X509_STORE_add_crl(store, info->crl) != 1;
	}
	sk_X509_INFO_pop_free(found, X509_INFO_free);
	BIO_free(bio);
	return certificates > 0 && failures == 0 ? 0 : -1;
}

/* 0, or -1 with a reason. */
static int
tls_trust(const struct tls_contexts *contexts, struct context *context, const struct tls_demand *demand,
    char error[TLS_ERROR])
{
	struct authority authority;

	if (!demand->verify)
		return 0;
	if (demand->ca[0] == '\0') {
		if (SSL_CTX_set_default_verify_paths(context->ssl) == 1)
			return 0;
		tls_read_error("the system's certificates cannot be read", error);
		return -1;
	}
	authority = authority_find(contexts->authorities, demand->ca);
	if (authority.bytes == NULL) {
		(void)snprintf(error, TLS_ERROR, "%s", authority.reason);
		return -1;
	}
	context->version = authority.version;
	if (tls_trust_file(SSL_CTX_get_cert_store(context->ssl), &authority) == 0)
		return 0;
	tls_read_error(demand->ca, error);
	return -1;
}

static struct context *
tls_context_new(const struct tls_contexts *contexts, const struct tls_demand *demand, char error[TLS_ERROR])
{
	struct context *context = calloc(1, sizeof(*context) + strlen(demand->ca) + 1);

	if (context != NULL)
		context->ssl = SSL_CTX_new(TLS_client_method());
	if (context == NULL || context->ssl == NULL) {
		free(context);
		(void)snprintf(error, TLS_ERROR, "out of memory");
		return NULL;
	}
	context->verify = demand->verify;
	context->file = tls_look_at_system(demand);
	memcpy(context->ca, demand->ca, strlen(demand->ca) + 1);
	SSL_CTX_set_verify(context->ssl, demand->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (tls_trust(contexts, context, demand, error) == 0)
		return context;
	tls_context_free(context);
	return NULL;
}

static struct context *
tls_find_context(struct tls_contexts *contexts, const struct tls_demand *demand, char error[TLS_ERROR])
{
	struct context **link = &contexts->first, *context;

	while (*link != NULL && ((*link)->verify != demand->verify || strcmp((*link)->ca, demand->ca) != 0))
		link = &(*link)->next;
	if (*link != NULL && !tls_has_changed(contexts, *link, demand))
		return *link;
	/* Checks that go on have their own hold on the old one. */
	context = tls_context_new(contexts, demand, error);
	if (context == NULL)
		return NULL;
	if (*link != NULL) {
		context->next = (*link)->next;
		tls_context_free(*link);
	}
	*link = context;
	return context;
}

/* Sets the server name to send and to verify. False on an OpenSSL error. */
static bool
tls_set_name(SSL *ssl, const struct tls_demand *demand)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct addr addr;

	if (addr_parse(demand->name, &addr) == 0) /* RFC 6066 section 3: no addresses there */
		return X509_VERIFY_PARAM_set1_ip_asc(param, demand->name) == 1;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* What SSL_set_tlsext_host_name() does; that macro casts const away in our own line. */
	return X509_VERIFY_PARAM_set1_host(param, demand->name, 0) == 1 &&
	    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
	    (void *)(uintptr_t)demand->name) == 1;
}

struct authority
tls_authority(const struct tls_contexts *contexts, const char *ca)
{
	return authority_find(contexts->authorities, ca);
}

int
tls_set_authority(struct tls_contexts *contexts, const char *ca, uint64_t version, const char *bytes, size_t length)
{
	return authority_set(contexts->authorities, ca, version, bytes, length);
}

/* Where the system has them differs; what does not exist is left out by the sandbox. */
size_t
tls_system_paths(const char *paths[TLS_PATHS_MOST])
{
	static const char *const usual[] = { "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies",
	    "/usr/lib/ssl", "/usr/share", "/usr/local/share", "/usr/local/etc/ssl", "/var/lib/ca-certificates" };
	size_t count = 0;

	for (; count < ARRAY_LEN(usual); count++)
		paths[count] = usual[count];
	paths[count++] = X509_get_default_cert_area();
	paths[count++] = X509_get_default_cert_dir();
	paths[count++] = X509_get_default_cert_file();
	return count;
}

void
tls_forget(struct authority_waiter *waiter)
{
	authority_forget(waiter);
}

bool
tls_await(struct tls_contexts *contexts, const struct tls_demand *demand, struct authority_waiter *waiter)
{
	return demand->verify && demand->ca[0] != '\0' && authority_await(contexts->authorities, demand->ca, waiter);
}

struct bufferevent *
tls_open(struct tls_contexts *contexts, struct event_base *base, int fd, const struct tls_demand *demand,
    char error[TLS_ERROR])
{
	struct context *context = tls_find_context(contexts, demand, error);
	struct bufferevent *stream;
	SSL *ssl;

	if (context == NULL)
		return NULL;
	ssl = SSL_new(context->ssl);
	if (ssl == NULL || !tls_set_name(ssl, demand)) {
		tls_read_error("the check's name", error);
		SSL_free(ssl);
		return NULL;
	}
	/* It frees `ssl`, also when it fails. */
	stream = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (stream == NULL) {
		(void)snprintf(error, TLS_ERROR, "out of memory");
		return NULL;
	}
	/* Many servers close without a TLS close_notify; whether the response is complete, HTTP can tell. */
	bufferevent_openssl_set_allow_dirty_shutdown(stream, 1);
	return stream;
}

enum health_reason
tls_blame(struct bufferevent *stream, char error[TLS_ERROR])
{
	const SSL *ssl = bufferevent_openssl_get_ssl(stream);
	const long verified = SSL_get_verify_result(ssl);
	const unsigned long number = bufferevent_get_openssl_error(stream);
	const char *reason;

	if (verified != X509_V_OK && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0) {
		(void)snprintf(error, TLS_ERROR, "%s", X509_verify_cert_error_string(verified));
		return HEALTH_REASON_CERTIFICATE;
	}
	if (number == 0)
		return HEALTH_REASON_NONE;
	reason = ERR_reason_error_string(number);
	(void)snprintf(error, TLS_ERROR, "%s", reason == NULL ? "no reason given" : reason);
	return HEALTH_REASON_TLS;
}
