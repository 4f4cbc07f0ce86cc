/* SPDX-License-Identifier: ISC */
/* Configurations of other programs, which people give to dsrd when they change over: one hint says more than an error a line. */
#ifndef CONF_FOREIGN_H
#define CONF_FOREIGN_H

#include <stddef.h>

/*
 * Is this line, which is none of dsrd.conf, one that another program's file has? Then `text` gets what to do with that
 * file, and it is returned; else NULL. `line` is without blanks at both ends, `name` the path of the file.
 */
#define FOREIGN_TEXT 512
const char *foreign_hint(const char *line, const char *name, char text[FOREIGN_TEXT]);

#endif
