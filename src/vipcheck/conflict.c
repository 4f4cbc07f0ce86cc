/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "vipcheck/conflict.h"

#include "base/attr.h"
#include "base/duration.h"

/* At a start three questions, in case one is lost; later one, more than once within CONFLICT_QUIET. */
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
conflict_begin(struct conflict_table *conflicts, uint64_t now)
{
	conflicts->next_ask = now + FIRST_BETWEEN;
	conflicts->next_vip = 0;
	conflicts->rounds = 0;
}

/* Without a sender address, so that no host learns from the probe, and no reverse path filter drops the answer. */
static const struct frame *
conflict_make_arp_probe(const struct vip *vip, struct craft *craft, const struct iface *iface)
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
conflict_make_ndp_probe(const struct vip *vip, struct craft *craft, const struct iface *iface)
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

size_t
conflict_ask(const struct vip *vip, struct craft *craft, const struct iface *ifaces, const struct frame_tx *tx)
{
	const struct frame *made;

	if (vip->iface == IFACE_NONE)
		return 0;
	made = vip->addr.family == ADDR_IPV4 ? conflict_make_arp_probe(vip, craft, &ifaces[vip->iface]) :
	    conflict_make_ndp_probe(vip, craft, &ifaces[vip->iface]);
	return frame_tx_send(tx, made, vip->iface) ? 1 : 0;
}

static bool
conflict_is_live_answer(const struct conflict *conflict, uint64_t now)
{
	return conflict->kind == CONFLICT_ANSWERS && !conflict_has_ended(conflict, now);
}

/* Several hosts may answer for one VIP: one probe covers all of them. */
static size_t
conflict_follow_up(struct conflict_table *conflicts, const struct vip *vip, struct craft *craft,
    const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < conflicts->count; i++) {
		struct conflict *conflict = &conflicts->list[i];

		if (!conflict_is_live_answer(conflict, now) || !addr_equal(&conflict->vip, &vip->addr))
			continue;
		conflict->probed = now;
		conflict->unanswered++;
		any = true;
	}
	return any && !vip->silent ? conflict_ask(vip, craft, ifaces, tx) : 0;
}

static size_t
conflict_follow_up_all(struct conflict_table *conflicts, const struct model *model, struct craft *craft,
    const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	size_t sent = 0;
	bool any = false;

	for (size_t i = 0; i < conflicts->count && !any; i++)
		any = conflict_is_live_answer(&conflicts->list[i], now);
	if (!any || now < conflicts->next_follow_up)
		return 0;
	conflicts->next_follow_up = now + FOLLOW_UP;
	for (size_t i = 0; i < model->vip_count; i++)
		sent += conflict_follow_up(conflicts, &model->vips[i], craft, ifaces, tx, now);
	return sent;
}

size_t
conflict_tick(struct conflict_table *conflicts, const struct model *model, struct craft *craft,
    const struct iface *ifaces,
    const struct frame_tx *tx, uint64_t now)
{
	size_t sent = conflict_follow_up_all(conflicts, model, craft, ifaces, tx, now);

	if (now < conflicts->next_ask)
		return sent;
	for (size_t i = 0; i < VIPS_PER_TICK && conflicts->next_vip < model->vip_count; i++, conflicts->next_vip++)
		if (!model->vips[conflicts->next_vip].silent)
			sent += conflict_ask(&model->vips[conflicts->next_vip], craft, ifaces, tx);
	if (conflicts->next_vip < model->vip_count)
		return sent;
	conflicts->next_vip = 0;
	conflicts->next_ask = now + (++conflicts->rounds < FIRST_ROUNDS ? FIRST_BETWEEN : BETWEEN);
	return sent;
}

static struct conflict *
conflict_find_slot(struct conflict_table *conflicts)
{
	struct conflict *oldest = &conflicts->list[0];

	if (conflicts->count < CONFLICTS)
		return &conflicts->list[conflicts->count++];
	for (size_t i = 1; i < conflicts->count; i++)
		if (conflicts->list[i].last < oldest->last)
			oldest = &conflicts->list[i];
	return oldest;
}

static void
conflict_note(struct conflict_table *conflicts, enum conflict_kind kind, uint16_t iface, const struct addr *vip,
    const struct mac *mac,
    uint64_t now)
{
	struct conflict *conflict = NULL;

	conflicts->total++;
	for (size_t i = 0; i < conflicts->count && conflict == NULL; i++)
		if (conflicts->list[i].kind == kind && conflicts->list[i].iface == iface &&
		    mac_equal(&conflicts->list[i].mac, mac) && addr_equal(&conflicts->list[i].vip, vip))
			conflict = &conflicts->list[i];
	if (conflict == NULL) {
		conflict = conflict_find_slot(conflicts);
		*conflict = (struct conflict) { .kind = kind, .vip = *vip, .mac = *mac, .iface = iface, .first = now };
	}
	if (conflict->ended) {
		/* It started again: reported again, unless that was done less than a minute ago. */
		conflict->ended = false;
		conflict->first = now;
		if (now - conflict->logged >= CONFLICT_QUIET)
			conflict->logged = 0;
	}
	conflict->last = now;
	conflict->unanswered = 0;
	conflict->count++;
}

