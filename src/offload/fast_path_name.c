/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "offload/fast_path.h"

const char *
fast_path_name(enum fast_path_kind kind)
{
	switch (kind) {
	case FAST_PATH_OFF:
		return "off";
	case FAST_PATH_TC:
		return "tc";
	case FAST_PATH_XDP:
		return "xdp";
	case FAST_PATH_XDP_GENERIC:
		return "xdp-generic";
	}
	return "?";
}
