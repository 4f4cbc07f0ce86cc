/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/replay.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"

/* Frames read before the clock is looked at again; any number gives the same results. */
#define BURST 1024

static void
replay_write_frame(void *context, const struct frame *frame)
{
	struct replay *replay = context;

	way_sent(&replay->way, frame);
	if (replay->out != NULL)
		replay->out->ops->send(replay->out, frame);
}

static void
replay_set_clock(struct replay *replay, uint64_t now)
{
	if (now > replay->director.now)
		replay->director.now = now;
	if (replay->out != NULL)
		io_file_time(replay->out, replay->director.now);
}

/* The savefile's clock moves the timers too. Frames that went back in time move nothing. */
static void
replay_advance(struct replay *replay, uint64_t now)
{
	struct director *director = &replay->director;

	while (forward_neighbors_due(&director->forwarder) <= now) {
		replay_set_clock(replay, forward_neighbors_due(&director->forwarder));
		director_neighbors(director, director->now);
		director_refresh(director);
	}
	replay_set_clock(replay, now);
	if (replay->director.now < replay->next_tick)
		return;
	director_tick(&replay->director, replay->director.now);
	replay->next_tick = replay->director.now + SECONDS(1);
}

static void
replay_take_frame(void *context, struct frame *frame, uint64_t when)
{
	struct replay *replay = context;
	struct replayed seen;

	replay_advance(replay, when);
	seen.number = ++replay->frames;
	if (replay->carries != NULL && replay->carries(replay->context, frame, replay->director.now))
		return;
	/* Forwarding rewrites the frame, so what it was is read before. */
	seen.status = packet_parse(frame, &seen.packet);
	way_begin(&replay->way, frame, &seen.packet);
	seen.decision = forward_frame(&replay->director.forwarder, frame, replay->director.now);
	seen.way = way_decided(&replay->way, &seen.decision);
	replay->each(replay->context, &seen);
	director_refresh(&replay->director);
}

/* A savefile has one interface: everything is there. */
static void
replay_use_one_interface(struct settings *settings, const char *iface)
{
	for (size_t i = 0; i < settings->service_count; i++) {
		struct service_settings *service = &settings->services[i];

		snprintf(service->iface, sizeof(service->iface), "%s", iface);
		for (size_t j = 0; j < service->server_count; j++)
			service->servers[j].iface[0] = '\0';
	}
}

/* There are no checks offline: every server is up. */
static void
replay_set_all_up(struct model *model)
{
	for (size_t i = 0; i < model->slot_count; i++)
		if (model->slots[i] != NULL)
			health_trust(&model->slots[i]->health, 0);
}

static int
replay_prepare(struct replay *replay, struct conf *conf, char *error, size_t size)
{
	/* The same savefile must always give the same result, so the hash is not secret here. */
	static const struct siphash_key key = { { 0 } };
	const struct frame_tx tx = { replay_write_frame, replay, NULL };
	struct director *director = &replay->director;
	struct iface *iface;

	if (director_init(director, conf->settings.connections, &key, &tx, error, size) == -1)
		return -1;
	director->forwarder.shared = conf->peer_count > 0;
	iface = &director->ifaces[director_iface(director, conf->iface[0] != '\0' ? conf->iface : "savefile")];
	iface->mac = conf->mac;
	if (conf->mtu != 0)
		iface->mtu = conf->mtu;
	if (addr_is_set(&conf->address4.addr))
		iface->addresses[iface->address_count++] = conf->address4;
	if (addr_is_set(&conf->address6.addr))
		iface->addresses[iface->address_count++] = conf->address6;
	replay_use_one_interface(&conf->settings, iface->name);
	if (director_apply(director, &conf->settings, 0) == -1) {
		snprintf(error, size, "out of memory");
		return -1;
	}
	replay_set_all_up(director->model);
	director->stale = true;
	director_refresh(director);
	return 0;
}

int
replay_open(struct replay *replay, const char *in, const char *out, struct conf *conf, char error[IO_ERROR])
{
	error[0] = '\0';
	if (replay_prepare(replay, conf, error, IO_ERROR) == -1)
		return -1;
	replay->in = io_file_read(in, 0, error);
	if (replay->in == NULL)
		return -1;
	if (out == NULL)
		return 0;
	replay->out = io_file_write(out, error);
	return replay->out == NULL ? -1 : 0;
}

int
replay_run(struct replay *replay, char error[IO_ERROR])
{
	int count;

	do
		count = replay->in->ops->dispatch(replay->in, BURST, replay_take_frame, replay, error);
	while (count >= 0);
	return count == -1 ? -1 : 0;
}

int
replay_close(struct replay *replay, char error[IO_ERROR])
{
	int result = 0;

	if (replay->in != NULL)
		replay->in->ops->close(replay->in);
	if (replay->out != NULL)
		result = replay->out->ops->close(replay->out, error);
	director_clear(&replay->director);
	return result;
}
