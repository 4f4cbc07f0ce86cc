/* SPDX-License-Identifier: ISC */
/* A check in the syntax of the file, as key_check.c reads it. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "conf/keys.h"

/* RFC 1035 section 3.2.2, RFC 3596, RFC 2782 */
const struct number_name check_dns_types[] = { { "a", 1 }, { "aaaa", 28 }, { "cname", 5 }, { "mx", 15 }, { "ns", 2 },
	{ "ptr", 12 }, { "soa", 6 }, { "srv", 33 }, { "txt", 16 }, { NULL, 0 } };
/* RFC 1035 section 4.1.1 */
const struct number_name check_dns_rcodes[] = { { "noerror", 0 }, { "servfail", 2 }, { "nxdomain", 3 },
	{ "refused", 5 }, { NULL, 0 } };

static const char *
find_name(const struct number_name *names, uint16_t number)
{
	while (names->name != NULL && names->number != number)
		names++;
	return names->name;
}

static void key_check_print_append(char text[KEY_TEXT], const char *format, ...) PRINTF_LIKE(2, 3);

static void
key_check_print_append(char text[KEY_TEXT], const char *format, ...)
{
	const size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + length, KEY_TEXT - length, format, args);
	va_end(args);
}

void
check_append_quoted(char text[KEY_TEXT], const uint8_t *bytes, size_t length)
{
	key_check_print_append(text, "\"");
	for (size_t i = 0; i < length; i++) {
		const bool comment = (bytes[i] == ';' || bytes[i] == '#') && i > 0 &&
		    (bytes[i - 1] == ' ' || bytes[i - 1] == '\t');

		if (bytes[i] == '"' || bytes[i] == '\\')
			key_check_print_append(text, "\\%c", bytes[i]);
		else if (bytes[i] == '\r')
			key_check_print_append(text, "\\r");
		else if (bytes[i] == '\n')
			key_check_print_append(text, "\\n");
		else if (bytes[i] == '\t')
			key_check_print_append(text, "\\t");
		else if (bytes[i] < ' ' || bytes[i] == 0x7f || comment)
			key_check_print_append(text, "\\x%02x", bytes[i]);
		else
			key_check_print_append(text, "%c", bytes[i]);
	}
	key_check_print_append(text, "\"");
}

static void
append_bytes(char text[KEY_TEXT], const char *name, const struct check_bytes *bytes)
{
	if (!bytes->given)
		return;
	key_check_print_append(text, " %s=", name);
	check_append_quoted(text, bytes->bytes, bytes->length);
}

static void
append_text(char text[KEY_TEXT], const char *name, const char *value)
{
	if (*value == '\0')
		return;
	key_check_print_append(text, " %s=", name);
	if (strchr(value, '"') != NULL)
		check_append_quoted(text, (const uint8_t *)value, strlen(value));
	else
		key_check_print_append(text, "%s", value);
}

static void
append_command(char text[KEY_TEXT], const struct check_settings *check)
{
	const char *word = check->command;

	for (unsigned i = 0; i < check->command_words; i++, word += strlen(word) + 1) {
		bool plain = *word != '\0' && *word != ';' && *word != '#';

		for (const char *at = word; *at != '\0'; at++)
			plain = plain && *at != '"' && (unsigned char)*at > ' ' && *at != 0x7f;
		key_check_print_append(text, " ");
		if (plain)
			key_check_print_append(text, "%s", word);
		else
			check_append_quoted(text, (const uint8_t *)word, strlen(word));
	}
}

static void
append_statuses(char text[KEY_TEXT], const struct check_settings *check)
{
	for (unsigned i = 0; i < check->status_count; i++) {
		const struct check_status *status = &check->statuses[i];

		key_check_print_append(text, i == 0 ? " expect=%u" : ",%u", status->first);
		if (status->last != status->first)
			key_check_print_append(text, "-%u", status->last);
	}
}

static void
append_dns(char text[KEY_TEXT], const struct check_settings *check)
{
	char addr[ADDR_TEXT];

	append_text(text, "name", check->name);
	if (check->type != DNS_A)
		key_check_print_append(text, " type=%s", find_name(check_dns_types, check->type));
	if (addr_is_set(&check->answer))
		key_check_print_append(text, " expect=%s", addr_format(&check->answer, addr));
	else if (check->rcode != 0)
		key_check_print_append(text, " expect=%s", find_name(check_dns_rcodes, check->rcode));
}

bool
key_print_check(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	const struct check_settings *check;
	bool http;

	(void)conf;
	(void)snprintf(text, KEY_TEXT, "none");
	if (service->check_count == 0)
		return index == 0;
	if (index >= service->check_count)
		return false;
	check = &service->checks[index];
	http = check->kind == CHECK_HTTP || check->kind == CHECK_HTTPS;
	(void)snprintf(text, KEY_TEXT, "%s", check_kind_name(check->kind));
	if (check->port != 0)
		key_check_print_append(text, " port=%u", check->port);
	append_bytes(text, "send", &check->send);
	append_text(text, "path", check->path);
	append_text(text, "host", check->host);
	append_statuses(text, check);
	append_bytes(text, http ? "body" : "expect", &check->expect);
	append_text(text, "sni", check->sni);
	if (check->no_verify)
		key_check_print_append(text, " verify=no");
	append_text(text, "ca", check->ca);
	if (check->kind == CHECK_DNS)
		append_dns(text, check);
	append_text(text, "servers", check->servers);
	append_command(text, check);
	return true;
}
