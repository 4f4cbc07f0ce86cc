/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/attach.h"

#include <unistd.h>

int
attacher_begin(const struct attacher *attacher, int program, const char *iface, enum attach_place place, int *link)
{
	return attacher == NULL ? attach_begin(program, iface, place, link) :
	    attacher->begin(attacher->context, program, iface, place, link);
}

void
attacher_end(const struct attacher *attacher, const char *iface, enum attach_place place, int link)
{
	if (link != -1)
		(void)close(link);
	else if (attacher == NULL)
		attach_end(iface, place);
	else
		attacher->end(attacher->context, iface, place);
}
