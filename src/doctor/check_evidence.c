/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "doctor/check_evidence.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

#define DNS_A 1
#define DNS_AAAA 28

/* A text that grows up to its room. */
struct words {
	char *text;
	size_t size;
	size_t used;
};

static void words_add(struct words *words, const char *format, ...) PRINTF_LIKE(2, 3);

static void
words_add(struct words *words, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(words->text + words->used, words->size - words->used, format, arguments);
	va_end(arguments);
	if (length > 0)
		words->used += (size_t)length < words->size - words->used ? (size_t)length :
		    words->size - words->used - 1;
}

/* As one word of a POSIX shell. */
static void
words_shell(struct words *words, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-[]";

	if (*word != '\0' && strspn(word, plain) == strlen(word) && strpbrk(word, "[]") == NULL) {
		words_add(words, "%s", word);
		return;
	}
	words_add(words, "'");
	for (; *word != '\0'; word++)
		words_add(words, *word == '\'' ? "'\\''" : "%c", *word);
	words_add(words, "'");
}

static bool
check_is_text(const struct check_bytes *bytes)
{
	for (size_t i = 0; i < bytes->length; i++)
		if (!isprint(bytes->bytes[i]) && bytes->bytes[i] != '\r' && bytes->bytes[i] != '\n')
			return false;
	return true;
}

/* Between double quotes, as dsrd.conf has it. */
static void
words_bytes(struct words *words, const struct check_bytes *bytes)
{
	if (!check_is_text(bytes)) {
		words_add(words, "%u bytes", bytes->length);
		return;
	}
	words_add(words, "\"");
	for (size_t i = 0; i < bytes->length; i++) {
		const uint8_t byte = bytes->bytes[i];

		if (byte == '\r' || byte == '\n')
			words_add(words, byte == '\r' ? "\\r" : "\\n");
		else
			words_add(words, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
	}
	words_add(words, "\"");
}

/* Octal is what every printf(1) understands. */
static void
words_printf(struct words *words, const struct check_bytes *bytes)
{
	words_add(words, "printf '");
	for (size_t i = 0; i < bytes->length; i++) {
		const uint8_t byte = bytes->bytes[i];

		if (byte == '%')
			words_add(words, "%%%%");
		else if (isprint(byte) && byte != '\'' && byte != '\\')
			words_add(words, "%c", byte);
		else
			words_add(words, "\\%03o", byte);
	}
	words_add(words, "' | ");
}

/* The content of the Host field, and the name in the certificate: see check/check_http.c. */
static void
words_url_host(struct words *words, const char *host, const char *addr, bool v6)
{
	if (*host != '\0')
		words_add(words, "%s", host);
	else
		words_add(words, v6 ? "[%s]" : "%s", addr);
}

static const char *
check_dns_type(uint16_t type, char text[16])
{
	snprintf(text, 16, type == DNS_A ? "A" : type == DNS_AAAA ? "AAAA" : "TYPE%u", type);
	return text;
}

const char *
check_sends(const struct server *server, size_t index, char text[CHECK_WORDS])
{
	const struct check_settings *check = server_check_settings(server, index);
	struct words words = { text, CHECK_WORDS, 0 };
	char addr[ADDR_TEXT], type[16];

	addr_format(&server->settings.addr, addr);
	text[0] = '\0';
	switch (check->kind) {
	case CHECK_TCP:
	case CHECK_UDP:
		if (check->send.given)
			words_bytes(&words, &check->send);
		else
			words_add(&words, check->kind == CHECK_TCP ? "a SYN" : "an empty datagram");
		break;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		words_add(&words, "GET %s, Host: ", check->path[0] == '\0' ? "/" : check->path);
		words_url_host(&words, check->host, addr, server->settings.addr.family == ADDR_IPV6);
		break;
	case CHECK_ICMP:
		words_add(&words, "an echo request");
		break;
	case CHECK_DNS:
		words_add(&words, "a question for %s %s", check->name, check_dns_type(check->type, type));
		break;
	case CHECK_SCRIPT:
		words_add(&words, "the script ran on the director");
		break;
	}
	return text;
}

static void
check_expects_http(struct words *words, const struct check_settings *check)
{
	words_add(words, check->status_count == 0 ? "status 200-399" : "status ");
	for (size_t i = 0; i < check->status_count; i++) {
		const struct check_status *status = &check->statuses[i];

		words_add(words, i == 0 ? "%u" : ",%u", status->first);
		if (status->last != status->first)
			words_add(words, "-%u", status->last);
	}
	if (check->expect.given) {
		words_add(words, " and ");
		words_bytes(words, &check->expect);
		words_add(words, " in the body");
	}
}

const char *
check_expects(const struct check_settings *check, char text[CHECK_WORDS])
{
	struct words words = { text, CHECK_WORDS, 0 };
	char addr[ADDR_TEXT];

	text[0] = '\0';
	switch (check->kind) {
	case CHECK_TCP:
	case CHECK_UDP:
		if (check->expect.given)
			words_bytes(&words, &check->expect);
		else
			words_add(&words, check->kind == CHECK_TCP ? "a connection" : "an answer");
		break;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		check_expects_http(&words, check);
		break;
	case CHECK_ICMP:
		words_add(&words, "an echo reply");
		break;
	case CHECK_DNS:
		words_add(&words, "rcode %u", check->rcode);
		if (addr_is_set(&check->answer))
			words_add(&words, " and the address %s", addr_format(&check->answer, addr));
		break;
	case CHECK_SCRIPT:
		words_add(&words, "exit status 0");
		break;
	}
	return text;
}

const char *
check_got(const struct server_check *check, char text[CHECK_WORDS])
{
	const char *reason = health_reason_text(check->health.reason);
	/* The detail says it all: "status 404", "exit status 1: no database". */
	const bool whole = check->health.reason == HEALTH_REASON_STATUS || check->health.reason == HEALTH_REASON_SCRIPT;

	if (check->got[0] == '\0')
		snprintf(text, CHECK_WORDS, "%s", reason);
	else if (whole)
		snprintf(text, CHECK_WORDS, "%s", check->got);
	else
		snprintf(text, CHECK_WORDS, "%s: %s", reason, check->got);
	return text;
}

static void
check_repeats_http(struct words *words, const struct check_settings *check, const char *addr, bool v6, uint16_t port,
    enum health_reason reason)
{
	const bool tls = check->kind == CHECK_HTTPS;
	const char *path = check->path[0] == '\0' ? "/" : check->path, *name = check->sni[0] != '\0' ? check->sni :
	    check->host;
	char url[2 * CHECK_TEXT + 64], around[ADDR_TEXT + 2], bare[CHECK_TEXT], to[2 * CHECK_TEXT + 64],
	    host[CHECK_TEXT + 8];

	snprintf(around, sizeof(around), v6 ? "[%s]" : "%s", addr);
	/* A name may have a port of its own; the check goes to the service's. */
	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(name, ":"), name);
	words_add(words, "curl -v ");
	if (check->no_verify)
		words_add(words, "-k ");
	if (check->ca[0] != '\0') {
		words_add(words, "--cacert ");
		words_shell(words, check->ca);
		words_add(words, " ");
	}
	if (tls && bare[0] != '\0') {
		snprintf(to, sizeof(to), "%s:%u:%s", bare, port, around);
		words_add(words, "--resolve ");
		words_shell(words, to);
		words_add(words, " ");
	}
	if (check->host[0] != '\0') {
		snprintf(host, sizeof(host), "Host: %s", check->host);
		words_add(words, "-H ");
		words_shell(words, host);
		words_add(words, " ");
	}
	snprintf(url, sizeof(url), "%s://%s", tls ? "https" : "http", tls && bare[0] != '\0' ? bare : around);
	if (port != (tls ? 443 : 80))
		snprintf(url + strlen(url), sizeof(url) - strlen(url), ":%u", port);
	snprintf(url + strlen(url), sizeof(url) - strlen(url), "%s", path);
	words_shell(words, url);
	if (tls && (reason == HEALTH_REASON_TLS || reason == HEALTH_REASON_CERTIFICATE)) {
		words_add(words, "\nopenssl s_client -connect ");
		snprintf(to, sizeof(to), "%s:%u", around, port);
		words_shell(words, to);
		if (bare[0] != '\0') {
			words_add(words, " -servername ");
			words_shell(words, bare);
		}
		words_add(words, " </dev/null");
	}
}

