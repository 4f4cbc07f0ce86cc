/* SPDX-License-Identifier: ISC */
/* `quic-lb`, and the servers' `quic-id`: how they are read and written, and what is wrong about them together. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/keys.h"

/* "0:2": configuration 0 has server IDs of 2 bytes. */
static bool
quic_read_config(char *word, uint8_t lengths[QUIC_CONFIGS])
{
	char *colon = strchr(word, ':');
	uint64_t config, length;

	if (colon == NULL)
		return false;
	*colon = '\0';
	if (text_number(word, 0, QUIC_CONFIGS - 1, &config) != 0 ||
	    text_number(colon + 1, 1, QUIC_ID_MOST, &length) != 0 || lengths[config] != 0)
		return false;
	lengths[config] = (uint8_t)length;
	return true;
}

enum set_result
key_set_quic_lb(struct parse *parse, struct draft *draft, char *value)
{
	uint8_t lengths[QUIC_CONFIGS] = { 0 };
	char *word = text_next_word(&value);

	(void)parse;
	if (word == NULL)
		return SET_REFUSED;
	if (strcmp(word, "off") == 0) {
		if (text_next_word(&value) != NULL)
			return SET_REFUSED;
	} else {
		for (; word != NULL; word = text_next_word(&value))
			if (!quic_read_config(word, lengths))
				return SET_REFUSED;
	}
	memcpy(draft->service.quic_lengths, lengths, sizeof(lengths));
	return SET_OK;
}

bool
key_print_quic_lb(const struct conf *conf, const struct service_settings *service, size_t index, char text[KEY_TEXT])
{
	size_t length = 0;

	(void)conf;
	(void)snprintf(text, KEY_TEXT, "off");
	for (unsigned i = 0; i < QUIC_CONFIGS; i++)
		if (service->quic_lengths[i] != 0)
			length += (size_t)snprintf(text + length, KEY_TEXT - length, "%s%u:%u", length > 0 ? " " : "", i,
			    service->quic_lengths[i]);
	return index == 0;
}

static int
quic_digit(char character)
{
	static const char digits[] = "0123456789abcdef";
	const char lower = character >= 'A' && character <= 'F' ? (char)(character - 'A' + 'a') : character;
	const char *found = lower != '\0' ? strchr(digits, lower) : NULL;

	return found != NULL ? (int)(found - digits) : -1;
}

static bool
quic_read_id(const char *text, size_t length, struct quic_id *id)
{
	if (length == 0 || length % 2 != 0 || length / 2 > QUIC_ID_MOST)
		return false;
	id->length = (uint8_t)(length / 2);
	for (size_t i = 0; i < id->length; i++) {
		const int high = quic_digit(text[2 * i]), low = quic_digit(text[2 * i + 1]);

		if (high == -1 || low == -1)
			return false;
		id->bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

enum set_result
key_set_quic_ids(struct parse *parse, struct server_settings *server, const char *value)
{
	for (const char *text = value;;) {
		const size_t length = strcspn(text, ",");
		struct quic_id id = { 0 };

		if (!quic_read_id(text, length, &id) || server->quic_id_count == QUIC_IDS)
			return parse_refuse(parse, "`quic-id` cannot be `%s`: it is the server's ID in hexadecimal, of "
			    "1 to %d bytes, such as 0a01, or up to %d of them with commas between", value,
			    QUIC_ID_MOST, QUIC_IDS);
		server->quic_ids[server->quic_id_count++] = id;
		if (text[length] == '\0')
			return SET_OK;
		text += length + 1;
	}
}

void
key_print_quic_id(const struct quic_id *id, char text[QUIC_ID_TEXT])
{
	text[0] = '\0';
	for (size_t i = 0; i < id->length; i++)
		(void)snprintf(text + 2 * i, QUIC_ID_TEXT - 2 * i, "%02x", id->bytes[i]);
}

void
key_print_quic_ids(const struct server_settings *server, char text[QUIC_IDS_TEXT])
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < server->quic_id_count; i++) {
		char id[QUIC_ID_TEXT];

		key_print_quic_id(&server->quic_ids[i], id);
		length += (size_t)snprintf(text + length, QUIC_IDS_TEXT - length, "%s%s", i == 0 ? " quic-id=" : ",",
		    id);
	}
}

static bool
quic_has_length(const uint8_t lengths[QUIC_CONFIGS], uint8_t length)
{
	for (unsigned i = 0; i < QUIC_CONFIGS; i++)
		if (lengths[i] == length)
			return true;
	return false;
}

/* Another one of the service's servers, or this one itself, before this ID, has it too. */
static const char *
quic_owner(const struct service_settings *service, size_t server, size_t index)
{
	const struct quic_id *id = &service->servers[server].quic_ids[index];

	for (size_t i = 0; i <= server; i++) {
		const size_t count = i == server ? index : service->servers[i].quic_id_count;

		for (size_t j = 0; j < count; j++) {
			const struct quic_id *other = &service->servers[i].quic_ids[j];

			if (other->length == id->length && memcmp(other->bytes, id->bytes, id->length) == 0)
				return service->servers[i].name;
		}
	}
	return NULL;
}

static void
quic_check_id(struct parse *parse, const struct draft *draft, size_t server, size_t index)
{
	const struct service_settings *service = &draft->service;
	const struct place *place = &draft->server_places[server];
	const struct quic_id *id = &service->servers[server].quic_ids[index];
	const char *owner = quic_owner(service, server, index);
	char text[QUIC_ID_TEXT];

	key_print_quic_id(id, text);
	if (owner != NULL)
		parse_error_at(parse, place, "server `%s` has quic-id=%s, which server `%s` has already: each needs its own",
		    service->servers[server].name, text, owner);
	if (!quic_has_length(service->quic_lengths, id->length))
		parse_error_at(parse, place, "server `%s` has quic-id=%s, but no configuration of `quic-lb` has IDs of length "
		    "%u: write `quic-lb = N:%u`, with the number N that the server puts into its connection IDs",
		    service->servers[server].name, text, id->length, id->length);
}

static bool
quic_serves_udp(const struct service_settings *service)
{
	for (size_t i = 0; i < service->listen_count; i++)
		if (service->listens[i].protocol == PROTOCOL_UDP)
			return true;
	return false;
}

void
parse_check_quic(struct parse *parse, const struct draft *draft)
{
	const struct service_settings *service = &draft->service;
	const bool has_udp = draft->broken[KEY_LISTEN] || quic_serves_udp(service);

	if (draft->broken[KEY_QUIC_LB] || draft->broken[KEY_SERVER])
		return;
	for (size_t i = 0; i < service->server_count; i++) {
		for (size_t j = 0; j < service->servers[i].quic_id_count; j++)
			quic_check_id(parse, draft, i, j);
		if (service->servers[i].quic_id_count > 0 && !has_udp)
			parse_error_at(parse, &draft->server_places[i], "`quic-id` has no effect: service `%s` has no UDP "
			    "port, which QUIC uses: add udp/443 to `listen`", service->name);
	}
}
