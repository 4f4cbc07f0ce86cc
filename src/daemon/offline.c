/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/offline.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "daemon/offline_report.h"
#include "daemon/replay.h"

/* For a frame whose headers cannot be trusted, only the addresses are printed. */
static void
offline_print_flow(enum packet_status status, const struct packet *packet)
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
offline_print_decision(void *context UNUSED, const struct replayed *seen)
{
	const struct decision *decision = &seen->decision;
	char name[SERVER_NAME_TEXT], way[TRACE_WAY_TEXT];

	printf("frame=%" PRIu64 " verdict=%s", seen->number, verdict_name(decision->verdict));
	if (decision->verdict == VERDICT_DROP)
		printf(" reason=%s", drop_reason_name(decision->reason));
	offline_print_flow(seen->status, &seen->packet);
	if (decision->server != NULL)
		printf(" server=%s state=%s new=%s", server_name(decision->server->server, name),
		    conn_state_name(decision->state), decision->new_flow ? "yes" : "no");
	printf("%s\n", trace_way_text(seen->way, way));
}

static void
offline_print_counter(void *context UNUSED, const char *name UNUSED, const char *text, uint64_t value)
{
	if (value > 0)
		fprintf(stderr, "  %12" PRIu64 "  %s\n", value, text);
}

static void
offline_print_summary(const struct director *director)
{
	const struct forward_stats *stats = &director->forwarder.stats;
	const struct model *model = director->model;
	char name[SERVER_NAME_TEXT];

	fprintf(stderr, "counters\n");
	forward_stats_each(stats, offline_print_counter, NULL);
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

/* Opening the output empties it: that must not be the input under this or another name. */
static bool
offline_is_same_file(const char *a, const char *b)
{
	struct stat one, other;

	return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* False, with an error printed, when the frames cannot be written as requested. */
static bool
offline_check_output(const struct options *options)
{
	if (options->write == NULL)
		return true;
	if (strcmp(options->write, "-") == 0) {
		fprintf(stderr, "dsrd: -w cannot be standard output, which has a line for each frame already: "
		    "give -w a file's name\n");
		return false;
	}
	if (strcmp(options->read, "-") != 0 && offline_is_same_file(options->read, options->write)) {
		fprintf(stderr, "dsrd: -r %s and -w %s are the same file, which writing would destroy: give -w another "
		    "name\n", options->read, options->write);
		return false;
	}
	return true;
}

/* A line for each frame, and the summary. */
static int
offline_replay_and_print(const struct options *options, struct conf *conf)
{
	struct replay replay = { .each = offline_print_decision };
	char error[IO_ERROR], closing[IO_ERROR];
	int result = replay_open(&replay, options->read, options->write, conf, error);

	if (result == -1) {
		fprintf(stderr, "dsrd: %s\n", error);
	} else {
		result = replay_run(&replay, error);
		offline_print_summary(&replay.director);
		if (result == -1)
			fprintf(stderr, "dsrd: %s: %s\n", options->read, error);
	}
	if (replay_close(&replay, closing) == -1) {
		fprintf(stderr, "dsrd: %s: %s\n", options->write, closing);
		result = -1;
	}
	return result;
}

enum exit_status
offline_run(const struct options *options, struct conf *conf)
{
	int result;

	if (!offline_check_output(options)) {
		conf_clear(conf);
		return EXIT_USAGE;
	}
	if (mac_is_zero(&conf->mac)) {
		fprintf(stderr, "dsrd: %s: a savefile does not contain the director's MAC address: set `mac =` with "
		    "the director's MAC address into [dsrd]\n", options->config);
		conf_clear(conf);
		return EXIT_BAD_CONFIG;
	}
	result = options->report ? offline_report(options, conf) : offline_replay_and_print(options, conf);
	conf_clear(conf);
	return result == 0 ? EXIT_OK : EXIT_SYSTEM;
}
