/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "news_samples.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <net/if.h>
#include <net/route.h>

#include "base/attr.h"

static const struct if_msghdr link_changed = {
	.ifm_msglen = sizeof(link_changed), .ifm_version = RTM_VERSION, .ifm_type = RTM_IFINFO};
static const struct ifa_msghdr address_came = {
	.ifam_msglen = sizeof(address_came), .ifam_version = RTM_VERSION, .ifam_type = RTM_NEWADDR};
static const struct ifa_msghdr address_went = {
	.ifam_msglen = sizeof(address_went), .ifam_version = RTM_VERSION, .ifam_type = RTM_DELADDR};
static const struct rt_msghdr route_came = {
	.rtm_msglen = sizeof(route_came), .rtm_version = RTM_VERSION, .rtm_type = RTM_ADD};
static const struct if_msghdr other_version = {
	.ifm_msglen = sizeof(other_version), .ifm_version = RTM_VERSION + 1, .ifm_type = RTM_IFINFO};

static const struct news_sample samples[] = {
	{&link_changed, sizeof(link_changed), true},
	{&address_came, sizeof(address_came), true},
	{&address_went, sizeof(address_went), true},
	{&route_came, sizeof(route_came), false},
	{&other_version, sizeof(other_version), false},
	{&link_changed, sizeof(link_changed) - 1, false},
};

size_t
news_sample_count(void)
{
	return ARRAY_LEN(samples);
}

const struct news_sample *
news_sample(size_t number)
{
	return &samples[number];
}
