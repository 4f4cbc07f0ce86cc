/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "news_samples.h"

#include <sys/types.h>
#include <sys/socket.h>

#include <assert.h>
#include <net/if.h>
#include <net/route.h>

#include "base/attr.h"
#include "bsd_messages.h"

/* Of these systems test_bsd_bytes.c has messages. */
#if defined(__FreeBSD__)
static_assert(FREEBSD_VERSION == RTM_VERSION && FREEBSD_ADD == RTM_ADD && FREEBSD_NEWADDR == RTM_NEWADDR &&
    FREEBSD_DELADDR == RTM_DELADDR && FREEBSD_IFINFO == RTM_IFINFO && FREEBSD_IFANNOUNCE == RTM_IFANNOUNCE,
    "bsd_messages.h must have the kernel's numbers");
#ifdef __LP64__
static_assert(FREEBSD_ROUTE_BYTES == sizeof(struct rt_msghdr) && FREEBSD_ADDRESS_BYTES == sizeof(struct ifa_msghdr) &&
    FREEBSD_IFINFO_BYTES == sizeof(struct if_msghdr) && FREEBSD_IFANNOUNCE_BYTES == sizeof(struct if_announcemsghdr),
    "bsd_messages.h must have the kernel's sizes");
#endif
#elif defined(__NetBSD__)
static_assert(NETBSD_VERSION == RTM_VERSION && NETBSD_ADD == RTM_ADD && NETBSD_NEWADDR == RTM_NEWADDR &&
    NETBSD_DELADDR == RTM_DELADDR && NETBSD_IFINFO == RTM_IFINFO && NETBSD_IFANNOUNCE == RTM_IFANNOUNCE &&
    NETBSD_CHGADDR == RTM_CHGADDR, "bsd_messages.h must have the kernel's numbers");
#ifdef __LP64__
static_assert(NETBSD_ROUTE_BYTES == sizeof(struct rt_msghdr) && NETBSD_ADDRESS_BYTES == sizeof(struct ifa_msghdr) &&
    NETBSD_IFINFO_BYTES == sizeof(struct if_msghdr) && NETBSD_IFANNOUNCE_BYTES == sizeof(struct if_announcemsghdr),
    "bsd_messages.h must have the kernel's sizes");
#endif
#elif defined(__OpenBSD__)
static_assert(OPENBSD_VERSION == RTM_VERSION && OPENBSD_ADD == RTM_ADD && OPENBSD_NEWADDR == RTM_NEWADDR &&
    OPENBSD_DELADDR == RTM_DELADDR && OPENBSD_IFINFO == RTM_IFINFO && OPENBSD_IFANNOUNCE == RTM_IFANNOUNCE &&
    OPENBSD_DESYNC == RTM_DESYNC, "bsd_messages.h must have the kernel's numbers");
#ifdef __LP64__
static_assert(OPENBSD_ROUTE_BYTES == sizeof(struct rt_msghdr) && OPENBSD_ADDRESS_BYTES == sizeof(struct ifa_msghdr) &&
    OPENBSD_IFINFO_BYTES == sizeof(struct if_msghdr) && OPENBSD_IFANNOUNCE_BYTES == sizeof(struct if_announcemsghdr),
    "bsd_messages.h must have the kernel's sizes");
#endif
#endif

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
	{&link_changed, sizeof(link_changed), true, false},
	{&address_came, sizeof(address_came), true, false},
	{&address_went, sizeof(address_went), true, false},
	{&route_came, sizeof(route_came), false, false},
	{&other_version, sizeof(other_version), false, false},
	{&link_changed, sizeof(link_changed) - 1, false, false},
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
