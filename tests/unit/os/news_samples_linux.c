/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "news_samples.h"

#include <sys/socket.h>

#include <linux/rtnetlink.h>

#include "base/attr.h"

static const struct nlmsghdr link_came = {.nlmsg_len = sizeof(link_came), .nlmsg_type = RTM_NEWLINK};
static const struct nlmsghdr link_went = {.nlmsg_len = sizeof(link_went), .nlmsg_type = RTM_DELLINK};
static const struct nlmsghdr address_came = {.nlmsg_len = sizeof(address_came), .nlmsg_type = RTM_NEWADDR};
static const struct nlmsghdr address_went = {.nlmsg_len = sizeof(address_went), .nlmsg_type = RTM_DELADDR};
static const struct nlmsghdr route_came = {.nlmsg_len = sizeof(route_came), .nlmsg_type = RTM_NEWROUTE};
static const struct nlmsghdr too_long = {.nlmsg_len = sizeof(too_long) + 1, .nlmsg_type = RTM_NEWLINK};
static const struct nlmsghdr too_short = {.nlmsg_len = sizeof(too_short) - 1, .nlmsg_type = RTM_NEWLINK};
static const struct nlmsghdr two[] = {
	{.nlmsg_len = sizeof(two[0]), .nlmsg_type = RTM_NEWROUTE},
	{.nlmsg_len = sizeof(two[0]), .nlmsg_type = RTM_NEWLINK},
};

static const struct news_sample samples[] = {
	{&link_came, sizeof(link_came), true, false},
	{&link_went, sizeof(link_went), true, false},
	{&address_came, sizeof(address_came), true, false},
	{&address_went, sizeof(address_went), true, false},
	{&two, sizeof(two), true, false},
	{&route_came, sizeof(route_came), false, true},
	{&too_long, sizeof(too_long), false, false},
	{&too_short, sizeof(too_short), false, false},
	{&link_came, sizeof(link_came) - 1, false, false},
	{&link_came, 1, false, false},
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
