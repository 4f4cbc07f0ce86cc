/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/offline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/duration.h"
#include "daemon/director.h"
#include "io/io.h"
#include "proto/packet.h"

/* Frames read before the clock is looked at again; any number gives the same results. */
#define BURST 1024

struct offline {
	struct director director;
	struct receiver *in;
	struct sender *out; /* NULL without -w */
	uint64_t frames;
	uint64_t next_tick;
};

static void
write_frame(void *context, const struct frame *frame)
{
	struct offline *offline = context;

	if (offline->out != NULL)
		offline->out->ops->send(offline->out, frame);
}

/* Of a frame whose headers cannot be trusted, only the addresses are told. */
static void
print_flow(enum packet_status status, const struct packet *packet)
{
	const char *protocol = protocol_name(packet->protocol);
	char from[ADDR_TEXT], to[ADDR_TEXT];

	if (!addr_is_set(&packet->destination))
		return;
	addr_format(&packet->source, from);
	addr_format(&packet->destination, to);
	if (status == PACKET_OK && packet->has_ports && protocol != NULL && !packet->fragment &&
	    packet->source.family == ADDR_IPV6)
		printf(" protocol=%s from=[%s]:%u to=[%s]:%u", protocol, from, packet->source_port, to,
		    packet->destination_port);
	else if (status == PACKET_OK && packet->has_ports && protocol != NULL && !packet->fragment)
		printf(" protocol=%s from=%s:%u to=%s:%u", protocol, from, packet->source_port, to,
		    packet->destination_port);
	else if (status == PACKET_OK || status == PACKET_UNSUPPORTED)
		printf(" protocol=%u from=%s to=%s", packet->protocol, from, to);
	else
		printf(" from=%s to=%s", from, to);
}

static void
print_decision(uint64_t number, enum packet_status status, const struct packet *packet,
    const struct decision *decision)
{
	char name[SERVER_NAME_TEXT];

	printf("frame=%" PRIu64 " verdict=%s", number, verdict_name(decision->verdict));
	if (decision->verdict == VERDICT_DROP)
		printf(" reason=%s", drop_reason_name(decision->reason));
	print_flow(status, packet);
	if (decision->server != NULL)
		printf(" server=%s state=%s new=%s", server_name(decision->server->server, name),
		    conn_state_name(decision->state), decision->new_flow ? "yes" : "no");
	printf("\n");
}

/* The savefile's clock moves the timers too. Frames that went back in time move nothing. */
static void
advance(struct offline *offline, uint64_t now)
{
	if (now > offline->director.now)
		offline->director.now = now;
	if (offline->out != NULL)
		io_file_time(offline->out, offline->director.now);
	if (offline->director.now < offline->next_tick)
		return;
	director_tick(&offline->director, offline->director.now);
	offline->next_tick = offline->director.now + SECONDS(1);
}

static void
take_frame(void *context, struct frame *frame, uint64_t when)
{
	struct offline *offline = context;
	struct packet packet;
	enum packet_status status;
	struct decision decision;

	advance(offline, when);
	/* Forwarding rewrites the frame, so what it was is read before. */
	status = packet_parse(frame, &packet);
	decision = forward_frame(&offline->director.forwarder, frame, offline->director.now);
	print_decision(++offline->frames, status, &packet, &decision);
	director_refresh(&offline->director);
}

static void
print_counter(void *context, const char *name, const char *text, uint64_t value)
{
	(void)context;
	(void)name;
	if (value > 0)
		fprintf(stderr, "  %12" PRIu64 "  %s\n", value, text);
}

static void
print_summary(const struct offline *offline)
{
	const struct forward_stats *stats = &offline->director.forwarder.stats;
	const struct model *model = offline->director.model;
	char name[SERVER_NAME_TEXT];

	fprintf(stderr, "counters\n");
	forward_stats_each(stats, print_counter, NULL);
	fprintf(stderr, "dropped %" PRIu64 "\n", forward_stats_dropped(stats));
	for (enum drop_reason reason = 0; reason < DROP_REASON_COUNT; reason++)
		if (stats->dropped[reason] > 0)
			fprintf(stderr, "  %12" PRIu64 "  %s: %s\n", stats->dropped[reason], drop_reason_name(reason),
			    drop_reason_sentence(reason));
	fprintf(stderr, "servers\n");
	for (size_t i = 0; i < model->service_count; i++) {
		for (size_t j = 0; j < model->services[i]->server_count; j++) {
			const struct server *server = model->services[i]->servers[j];

			fprintf(stderr, "  %12" PRIu64 "  %s: %" PRIu64 " bytes, %" PRIu64 " connections\n",
			    server->run->packets, server_name(server, name), server->run->bytes,
			    server->run->connections);
		}
	}
}

