/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "vipcheck/conflict.h"

#include "base/attr.h"
#include "base/duration.h"

/* At a start three questions, in case one is lost; later one, more than once within WATCH_QUIET. */
#define FIRST_ROUNDS 3
#define FIRST_BETWEEN SECONDS(1)
#define BETWEEN SECONDS(25)
/* VIPs probed in one tick, so that thousands are not sent in one burst. */
#define VIPS_PER_TICK 64
#define TELL_AGAIN MINUTES(60)
#define HOLD_BACK SECONDS(3)
#define FOLLOW_UP SECONDS(2)
#define ANSWER_TIME SECONDS(1) /* RETRANS_TIMER, RFC 4861 section 10 */
#define DEFEND SECONDS(10) /* DEFEND_INTERVAL, RFC 5227 section 1.1 */

void
conflict_begin(struct watch *watch, uint64_t now)
{
	watch->next_ask = now + FIRST_BETWEEN;
	watch->next_vip = 0;
	watch->rounds = 0;
}

/* Without a sender address, so that no host learns from the probe, and no reverse path filter drops the answer. */
static const struct frame *
conflict_make_arp_question(const struct vip *vip, struct craft *craft, const struct iface *iface)
{
	const struct arp request = {
		.operation = ARP_REQUEST,
		.sender_mac = iface->mac,
		.sender.family = ADDR_IPV4,
		.target = vip->addr,
	};

	return craft_arp(craft, &mac_broadcast, &request);
}

/*
 * With a sender address: a solicitation from :: is answered to all nodes (RFC 4861 section 7.2.4), so the probe itself
 * would spread the wrong answer.
 */
static const struct frame *
conflict_make_ndp_question(const struct vip *vip, struct craft *craft, const struct iface *iface)
{
	const struct addr *own = iface_address(iface, ADDR_IPV6);
	struct craft_neighbor question = { .ends.ether_source = iface->mac, .target = vip->addr, .mac = iface->mac };

	if (own == NULL)
		return NULL;
	question.ends.source = *own;
	question.ends.destination = ndp_solicited_node(&vip->addr);
	question.ends.ether_destination = ndp_multicast_mac(&question.ends.destination);
	return craft_neighbor_solicitation(craft, &question);
}

static size_t
conflict_send(const struct vip *vip, struct craft *craft, const struct iface *ifaces, const struct frame_tx *tx)
{
	const struct frame *made;

	if (vip->iface == IFACE_NONE)
		return 0;
	made = vip->addr.family == ADDR_IPV4 ? conflict_make_arp_question(vip, craft, &ifaces[vip->iface]) :
	    conflict_make_ndp_question(vip, craft, &ifaces[vip->iface]);
	return frame_tx_send(tx, made, vip->iface) ? 1 : 0;
}

static bool
is_live_answer(const struct finding *finding, uint64_t now)
{
	return finding->kind == WATCH_ANSWERS && !conflict_has_ended(finding, now);
}

/* Several hosts may answer for one VIP: one probe covers all of them. */
static size_t
follow_up(struct watch *watch, const struct vip *vip, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < watch->count; i++) {
		struct finding *finding = &watch->findings[i];

		if (!is_live_answer(finding, now) || !addr_equal(&finding->vip, &vip->addr))
			continue;
		finding->asked = now;
		finding->unanswered++;
		any = true;
	}
	return any ? conflict_send(vip, craft, ifaces, tx) : 0;
}

static size_t
follow_up_all(struct watch *watch, const struct model *model, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	size_t sent = 0;
	bool any = false;

	for (size_t i = 0; i < watch->count && !any; i++)
		any = is_live_answer(&watch->findings[i], now);
	if (!any || now < watch->next_follow_up)
		return 0;
	watch->next_follow_up = now + FOLLOW_UP;
	for (size_t i = 0; i < model->vip_count; i++)
		sent += follow_up(watch, &model->vips[i], craft, ifaces, tx, now);
	return sent;
}

