/* SPDX-License-Identifier: ISC */
/* `check = TYPE OPTION...`: the value with the largest grammar, and the only one with quotes. */
#include "config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/text.h"
#include "conf/keys.h"

#define STATUS_LEAST 100 /* RFC 9110 section 15 */
#define STATUS_MOST 599
#define DNS_NAME 253     /* RFC 1035 section 2.3.4, without the dots and lengths of the wire */
#define DNS_LABEL 63

#define IN(kind) (1U << (kind))
#define IN_ALL_BUT_SCRIPT (IN(CHECK_SCRIPT) - 1) /* CHECK_SCRIPT is the last */
#define IN_HTTP (IN(CHECK_HTTP) | IN(CHECK_HTTPS))

/* NAME, NAME=VALUE or NAME="VALUE". */
struct word {
	char *name;
	bool has_value;
	char *value; /* escapes resolved, a NUL behind it */
	size_t length;
};

/* The byte for the escape sequence at `*from`, after the backslash; -1 when there is no such escape. */
static int
read_escape(const char **from)
{
	const char c = *(*from)++;

	switch (c) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '\\':
	case '"':
		return c;
	case 'x':
		if (text_hex_digit((*from)[0]) < 0 || text_hex_digit((*from)[1]) < 0)
			return -1;
		*from += 2;
		return text_hex_digit((*from)[-2]) * 16 + text_hex_digit((*from)[-1]);
	default: /* a character, not an enum */
		return -1;
	}
}

/*
 * `text` starts after a quote. Its contents are unescaped in place. Returns what follows the closing quote, or NULL
 * after reporting an error.
 */
static char *
read_quoted(struct parse *parse, char *text, size_t *length)
{
	const char *from = text;
	char *to = text;

	while (*from != '"') {
		int byte = (unsigned char)*from;

		if (*from == '\0') {
			parse_error(parse, "the closing `\"` is missing (a blank and `;` or `#` begin a comment even "
			    "in quotes: "
			    "write \\x3b or \\x23)");
			return NULL;
		}
		from++;
		if (byte == '\\') {
			byte = read_escape(&from);
			if (byte < 0) {
				parse_error(parse, "unknown escape: valid in quotes are \\r \\n \\t \\\\ \\\" and "
				    "\\xNN, with two "
				    "hexadecimal digits");
				return NULL;
			}
		}
		*to++ = (char)byte;
	}
	from++;
	if (*from != '\0' && *from != ' ' && *from != '\t') {
		parse_error(parse, "a blank must follow the closing `\"`");
		return NULL;
	}
	*length = (size_t)(to - text);
	/* The quote itself made room. */
	*to = '\0';
	return text + (from - text);
}

/* Cuts the next word off `*rest`. False at the end, or after reporting an error. */
static bool
read_word(struct parse *parse, char **rest, struct word *word, bool *reported)
{
	char *at = *rest;
	char *end;

	*reported = false;
	memset(word, 0, sizeof(*word));
	at += strspn(at, " \t");
	if (*at == '\0')
		return false;
	word->name = word->value = at;
	if (*at != '"') {
		at += strcspn(at, "= \t\"");
		word->has_value = *at == '=';
		if (word->has_value) {
			*at++ = '\0';
			word->value = at;
		}
	}
	if (*at == '"' && (word->has_value || at == word->name)) {
		word->value = at + 1;
		end = read_quoted(parse, word->value, &word->length);
		*reported = end == NULL;
		if (*reported)
			return false;
	} else {
		end = at + strcspn(at, " \t");
		if (memchr(at, '"', (size_t)(end - at)) != NULL) {
			parse_error(parse, "a `\"` can only enclose a whole value: NAME=\"VALUE\"");
			*reported = true;
			return false;
		}
		word->length = (size_t)(end - word->value);
	}
	if (*end != '\0')
		*end++ = '\0';
	*rest = end;
	return true;
}

/* Visible ASCII only, and fits. */
static bool
key_check_set_text(char to[CHECK_TEXT], const struct word *word)
{
	if (word->length == 0 || word->length >= CHECK_TEXT)
		return false;
	for (size_t i = 0; i < word->length; i++)
		if (word->value[i] <= ' ' || word->value[i] > '~')
			return false;
	memcpy(to, word->value, word->length + 1);
	return true;
}

static bool
set_bytes(struct check_bytes *bytes, const struct word *word)
{
	if (word->length >= CHECK_TEXT)
		return false;
	bytes->given = true;
	bytes->length = (uint8_t)word->length;
	memcpy(bytes->bytes, word->value, word->length);
	return true;
}

