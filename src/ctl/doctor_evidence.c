/* SPDX-License-Identifier: ISC */
/* What was sent and what came back, as the doctor's report shows it. */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/addr.h"
#include "base/attr.h"
#include "ctl/doctor.h"
#include "doctor/check_evidence.h"
#include "doctor/diagnosis.h"

/* What was verified of an answer. */
static const char *
doctor_proof(const struct reply *reply)
{
	switch (reply->proof) {
	case PROOF_NUMBER:
		return "acknowledged our sequence number";
	case PROOF_NONCE:
		return "returned our nonce";
	case PROOF_QUOTED:
		return reply->answer == ANSWER_BOUNCED ? "with our numbers" : "quoted our numbers";
	case PROOF_SENDER:
		return "came to our port; UDP proves no more";
	case PROOF_NONE:
		break;
	}
	return "not verified";
}

static void
doctor_answer(const struct reply *reply, char *text, size_t size)
{
	char from[ADDR_TEXT], mac[MAC_TEXT];

	addr_format(&reply->from, from);
	mac_format(&reply->mac, mac);
	switch (reply->answer) {
	case ANSWER_UNREACHABLE:
		snprintf(text, size, "ICMP type %u code %u from %s (%s)", reply->icmp_type, reply->icmp_code,
		    from, mac);
		return;
	case ANSWER_SYN_ACK:
	case ANSWER_RESET:
	case ANSWER_ECHO:
	case ANSWER_DATA:
		snprintf(text, size, "%s from %s (%s), ttl %u", answer_name(reply->answer), from, mac,
		    reply->hop_limit);
		return;
	case ANSWER_BOUNCED:
		snprintf(text, size, "the probe itself came back from %s", mac);
		return;
	case ANSWER_NOT_PROBED:
	case ANSWER_AWAITED:
	case ANSWER_SILENCE:
		break;
	}
	snprintf(text, size, "%s", answer_name(reply->answer));
}

static void
doctor_reply(const struct evidence *evidence, const struct reply *reply, char *text, size_t size)
{
	char answer[160];

	doctor_answer(reply, answer, sizeof(answer));
	if (reply->answer == ANSWER_SILENCE)
		(void)snprintf(text, size, "%s", answer);
	else
		(void)snprintf(text, size, "%s, %s, %s MAC", answer, doctor_proof(reply),
		    mac_equal(&reply->mac, &evidence->server_mac) ? "the server's" : "not the server's");
}

/* What looked like answers, and was not believed. */
static void
doctor_write_refused(struct writer *writer, const struct evidence *evidence)
{
	char text[256], from[ADDR_TEXT], mac[MAC_TEXT];

	writer_number(writer, "refused", NULL, evidence->refused);
	if (evidence->refused == 0)
		return;
	(void)snprintf(text, sizeof(text), "%" PRIu32 " answers did not have what only the probe had; the last, to %s, "
	    "from %s (%s)",
	    evidence->refused, probe_name(evidence->refused_probe), addr_format(&evidence->refused_from, from),
	    mac_format(&evidence->refused_mac, mac));
	writer_fact(writer, "refused_text", "not believed", text);
	writer_fact(writer, "refused_mac", NULL, mac);
}

void
doctor_write_evidence(struct writer *writer, const struct evidence *evidence)
{
	static const struct column columns[] = { { "probe", NULL, false }, { "answer", NULL, false },
		{ "text", NULL, false }, { "mac", NULL, false }, { "from_server", NULL, false },
		    { "proof", NULL, false } };
	char line[1024], text[256], mac[MAC_TEXT];
	size_t used = 0;

	writer_table(writer, "evidence", NULL, columns, ARRAY_LEN(columns));
	for (enum probe probe = 0; probe < PROBE_COUNT; probe++) {
		const struct reply *reply = &evidence->replies[probe];

		/* What was still awaited when the round was decided did not matter. */
		if (reply->answer == ANSWER_NOT_PROBED || reply->answer == ANSWER_AWAITED)
			continue;
		doctor_reply(evidence, reply, text, sizeof(text));
		writer_row(writer);
		writer_cell(writer, probe_name(probe));
		writer_cell(writer, answer_name(reply->answer));
		writer_cell(writer, text);
		writer_cell(writer, mac_is_zero(&reply->mac) ? NULL : mac_format(&reply->mac, mac));
		writer_cell_flag(writer, mac_equal(&reply->mac, &evidence->server_mac));
		writer_cell(writer, proof_name(reply->proof));
		if (used < sizeof(line))
			used += (size_t)snprintf(line + used, sizeof(line) - used, "%s%s: %s", used == 0 ? "" : "; ",
			    probe_name(probe), text);
	}
	writer_table_end(writer);
	if (used > 0)
		writer_fact(writer, "evidence_text", "evidence", line);
	doctor_write_refused(writer, evidence);
	writer_flag(writer, "server_resolved_director", evidence->resolved_source);
	if (evidence->resolved_source && !evidence->borrowed)
		writer_fact(writer, "server_resolved_director_text", "",
		    "the server resolved the director's MAC address: "
		    "it had an answer to send");
}

void
doctor_write_vipcheck(struct writer *writer, const struct vipcheck *check)
{
	char port[PORT_TEXT], source[ADDR_TEXT];
	const bool good = vipcheck_verdict_class(check->verdict) == VIPCHECK_GOOD;

	report_port(&check->vip, check->protocol, check->port, port);
	writer_item(writer, port, good ? MOOD_GOOD : MOOD_WARN);
	writer_fact(writer, "vip", NULL, port);
	writer_fact(writer, "verdict", NULL, vipcheck_verdict_name(check->verdict));
	writer_fact(writer, "meaning", "", vipcheck_verdict_sentence(check->verdict));
	if (check->settled && addr_is_set(&check->last.source))
		writer_fact(writer, "probed_from", "probed from", addr_format(&check->last.source, source));
	if (check->settled)
		doctor_write_evidence(writer, &check->last);
	writer_item_end(writer);
}

/* Of a check that failed: what was sent, what was expected, what came, and how to repeat it. */
void
doctor_write_check(struct writer *writer, const struct machine_row *row)
{
	const struct server *server = row->server;
	char words[CHECK_WORDS], command[CHECK_COMMAND];

	writer_fact(writer, "sent", "sent", check_sends(server, row->check, words));
	writer_fact(writer, "expected", "expected",
	    check_expects(server_check_settings(server, row->check), words));
	writer_fact(writer, "got", "got", check_got(&server->checks[row->check], words));
	writer_block(writer, "repeat", "repeat it on the director:", check_repeats(server, row->check, command));
}