/* The environment that check/check_script.c passes to it. */
static void
check_repeats_script(struct words *words, const struct server *server, const struct check_settings *check,
    const char *addr)
{
	const struct service_settings *service = &server->service->settings;
	const char *word = check->command;

	words_add(words, "DSRD_SERVICE=%s DSRD_SERVER=%s DSRD_ADDRESS=%s", service->name, server->settings.name, addr);
	if (service->listen_count > 0) {
		char vip[ADDR_TEXT];

		words_add(words, " DSRD_PORT=%u DSRD_VIP=%s", service->listens[0].first,
		    addr_format(&service->listens[0].vip, vip));
	}
	for (unsigned i = 0; i < check->command_words; i++, word += strlen(word) + 1) {
		words_add(words, " ");
		words_shell(words, word);
	}
	words_add(words, "; echo $?");
}

const char *
check_repeats(const struct server *server, size_t index, char text[CHECK_COMMAND])
{
	const struct service_settings *service = &server->service->settings;
	const struct check_settings *check = server_check_settings(server, index);
	const uint16_t port = service_check_port(service, check);
	struct words words = { text, CHECK_COMMAND, 0 };
	char addr[ADDR_TEXT], type[16];

	addr_format(&server->settings.addr, addr);
	text[0] = '\0';
	switch (check->kind) {
	case CHECK_TCP:
	case CHECK_UDP:
		if (check->send.given)
			words_printf(&words, &check->send);
		if (check->kind == CHECK_UDP && !check->send.given)
			words_add(&words, "echo | ");
		words_add(&words, check->kind == CHECK_UDP ? "nc -u -w 3 %s %u" : check->send.given ||
		    check->expect.given ?
		    "nc -w 3 %s %u" : "nc -vz -w 3 %s %u", addr, port);
		break;
	case CHECK_HTTP:
	case CHECK_HTTPS:
		check_repeats_http(&words, check, addr, server->settings.addr.family == ADDR_IPV6, port,
		    server->checks[index].health.reason);
		break;
	case CHECK_ICMP:
		words_add(&words, "ping -c 3 %s", addr);
		break;
	case CHECK_DNS:
		words_add(&words, "dig @%s -p %u ", addr, port);
		words_shell(&words, check->name);
		words_add(&words, " %s", check_dns_type(check->type, type));
		break;
	case CHECK_SCRIPT:
		check_repeats_script(&words, server, check, addr);
		break;
	}
	return text;
}