size_t
conflict_tick(struct watch *watch, const struct model *model, struct craft *craft, const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	size_t sent = follow_up_all(watch, model, craft, ifaces, tx, now);

	if (now < watch->next_ask)
		return sent;
	for (size_t i = 0; i < VIPS_PER_TICK && watch->next_vip < model->vip_count; i++)
		sent += conflict_send(&model->vips[watch->next_vip++], craft, ifaces, tx);
	if (watch->next_vip < model->vip_count)
		return sent;
	watch->next_vip = 0;
	watch->next_ask = now + (++watch->rounds < FIRST_ROUNDS ? FIRST_BETWEEN : BETWEEN);
	return sent;
}

static struct finding *
place_for(struct watch *watch)
{
	struct finding *oldest = &watch->findings[0];

	if (watch->count < WATCH_FINDINGS)
		return &watch->findings[watch->count++];
	for (size_t i = 1; i < watch->count; i++)
		if (watch->findings[i].last < oldest->last)
			oldest = &watch->findings[i];
	return oldest;
}

static void
conflict_note(struct watch *watch, enum conflict_kind kind, uint16_t iface, const struct addr *vip,
    const struct mac *mac,
    uint64_t now)
{
	struct finding *finding = NULL;

	watch->total++;
	for (size_t i = 0; i < watch->count && finding == NULL; i++)
		if (watch->findings[i].kind == kind && watch->findings[i].iface == iface &&
		    mac_equal(&watch->findings[i].mac, mac) && addr_equal(&watch->findings[i].vip, vip))
			finding = &watch->findings[i];
	if (finding == NULL) {
		finding = place_for(watch);
		*finding = (struct finding) { .kind = kind, .vip = *vip, .mac = *mac, .iface = iface, .first = now };
	}
	if (finding->ended) {
		/* It started again: reported again, unless that was done less than a minute ago. */
		finding->ended = false;
		finding->first = now;
		if (now - finding->told >= WATCH_QUIET)
			finding->told = 0;
	}
	finding->last = now;
	finding->unanswered = 0;
	finding->count++;
}

void
conflict_receive_arp(struct watch *watch, uint16_t iface, const struct arp *arp, bool to_all, uint64_t now)
{
	const bool about_itself = addr_equal(&arp->sender, &arp->target);
	enum conflict_kind kind = WATCH_ANSWERS;

	if (arp->operation == ARP_REQUEST)
		kind = about_itself ? WATCH_ANNOUNCES : WATCH_ASKS_AS;
	else if (about_itself || to_all)
		kind = WATCH_ANNOUNCES;
	conflict_note(watch, kind, iface, &arp->sender, &arp->sender_mac, now);
}

void
conflict_receive_ndp(struct watch *watch, uint16_t iface, const struct ndp *ndp, const struct mac *mac, uint64_t now)
{
	if (ndp->kind == NDP_ADVERTISEMENT)
		conflict_note(watch, ndp->solicited ? WATCH_ANSWERS : WATCH_ANNOUNCES, iface, &ndp->target, mac, now);
	else if (ndp->dad)
		conflict_note(watch, WATCH_ANNOUNCES, iface, &ndp->target, mac, now);
	else
		conflict_note(watch, WATCH_ASKS_AS, iface, &ndp->source, mac, now);
}

void
conflict_receive_bounce(struct watch *watch, uint16_t iface, const struct addr *vip, const struct mac *mac, uint64_t now)
{
	conflict_note(watch, WATCH_SENDS_BACK, iface, vip, mac, now);
}

bool
conflict_has_ended(const struct finding *finding, uint64_t now)
{
	if (finding->kind == WATCH_ANSWERS && finding->unanswered >= WATCH_UNANSWERED && now - finding->asked >= ANSWER_TIME)
		return true;
	return now - finding->last >= WATCH_QUIET;
}

