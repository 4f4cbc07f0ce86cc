/* SPDX-License-Identifier: ISC */
/*
 * Receive offloads through the generic feature commands of SIOCETHTOOL, which cover all features under the names that
 * `ethtool -k` shows (net/ethtool/common.c): a feature's number is the position of its name in a list from the kernel.
 */
#include "config.h"

#include "os/os.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct merging {
	const char *feature; /* as the kernel calls it */
	const char *name;    /* as ethtool(8) and people call it */
} mergings[] = {
	{"rx-gro", "gro"},
	{"rx-lro", "lro"},
	{"rx-gro-hw", "rx-gro-hw"},
	{"rx-udp-gro-forwarding", "rx-udp-gro-forwarding"},
	{"rx-gro-list", "rx-gro-list"},
};

#define FEATURES_MOST 1024 /* Linux 6.x has about 64 */

struct device {
	int fd;
	const char *name;
	uint32_t blocks; /* of 32 features */
	uint32_t number[ARRAY_LEN(mergings)]; /* of each merging, or FEATURES_MOST where the kernel has no such thing */
};

static int
device_command(const struct device *device, void *command)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device->name);
	request.ifr_data = command;
	return ioctl(device->fd, SIOCETHTOOL, &request);
}

/* The number of features that the kernel knows; 0 with errno on failure. */
static uint32_t
feature_count(const struct device *device)
{
	union {
		struct ethtool_sset_info info;
		/* The answer is one number behind it. */
		uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} command;

	memset(&command, 0, sizeof(command));
	command.info.cmd = ETHTOOL_GSSET_INFO;
	command.info.sset_mask = 1ULL << ETH_SS_FEATURES;
	if (device_command(device, &command) != 0)
		return 0;
	if (command.info.sset_mask != 0 && command.info.data[0] <= FEATURES_MOST)
		return command.info.data[0];
	errno = EOPNOTSUPP;
	return 0;
}

static void
feature_find(struct device *device, const struct ethtool_gstrings *names)
{
	for (size_t i = 0; i < ARRAY_LEN(mergings); i++) {
		device->number[i] = FEATURES_MOST;
		for (uint32_t at = 0; at < names->len; at++) {
			if (strncmp((const char *)names->data + at * ETH_GSTRING_LEN, mergings[i].feature,
				ETH_GSTRING_LEN) == 0)
				device->number[i] = at;
		}
	}
}

static void
device_close(struct device *device)
{
	if (device->fd >= 0)
		(void)close(device->fd);
	device->fd = -1;
}

static int
device_open(struct device *device, const char *name)
{
	struct ethtool_gstrings *names = NULL;
	uint32_t count;
	int result = -1;

	device->name = name;
	device->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (device->fd < 0)
		return -1;
	count = feature_count(device);
	if (count == 0)
		goto out;
	device->blocks = (count + 31) / 32;
	names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	if (names == NULL)
		goto out;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count;
	if (device_command(device, names) != 0 || names->len > count)
		goto out;
	feature_find(device, names);
	result = 0;
out:
	free(names);
	if (result != 0)
		device_close(device);
	return result;
}

/* A bit for each merging that is on: all that are, and those among them that may be changed. */
static int
device_read(const struct device *device, unsigned *on, unsigned *changeable)
{
	size_t size = sizeof(struct ethtool_gfeatures) + device->blocks * sizeof(struct ethtool_get_features_block);
	struct ethtool_gfeatures *features = calloc(1, size);
	int result = -1;

	*on = *changeable = 0;
	if (features == NULL)
		return -1;
	features->cmd = ETHTOOL_GFEATURES;
	features->size = device->blocks;
	if (device_command(device, features) != 0)
		goto out;
	for (unsigned i = 0; i < ARRAY_LEN(mergings); i++) {
		const struct ethtool_get_features_block *block = &features->features[device->number[i] / 32];
		uint32_t bit = 1U << device->number[i] % 32;

		if (device->number[i] == FEATURES_MOST || (block->active & bit) == 0)
			continue;
		*on |= 1U << i;
		if ((block->available & ~block->never_changed & bit) != 0)
			*changeable |= 1U << i;
	}
	result = 0;
out:
	free(features);
	return result;
}

static int
device_write(const struct device *device, unsigned which, bool on)
{
	size_t size = sizeof(struct ethtool_sfeatures) + device->blocks * sizeof(struct ethtool_set_features_block);
	struct ethtool_sfeatures *features = calloc(1, size);
	int result;

	if (features == NULL)
		return -1;
	features->cmd = ETHTOOL_SFEATURES;
	features->size = device->blocks;
	for (unsigned i = 0; i < ARRAY_LEN(mergings); i++) {
		struct ethtool_set_features_block *block = &features->features[device->number[i] / 32];
		uint32_t bit = 1U << device->number[i] % 32;

		if (device->number[i] == FEATURES_MOST || (which & 1U << i) == 0)
			continue;
		block->valid |= bit;
		if (on)
			block->requested |= bit;
	}
	/* Above 0 are wishes that the kernel did not grant: reading back shows which. */
	result = device_command(device, features);
	free(features);
	return result < 0 ? -1 : 0;
}

int
os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR])
{
	struct device device;
	struct offload left;
	char text[OFFLOAD_TEXT];
	unsigned before, after, changeable, ignored;
	const char *reason = "the driver does not allow it";

	offload->turned_off = 0;
	if (device_open(&device, iface) != 0 || device_read(&device, &before, &changeable) != 0) {
		(void)snprintf(error, OS_ERROR, "cannot read the receive offloads of %s: %s", iface, strerror(errno));
		device_close(&device);
		return -1;
	}
	if (changeable != 0 && device_write(&device, changeable, false) != 0)
		reason = strerror(errno);
	if (device_read(&device, &after, &ignored) != 0)
		after = before;
	device_close(&device);
	offload->turned_off = before & ~after;
	if (after == 0)
		return 0;
	left.turned_off = after;
	(void)snprintf(error, OS_ERROR, "cannot turn %s off on %s: %s", os_offload_text(&left, text), iface, reason);
	return -1;
}

int
os_offload_read(const char *iface, struct offload *on)
{
	struct device device;
	unsigned changeable;
	int result = -1;

	if (device_open(&device, iface) == 0)
		result = device_read(&device, &on->turned_off, &changeable);
	device_close(&device);
	return result;
}

int
os_offload_restore(const char *iface, const struct offload *offload, char error[OS_ERROR])
{
	struct device device;
	int result;

	if (offload->turned_off == 0)
		return 0;
	if (device_open(&device, iface) != 0) {
		(void)snprintf(
		    error, OS_ERROR, "cannot turn receive offloads of %s on again: %s", iface, strerror(errno));
		return -1;
	}
	result = device_write(&device, offload->turned_off, true);
	if (result != 0) {
		char text[OFFLOAD_TEXT];

		(void)snprintf(error, OS_ERROR, "cannot turn %s on again on %s: %s", os_offload_text(offload, text),
		    iface, strerror(errno));
	}
	device_close(&device);
	return result;
}

const char *
os_offload_text(const struct offload *offload, char text[OFFLOAD_TEXT])
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(mergings); i++) {
		if ((offload->turned_off & 1U << i) == 0)
			continue;
		length += (size_t)snprintf(
		    text + length, OFFLOAD_TEXT - length, "%s%s", length > 0 ? " " : "", mergings[i].name);
		if (length >= OFFLOAD_TEXT)
			break;
	}
	if (length == 0)
		(void)snprintf(text, OFFLOAD_TEXT, "none");
	return text;
}
