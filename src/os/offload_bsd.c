/* SPDX-License-Identifier: ISC */
/*
 * Large receive offload, by the capabilities of an interface, which each system has in its own way: as ifconfig's lro
 * on FreeBSD and macOS, tcplro on OpenBSD (tso before 7.4). Where a system has no such thing, nothing is merged.
 */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sockio.h>

#include <errno.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LRO 1U /* the only bit of `turned_off` here */

/* Each system's request: its structure, the ioctls, and the members for the current and the wanted state. */
#if defined(IFXF_LRO) || (defined(__OpenBSD__) && defined(IFXF_TSO)) /* OpenBSD; before 7.4 by another name */
#define LRO_REQUEST struct ifreq
#define LRO_NAME ifr_name
#define LRO_READ SIOCGIFXFLAGS
#define LRO_SET SIOCSIFXFLAGS
#define LRO_IS ifr_flags
#define LRO_WANTED ifr_flags
#define LRO_WORD short
#ifdef IFXF_LRO
#define LRO_BIT IFXF_LRO
#define LRO_COMMAND "tcplro"
#else
#define LRO_BIT IFXF_TSO
#define LRO_COMMAND "tso"
#endif
#elif defined(SIOCSIFCAP) && defined(IFCAP_LRO) && defined(ifr_curcap) /* FreeBSD, macOS */
#define LRO_REQUEST struct ifreq
#define LRO_NAME ifr_name
#define LRO_READ SIOCGIFCAP
#define LRO_SET SIOCSIFCAP
#define LRO_IS ifr_curcap
#define LRO_WANTED ifr_reqcap
#define LRO_WORD int
#define LRO_BIT IFCAP_LRO
#elif defined(SIOCSIFCAP) && defined(IFCAP_LRO) /* NetBSD */
#define LRO_REQUEST struct ifcapreq
#define LRO_NAME ifcr_name
#define LRO_READ SIOCGIFCAP
#define LRO_SET SIOCSIFCAP
#define LRO_IS ifcr_capenable
#define LRO_WANTED ifcr_capenable
#define LRO_WORD uint64_t
#define LRO_BIT IFCAP_LRO
#else /* DragonFly */
#define LRO_REQUEST struct ifreq
#endif

#ifndef LRO_COMMAND
#define LRO_COMMAND "lro"
#endif

#ifdef LRO_READ

static int
lro_read(int fd, const char *iface, LRO_REQUEST *request, bool *on)
{
	memset(request, 0, sizeof(*request));
	(void)snprintf(request->LRO_NAME, sizeof(request->LRO_NAME), "%s", iface);
	if (ioctl(fd, LRO_READ, request) == -1)
		return -1;
	*on = (request->LRO_IS & LRO_BIT) != 0;
	return 0;
}

/* The request is what lro_read() left: all else stays as it is. */
static int
lro_set(int fd, LRO_REQUEST *request, bool on)
{
	request->LRO_WANTED =
	    (LRO_WORD)(on ? request->LRO_IS | (LRO_WORD)LRO_BIT : request->LRO_IS & ~(LRO_WORD)LRO_BIT);
	return ioctl(fd, LRO_SET, request);
}

#else

/* An interface without the feature looks the same as one where it is off. */
static int
lro_read(int fd UNUSED, const char *iface, LRO_REQUEST *request UNUSED, bool *on)
{
	*on = false;
	return if_nametoindex(iface) == 0 ? -1 : 0;
}

static int
lro_set(int fd UNUSED, LRO_REQUEST *request UNUSED, bool on UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

#endif

/*
 * Sets the wanted state; NULL only reads. A driver may ignore the request silently, so the state read back counts.
 * Returns 0, or -1 with errno.
 */
static int
lro_change(const char *iface, const bool *wanted, bool *was, bool *is)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	LRO_REQUEST request;
	int result = -1, saved;

	*was = *is = false;
	if (fd == -1)
		return -1;
	if (lro_read(fd, iface, &request, was) == -1)
		goto out;
	*is = *was;
	if (wanted != NULL && *was != *wanted)
		result = lro_set(fd, &request, *wanted) == -1 ? -1 : lro_read(fd, iface, &request, is);
	else
		result = 0;
out:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}

int
os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR])
{
	const bool off = false;
	bool was, is;

	offload->turned_off = 0;
	if (lro_change(iface, &off, &was, &is) == -1) {
		/* No command helps on an interface that is gone. */
		if (errno == ENXIO)
			(void)snprintf(error, OS_ERROR, "cannot turn lro off on %s: there is no such interface", iface);
		else
			(void)snprintf(error, OS_ERROR, "cannot turn lro off on %s: %s: as root type: ifconfig %s -"
			    LRO_COMMAND,
			    iface, strerror(errno), iface);
		return -1;
	}
	if (was && !is)
		offload->turned_off = LRO;
	if (!is)
		return 0;
	(void)snprintf(error, OS_ERROR, "cannot turn lro off on %s: the driver does not allow it", iface);
	return -1;
}

int
os_offload_read(const char *iface, struct offload *on)
{
	bool was, is;

	on->turned_off = 0;
	if (lro_change(iface, NULL, &was, &is) == -1)
		return -1;
	on->turned_off = is ? LRO : 0;
	return 0;
}

int
os_offload_restore(const char *iface, const struct offload *offload, char error[OS_ERROR])
{
	const bool on = true;
	bool was, is;
	int result;

	if ((offload->turned_off & LRO) == 0)
		return 0;
	result = lro_change(iface, &on, &was, &is);
	if (result == 0 && is)
		return 0;
	(void)snprintf(error, OS_ERROR, "cannot turn lro on again on %s: %s: as root type: ifconfig %s " LRO_COMMAND,
	    iface,
	    result == 0 ? "the driver does not allow it" : strerror(errno), iface);
	return -1;
}

const char *
os_offload_text(const struct offload *offload, char text[OFFLOAD_TEXT])
{
	(void)snprintf(text, OFFLOAD_TEXT, "%s", (offload->turned_off & LRO) != 0 ? "lro" : "none");
	return text;
}