static bool
set_port(struct check_settings *check, const struct word *word)
{
	uint64_t port;

	if (text_number(word->value, 1, PORT_MOST, &port) != 0)
		return false;
	check->port = (uint16_t)port;
	return true;
}

static bool
set_verify(struct check_settings *check, const struct word *word)
{
	bool verify;

	if (text_bool(word->value, &verify) != 0)
		return false;
	check->no_verify = !verify;
	return true;
}

/* "200", "200-399" */
static bool
read_status(char *text, struct check_status *status)
{
	char *dash = strchr(text, '-');
	uint64_t first, last;

	if (dash != NULL)
		*dash = '\0';
	if (text_number(text, STATUS_LEAST, STATUS_MOST, &first) != 0)
		return false;
	last = first;
	if (dash != NULL && text_number(dash + 1, first, STATUS_MOST, &last) != 0)
		return false;
	*status = (struct check_status) { (uint16_t)first, (uint16_t)last };
	return true;
}

static bool
set_statuses(struct check_settings *check, const struct word *word)
{
	char copy[CHECK_TEXT];
	char *next;

	if (!key_check_set_text(copy, word))
		return false;
	for (char *at = copy; at != NULL; at = next) {
		next = strchr(at, ',');
		if (next != NULL)
			*next++ = '\0';
		if (check->status_count == CHECK_STATUSES || !read_status(at, &check->statuses[check->status_count]))
			return false;
		check->status_count++;
	}
	return true;
}

static bool
find_number(const struct number_name *names, const char *name, uint16_t *number)
{
	while (names->name != NULL && strcmp(names->name, name) != 0)
		names++;
	*number = names->number;
	return names->name != NULL;
}

static bool
key_check_set_name(struct check_settings *check, const struct word *word)
{
	const char *label = word->value;

	if (word->length > DNS_NAME || !key_check_set_text(check->name, word))
		return false;
	if (strcmp(label, ".") == 0)
		return true;
	while (*label != '\0') {
		const size_t length = strcspn(label, ".");

		if (length == 0 || length > DNS_LABEL)
			return false;
		label += length;
		label += *label == '.';
	}
	return true;
}

static bool
set_type(struct check_settings *check, const struct word *word)
{
	return find_number(check_dns_types, word->value, &check->type);
}

static bool
set_answer(struct check_settings *check, const struct word *word)
{
	uint16_t rcode = 0;

	if (addr_parse(word->value, &check->answer) != 0 && !find_number(check_dns_rcodes, word->value, &rcode))
		return false;
	check->rcode = (uint8_t)rcode;
	return true;
}

/* They are known to be the service's once the whole of it has been read. */
static bool
set_servers(struct check_settings *check, const struct word *word)
{
	return key_check_set_text(check->servers, word) && key_is_name_list(check->servers);
}

struct option {
	const char *name;
	unsigned kinds;
	const char *takes;
	bool (*set)(struct check_settings *check, const struct word *word); /* else `member` is set: */
	bool bytes;    /* a struct check_bytes, else a text of CHECK_TEXT */
	bool empty;    /* which may be empty */
	bool absolute; /* which is a path */
	size_t member;
};

#define BYTES(name) .bytes = true, .member = offsetof(struct check_settings, name)
#define TEXT(name) .member = offsetof(struct check_settings, name)

/* The order is that of `dsrd -T`. */
static const struct option options[] = {
	{ "port", IN(CHECK_TCP) | IN_HTTP | IN(CHECK_DNS) | IN(CHECK_UDP), "a number from 1 to 65535",
	    .set = set_port },
	{ "send", IN(CHECK_TCP) | IN(CHECK_UDP), "text in quotes, such as \"PING\\r\\n\"", BYTES(send) },
	{ "expect", IN(CHECK_TCP) | IN(CHECK_UDP), "text in quotes, such as \"+PONG\"", BYTES(expect), .empty = true },
	{ "path", IN_HTTP, "a path that starts with `/`", TEXT(path), .absolute = true },
	{ "host", IN_HTTP, "a host's name, as in the Host field", TEXT(host) },
	{ "expect", IN_HTTP, "up to 8 statuses and ranges from 100 to 599, such as 200-299,401", .set = set_statuses },
	{ "body", IN_HTTP, "text in quotes", BYTES(expect) },
	{ "sni", IN(CHECK_HTTPS), "a host's name", TEXT(sni) },
	{ "verify", IN(CHECK_HTTPS), "yes or no", .set = set_verify },
	{ "ca", IN(CHECK_HTTPS), "an absolute path to a file of certificates (PEM)", TEXT(ca), .absolute = true },
	{ "name", IN(CHECK_DNS), "a DNS name, such as example.org", .set = key_check_set_name },
	{ "type", IN(CHECK_DNS), "a, aaaa, cname, mx, ns, ptr, soa, srv or txt", .set = set_type },
	{ "expect", IN(CHECK_DNS), "noerror, nxdomain, refused, servfail or an address", .set = set_answer },
	{ "servers", IN_ALL_BUT_SCRIPT, "names of servers of the service, such as web1,web9", .set = set_servers },
};

