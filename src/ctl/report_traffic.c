/* SPDX-License-Identifier: ISC */
/* What passes, and what comes of it: the part of `dsrctl show` that changes while one looks. */
#include "config.h"

#include "ctl/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/text.h"

static const char *
completion_text(const struct measure *measure, char text[AMOUNT_TEXT])
{
	if (measure->handshakes == 0)
		return NULL;
	snprintf(text, AMOUNT_TEXT, "%.1f%%", 100 * (double)measure->completed / (double)measure->handshakes);
	return text;
}

static void
rate_cells(struct writer *writer, const struct server_rates *rates)
{
	char in[AMOUNT_TEXT], out[AMOUNT_TEXT];

	writer_cell_number(writer, rate_value(&rates->connections));
	writer_cell_number(writer, rate_value(&rates->packets));
	writer_cell(writer, text_format_speed(rate_value(&rates->bytes), in));
	writer_cell_number(writer, rate_value(&rates->bytes));
	writer_cell(writer, text_format_speed(rate_value(&rates->responses), out));
	writer_cell_number(writer, rate_value(&rates->responses));
	writer_cell_number(writer, rates->connections.current);
	writer_cell_number(writer, rates->packets.current);
	writer_cell_number(writer, rates->bytes.current);
	writer_cell_number(writer, rates->responses.current);
}

static void
measure_cells(struct writer *writer, const struct measure *measure)
{
	const uint64_t middle = measure->smoothed, slowest = latency_percentile(&measure->handshake, 99);
	char text[AMOUNT_TEXT];

	writer_cell_number(writer, measure->response_bytes);
	writer_cell(writer, middle == 0 ? NULL : text_format_latency(middle, text));
	writer_cell_number(writer, middle);
	writer_cell(writer, slowest == 0 ? NULL : text_format_latency(slowest, text));
	writer_cell_number(writer, slowest);
	writer_cell(writer, completion_text(measure, text));
	writer_cell_number(writer, measure->handshakes);
	writer_cell_number(writer, measure->completed);
	writer_cell_number(writer, measure->unanswered);
	writer_cell_number(writer, measure->retransmits);
	writer_cell_number(writer, measure->partial);
}

static void
report_traffic_server_row(struct writer *writer, const struct server *server)
{
	char name[SERVER_NAME_TEXT];

	writer_row(writer);
	writer_cell(writer, server_name(server, name));
	rate_cells(writer, &server->rates);
	measure_cells(writer, &server->run->measure);
	writer_cell(writer, lost_verdict_name(server->lost.verdict));
}

void
report_traffic(struct writer *writer, const struct report_facts *facts)
{
	static const struct column columns[] = { { "server", "TRAFFIC", false },
		{ "connections_per_second", "CONN/S", true }, { "packets_per_second", "PACKETS/S", true },
		{ "in", "IN", true }, { "in_bytes_per_second", NULL, true }, { "out", "OUT", true },
		{ "out_bytes_per_second", NULL, true }, { "connections_last_second", NULL, true },
		{ "packets_last_second", NULL, true }, { "in_bytes_last_second", NULL, true },
		{ "out_bytes_last_second", NULL, true }, { "response_bytes", NULL, true },
		{ "handshake", "HANDSHAKE", true }, { "handshake_microseconds", NULL, true },
		{ "handshake_99", "99%", true }, { "handshake_99_microseconds", NULL, true },
		{ "completion", "COMPLETED", true }, { "handshakes", NULL, true }, { "completed", NULL, true },
		    { "unanswered_handshakes", NULL, true },
		{ "retransmits", "REPEATED", true }, { "partial", "PARTIAL", true },
		{ "answers_lost", NULL, false } };

	writer_table(writer, "traffic", NULL, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < facts->model->service_count; i++)
		for (size_t j = 0; j < facts->model->services[i]->server_count; j++)
			if (report_lists(facts, facts->model->services[i]->servers[j]))
				report_traffic_server_row(writer, facts->model->services[i]->servers[j]);
	writer_table_end(writer);
}

void
report_service_rates(struct writer *writer, const struct service *service)
{
	writer_cell_number(writer, rate_value(&service->rates.connections));
	writer_cell_number(writer, rate_value(&service->rates.packets));
	writer_cell_number(writer, rate_value(&service->rates.bytes));
	writer_cell_number(writer, rate_value(&service->rates.responses));
}
