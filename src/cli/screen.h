/* SPDX-License-Identifier: ISC */
/*
 * Draws the screen of `dsrctl top` so that it fits. Pure: writes to a stream, the terminal's properties are in `view`.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/snapshot.h"

struct view {
	unsigned rows;       /* of the screen; 0: no screen, everything is printed once, below what is there */
	unsigned columns;
	bool colour;
	bool paused;
	bool help;           /* the keys, instead of all else */
	bool on_services;    /* what is scrolled */
	bool typing;         /* the filter is being typed */
	size_t first;        /* server at the top; screen_draw() puts it right */
	size_t first_service;
	struct snapshot_arrangement arrangement;
	const char *trouble; /* NULL, or why what is shown is not of now */
};

/* How many servers, and services, the screen has room for. */
size_t screen_room(const struct snapshot *snapshot, const struct view *view);
size_t screen_services_room(const struct snapshot *snapshot, const struct view *view);
void screen_draw(const struct snapshot *snapshot, struct view *view, FILE *out);

#endif