static bool
key_check_set_option(const struct option *option, struct check_settings *check, const struct word *word)
{
	char *member = (char *)check + option->member;

	/* Bytes may hold zeroes, other values may not. */
	if (!word->has_value || (!option->bytes && strlen(word->value) != word->length))
		return false;
	if (option->set != NULL)
		return option->set(check, word);
	if (option->bytes)
		return (word->length > 0 || option->empty) && set_bytes((struct check_bytes *)(void *)member, word);
	return (!option->absolute || word->value[0] == '/') && key_check_set_text(member, word);
}

static enum set_result
key_check_report_unknown(struct parse *parse, const struct check_settings *check, const char *name)
{
	const char *names[ARRAY_LEN(options) + 1];
	const char *nearest;
	char list[KEY_TEXT] = "";
	size_t count = 0, length = 0;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if ((options[i].kinds & IN(check->kind)) != 0)
			names[count++] = options[i].name;
	names[count] = NULL;
	nearest = text_nearest(name, names);
	for (size_t i = 0; i < count && length < sizeof(list); i++)
		length += (size_t)snprintf(list + length, sizeof(list) - length, " %s", names[i]);
	if (nearest != NULL)
		return parse_refuse(parse, "`check = %s` has no option `%s`, did you mean `%s`?",
		    check_kind_name(check->kind), name,
		    nearest);
	return parse_refuse(parse, "`check = %s` has no option `%s`; it has:%s", check_kind_name(check->kind), name,
	    list);
}

static enum set_result
key_check_take_option(struct parse *parse, struct check_settings *check, const struct word *word,
    bool given[ARRAY_LEN(options)])
{
	size_t i = 0;

	while (i < ARRAY_LEN(options) &&
	    ((options[i].kinds & IN(check->kind)) == 0 || strcmp(options[i].name, word->name) != 0))
		i++;
	if (i == ARRAY_LEN(options))
		return key_check_report_unknown(parse, check, word->name);
	if (given[i])
		return parse_refuse(parse, "`%s` is given twice in this check", word->name);
	given[i] = true;
	if (key_check_set_option(&options[i], check, word))
		return SET_OK;
	return parse_refuse(parse, "`%s` of a check takes %s: write %s=VALUE", options[i].name, options[i].takes,
	    options[i].name);
}

static enum set_result
read_script(struct parse *parse, struct check_settings *check, char *rest)
{
	struct word word;
	size_t length = 0;
	bool reported;

	while (read_word(parse, &rest, &word, &reported)) {
		if (check->command_words == 0 && word.has_value && strcmp(word.name, "servers") == 0) {
			if (set_servers(check, &word))
				continue;
			return parse_refuse(parse, "`servers` of a check takes names of servers of the service: write "
			    "servers=web1,web9");
		}
		/* An argument may be NAME=VALUE: put together again what was cut. */
		if (word.has_value && word.value != word.name + strlen(word.name) + 1)
			return parse_refuse(parse, "quote the whole of an argument with blanks: \"%s=...\"", word.name);
		if (word.has_value) {
			word.length += (size_t)(word.value - word.name);
			word.value[-1] = '=';
			word.value = word.name;
		}
		if (strlen(word.value) != word.length || length + word.length >= CHECK_TEXT)
			return parse_refuse(parse, "an argument of a program cannot contain \\x00");
		memcpy(check->command + length, word.value, word.length + 1);
		length += word.length + 1;
		check->command_words++;
	}
	if (reported)
		return SET_REPORTED;
	if (check->command[0] != '/')
		return parse_refuse(parse, "`check = script` takes the absolute path of a program and its arguments; "
		    "it does not use a shell");
	return SET_OK;
}