void
conflict_receive_arp(struct conflict_table *conflicts, uint16_t iface, const struct arp *arp, bool to_all, uint64_t now)
{
	const bool about_itself = addr_equal(&arp->sender, &arp->target);
	enum conflict_kind kind = CONFLICT_ANSWERS;

	if (arp->operation == ARP_REQUEST)
		kind = about_itself ? CONFLICT_ANNOUNCES : CONFLICT_REQUESTS_AS;
	else if (about_itself || to_all)
		kind = CONFLICT_ANNOUNCES;
	conflict_note(conflicts, kind, iface, &arp->sender, &arp->sender_mac, now);
}

void
conflict_receive_ndp(struct conflict_table *conflicts, uint16_t iface, const struct ndp *ndp, const struct mac *mac,
    uint64_t now)
{
	if (ndp->kind == NDP_ADVERTISEMENT)
		conflict_note(conflicts, ndp->solicited ? CONFLICT_ANSWERS : CONFLICT_ANNOUNCES, iface, &ndp->target,
		    mac, now);
	else if (ndp->dad)
		conflict_note(conflicts, CONFLICT_ANNOUNCES, iface, &ndp->target, mac, now);
	else
		conflict_note(conflicts, CONFLICT_REQUESTS_AS, iface, &ndp->source, mac, now);
}

void
conflict_receive_bounce(struct conflict_table *conflicts, uint16_t iface, const struct addr *vip, const struct mac *mac,
    uint64_t now)
{
	conflict_note(conflicts, CONFLICT_SENDS_BACK, iface, vip, mac, now);
}

bool
conflict_has_ended(const struct conflict *conflict, uint64_t now)
{
	if (conflict->kind == CONFLICT_ANSWERS && conflict->unanswered >= CONFLICT_UNANSWERED &&
	    now - conflict->probed >= ANSWER_TIME)
		return true;
	return now - conflict->last >= CONFLICT_QUIET;
}

struct conflict *
conflict_end_news(struct conflict_table *conflicts, uint64_t now)
{
	for (size_t i = 0; i < conflicts->count; i++) {
		struct conflict *conflict = &conflicts->list[i];

		if (conflict->ended || !conflict_has_ended(conflict, now))
			continue;
		conflict->ended = true;
		return conflict;
	}
	return NULL;
}

struct conflict *
conflict_news(struct conflict_table *conflicts, bool (*known)(const void *context, const struct conflict *conflict),
    const void *context,
    uint64_t now)
{
	for (size_t i = 0; i < conflicts->count; i++) {
		struct conflict *conflict = &conflicts->list[i];

		if (conflict->logged != 0 && (conflict_has_ended(conflict, now) || conflict->last <= conflict->logged ||
		    now - conflict->logged < TELL_AGAIN))
			continue;
		if (conflict->logged == 0 && now - conflict->first < HOLD_BACK && !known(context, conflict))
			continue;
		conflict->logged = now;
		return conflict;
	}
	return NULL;
}

bool
conflict_was_logged(const struct conflict *conflict)
{
	return conflict->logged >= conflict->first;
}

bool
conflict_misled(const struct conflict *conflict)
{
	return conflict->kind != CONFLICT_SENDS_BACK;
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
conflict_reacts(struct conflict *conflict, const struct model *model, uint64_t now)
{
	if (!conflict_misled(conflict) || conflict_reaction(model, &conflict->vip) == VIP_CONFLICT_LOG)
		return false;
	if (conflict->last <= conflict->answered || (conflict->answered != 0 && now - conflict->answered < DEFEND))
		return false;
	conflict->answered = now;
	return true;
}

/* A server that announces the VIP now and then must be silent for longer before it is trusted again. */
static bool
conflict_keeps_out(const struct conflict *conflict, uint64_t now)
{
	return conflict->kind == CONFLICT_ANSWERS ? !conflict_has_ended(conflict, now) :
	    now - conflict->last < CONFLICT_QUIET;
}

bool
conflict_removes(const struct conflict_table *conflicts, const struct server *server, uint64_t now)
{
	if (server->service->settings.vip_conflict != VIP_CONFLICT_REMOVE || mac_is_zero(&server->mac))
		return false;
	for (size_t i = 0; i < conflicts->count; i++)
		if (mac_equal(&conflicts->list[i].mac, &server->mac) && conflict_keeps_out(&conflicts->list[i], now) &&
		    service_listens_on(server->service, &conflicts->list[i].vip))
			return true;
	return false;
}

const char *
conflict_kind_name(enum conflict_kind kind)
{
	static const char *const names[] = {
		[CONFLICT_ANSWERS] = "answers",
		[CONFLICT_ANNOUNCES] = "announces",
		[CONFLICT_REQUESTS_AS] = "requests-as",
		[CONFLICT_SENDS_BACK] = "sends-back",
	};

	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : "?";
}

const char *
conflict_kind_sentence(enum conflict_kind kind)
{
	static const char *const sentences[] = {
		[CONFLICT_ANSWERS] = "it answers ARP or neighbor discovery for the VIP; clients that cache its MAC "
		    "bypass the director",
		[CONFLICT_ANNOUNCES] = "it announces the VIP as its own; clients that cache its MAC bypass the director",
		[CONFLICT_REQUESTS_AS] = "it sends requests with the VIP as sender; hosts that learn its MAC from them "
		    "bypass the director",
		[CONFLICT_SENDS_BACK] = "it sends the VIP's packets back: it lacks the VIP, and forwards",
	};

	return (unsigned)kind < ARRAY_LEN(sentences) ? sentences[kind] : "?";
}