/* A savefile has one interface: everything is there. */
static void
flatten(struct settings *settings, const char *iface)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		struct service_settings *service = &settings->services[i];

		snprintf(service->iface, sizeof(service->iface), "%s", iface);
		for (size_t j = 0; j < service->server_count; j++)
			service->servers[j].iface[0] = '\0';
	}
}

/* Nobody can be asked how they are: every server is up. */
static void
trust_all(struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL)
			health_trust(&model->slots[i]->health, 0);
}

static int
prepare(struct offline *offline, struct conf *conf, char *error, size_t size)
{
	/* The same savefile must always give the same result, so the hash is not secret here. */
	static const struct siphash_key key = { { 0 } };
	const struct emitter emitter = { write_frame, offline };
	struct director *director = &offline->director;
	struct iface *iface;

	if (director_init(director, conf->settings.connections, &key, &emitter, error, size) == -1)
		return -1;
	iface = &director->ifaces[director_iface(director, conf->iface[0] != '\0' ? conf->iface : "savefile")];
	iface->mac = conf->mac;
	if (addr_is_set(&conf->address4.addr))
		iface->addresses[iface->address_count++] = conf->address4;
	if (addr_is_set(&conf->address6.addr))
		iface->addresses[iface->address_count++] = conf->address6;
	flatten(&conf->settings, iface->name);
	if (director_apply(director, &conf->settings, 0) == -1) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	trust_all(director->model);
	director->stale = true;
	director_refresh(director);
	return 0;
}

/* Opening the output empties it: that must not be the input under this or another name. */
static bool
is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* False, and told, when the frames cannot go where they should. */
static bool
check_output(const struct options *options)
{
	if (options->write == NULL)
		return true;
	if (strcmp(options->write, "-") == 0) {
		fprintf(stderr, "dsrd: -w cannot be standard output, which has a line for each frame already: "
		    "give -w a file's name\n");
		return false;
	}
	if (strcmp(options->read, "-") != 0 && is_same_file(options->read, options->write)) {
		fprintf(stderr, "dsrd: -r %s and -w %s are the same file, which writing would destroy: give -w another "
		    "name\n", options->read, options->write);
		return false;
	}
	return true;
}

static int
open_files(struct offline *offline, const struct options *options, char error[IO_ERROR])
{
	offline->in = io_file_read(options->read, 0, error);
	if (offline->in == NULL)
		return -1;
	if (options->write == NULL)
		return 0;
	offline->out = io_file_write(options->write, error);
	return offline->out == NULL ? -1 : 0;
}

static int
close_files(struct offline *offline, char error[IO_ERROR])
{
	if (offline->in != NULL)
		offline->in->ops->close(offline->in);
	return offline->out == NULL ? 0 : offline->out->ops->close(offline->out, error);
}

/* 0 at the savefile's proper end. */
static int
read_all(struct offline *offline, char error[IO_ERROR])
{
	int count;

	do
		count = offline->in->ops->dispatch(offline->in, BURST, take_frame, offline, error);
	while (count >= 0);
	return count == -1 ? -1 : 0;
}

enum exit_status
offline_run(const struct options *options, struct conf *conf)
{
	struct offline offline = { 0 };
	char error[IO_ERROR] = "", closing[IO_ERROR];
	int result;

	if (!check_output(options)) {
		conf_clear(conf);
		return EXIT_USAGE;
	}
	if (mac_is_zero(&conf->mac)) {
		fprintf(stderr, "dsrd: %s: a savefile does not say which frames are the director's: put `mac =` with "
		    "the director's MAC address into [dsrd]\n", options->config);
		conf_clear(conf);
		return EXIT_BAD_CONFIG;
	}
	result = prepare(&offline, conf, error, sizeof(error));
	if (result == 0)
		result = open_files(&offline, options, error);
	if (error[0] != '\0')
		fprintf(stderr, "dsrd: %s\n", error);
	if (result == 0) {
		result = read_all(&offline, error);
		print_summary(&offline);
		if (result == -1)
			fprintf(stderr, "dsrd: %s: %s\n", options->read, error);
	}
	if (close_files(&offline, closing) == -1) {
		fprintf(stderr, "dsrd: %s: %s\n", options->write, closing);
		result = -1;
	}
	director_clear(&offline.director);
	conf_clear(conf);
	return result == 0 ? EXIT_OK : EXIT_SYSTEM;
}