struct finding *
watch_ended(struct watch *watch, uint64_t now)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct finding *finding = &watch->findings[i];

		if (finding->ended || !conflict_has_ended(finding, now))
			continue;
		finding->ended = true;
		return finding;
	}
	return NULL;
}

struct finding *
conflict_news(struct watch *watch, bool (*known)(const void *context, const struct finding *finding), const void *context,
    uint64_t now)
{
	for (size_t i = 0; i < watch->count; i++) {
		struct finding *finding = &watch->findings[i];

		if (finding->told != 0 && (conflict_has_ended(finding, now) || finding->last <= finding->told ||
		    now - finding->told < TELL_AGAIN))
			continue;
		if (finding->told == 0 && now - finding->first < HOLD_BACK && !known(context, finding))
			continue;
		finding->told = now;
		return finding;
	}
	return NULL;
}

bool
conflict_was_told(const struct finding *finding)
{
	return finding->told >= finding->first;
}

bool
conflict_misled(const struct finding *finding)
{
	return finding->kind != WATCH_SENDS_BACK;
}

/* Of all services on the VIP, the one that wants most has its way. */
static enum vip_conflict
conflict_reaction(const struct model *model, const struct addr *vip)
{
	enum vip_conflict most = VIP_CONFLICT_LOG;

	for (size_t i = 0; i < model->service_count; i++) {
		const struct service *service = model->services[i];

		if (service->settings.vip_conflict > most && service_listens_on(service, vip))
			most = service->settings.vip_conflict;
	}
	return most;
}

/* Also with `remove`: a server that was taken out still has the clients that believed it. */
bool
conflict_reacts(struct finding *finding, const struct model *model, uint64_t now)
{
	if (!conflict_misled(finding) || conflict_reaction(model, &finding->vip) == VIP_CONFLICT_LOG)
		return false;
	if (finding->last <= finding->answered || (finding->answered != 0 && now - finding->answered < DEFEND))
		return false;
	finding->answered = now;
	return true;
}

/* A server that announces the VIP now and then must be silent for longer before it is trusted again. */
static bool
conflict_keeps_out(const struct finding *finding, uint64_t now)
{
	return finding->kind == WATCH_ANSWERS ? !conflict_has_ended(finding, now) : now - finding->last < WATCH_QUIET;
}

bool
conflict_removes(const struct watch *watch, const struct server *server, uint64_t now)
{
	if (server->service->settings.vip_conflict != VIP_CONFLICT_REMOVE || mac_is_zero(&server->mac))
		return false;
	for (size_t i = 0; i < watch->count; i++)
		if (mac_equal(&watch->findings[i].mac, &server->mac) && conflict_keeps_out(&watch->findings[i], now) &&
		    service_listens_on(server->service, &watch->findings[i].vip))
			return true;
	return false;
}

const char *
conflict_kind_name(enum conflict_kind kind)
{
	static const char *const names[] = {
		[WATCH_ANSWERS] = "answers",
		[WATCH_ANNOUNCES] = "announces",
		[WATCH_ASKS_AS] = "asks-as",
		[WATCH_SENDS_BACK] = "sends-back",
	};

	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : "?";
}

const char *
conflict_kind_sentence(enum conflict_kind kind)
{
	static const char *const sentences[] = {
		[WATCH_ANSWERS] = "it answers ARP or neighbor discovery for the VIP; clients that cache its MAC bypass the director",
		[WATCH_ANNOUNCES] = "it announces the VIP as its own; clients that cache its MAC bypass the director",
		[WATCH_ASKS_AS] = "it sends requests with the VIP as sender; hosts that learn its MAC from them bypass the director",
		[WATCH_SENDS_BACK] = "it sends the VIP's packets back: it lacks the VIP, and forwards",
	};

	return (unsigned)kind < ARRAY_LEN(sentences) ? sentences[kind] : "?";
}