static enum set_result
key_check_judge(struct parse *parse, struct check_settings *check)
{
	if (check->kind == CHECK_UDP && !check->send.given)
		return parse_refuse(parse, "`check = udp` requires send=\"...\"");
	if (check->kind == CHECK_DNS && check->name[0] == '\0')
		return parse_refuse(parse, "`check = dns` requires a name to query: write `check = dns "
		    "name=example.org`");
	if (check->kind == CHECK_DNS && addr_is_set(&check->answer) &&
	    check->type != (check->answer.family == ADDR_IPV4 ? DNS_A : DNS_AAAA))
		return parse_refuse(parse, "type=a requires an IPv4 address as the answer, type=aaaa an IPv6 address");
	if (check->no_verify && check->ca[0] != '\0')
		return parse_refuse(parse, "`ca` has no use where `verify=no`");
	if (check->kind == CHECK_HTTPS && !HAVE_TLS)
		return parse_refuse(parse, "this dsrd was built without OpenSSL, so `check = https` is not available: "
		    "write `check = tcp`, or build "
		    "it --with-openssl");
	return SET_OK;
}

static enum set_result
add_check(struct parse *parse, struct draft *draft, const struct check_settings *check)
{
	struct service_settings *service = &draft->service;
	struct check_settings *checks;

	for (size_t i = 0; i < service->check_count; i++) {
		if (check_compare(&service->checks[i], check) == 0 && service->checks[i].port == check->port &&
		    strcmp(service->checks[i].servers, check->servers) == 0)
			return parse_refuse(parse, "the same check is given twice");
	}
	checks = parse_grow(service->checks, service->check_count, sizeof(*checks));
	if (checks == NULL) {
		parse_out_of_memory(parse);
		return SET_REPORTED;
	}
	service->checks = checks;
	checks[service->check_count++] = *check;
	return SET_OK;
}

static bool
find_kind(const char *name, enum check_kind *kind)
{
	for (unsigned i = 0; i < CHECK_KINDS; i++) {
		*kind = (enum check_kind)i;
		if (strcmp(check_kind_name(*kind), name) == 0)
			return true;
	}
	return false;
}

static enum set_result
refuse_kind(struct parse *parse, const char *kind)
{
	const char *names[CHECK_KINDS + 2] = { NULL };
	const char *nearest;

	for (unsigned i = 0; i < CHECK_KINDS; i++)
		names[i] = check_kind_name((enum check_kind)i);
	names[CHECK_KINDS] = "none";
	nearest = text_nearest(kind, names);
	if (nearest == NULL)
		return SET_REFUSED;
	return parse_refuse(parse, "unknown check `%s`, did you mean `%s`?", kind, nearest);
}

static enum set_result
set_none(struct parse *parse, struct draft *draft, char *rest)
{
	if (text_next_word(&rest) != NULL)
		return SET_REFUSED;
	if (draft->service.check_count == 0 && !draft->unchecked) {
		draft->unchecked = true;
		return SET_OK;
	}
	return parse_refuse(parse, "`check = none` cannot be combined with other checks");
}

enum set_result
key_set_check(struct parse *parse, struct draft *draft, char *value)
{
	struct check_settings check = { .type = 0 };
	bool given[ARRAY_LEN(options)] = { false };
	const char *kind = text_next_word(&value);
	enum set_result result = SET_OK;
	struct word word;
	bool reported = false;

	if (kind == NULL)
		return SET_REFUSED;
	if (strcmp(kind, "none") == 0)
		return set_none(parse, draft, value);
	if (!find_kind(kind, &check.kind))
		return refuse_kind(parse, kind);
	if (draft->unchecked)
		return parse_refuse(parse, "`check = none` cannot be combined with other checks");
	if (check.kind == CHECK_DNS)
		check.type = DNS_A;
	if (check.kind == CHECK_SCRIPT)
		result = read_script(parse, &check, value);
	while (check.kind != CHECK_SCRIPT && result == SET_OK && read_word(parse, &value, &word, &reported))
		result = key_check_take_option(parse, &check, &word, given);
	if (result == SET_OK && !reported)
		result = key_check_judge(parse, &check);
	if (reported || result != SET_OK)
		return SET_REPORTED;
	return add_check(parse, draft, &check);
}

/* One text in quotes. */
enum set_result
key_set_vip_payload(struct parse *parse, struct draft *draft, char *value)
{
	struct word word;
	bool reported;

	if (*value != '"')
		return SET_REFUSED;
	if (!read_word(parse, &value, &word, &reported))
		return reported ? SET_REPORTED : SET_REFUSED;
	if (*value != '\0' || word.length == 0 || !set_bytes(&draft->service.vip_payload, &word))
		return SET_REFUSED;
	return SET_OK;
}

bool
key_print_vip_payload(const struct conf *conf, const struct service_settings *service, size_t index,
    char text[KEY_TEXT])
{
	(void)conf;
	text[0] = '\0';
	check_append_quoted(text, service->vip_payload.bytes, service->vip_payload.length);
	return index == 0 && service->vip_payload.given;
}
