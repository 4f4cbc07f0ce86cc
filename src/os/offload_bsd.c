/* SPDX-License-Identifier: ISC */
/*
 * Large receive offload, by the capabilities of an interface, which each system has in its own way: as ifconfig's lro
 * on FreeBSD and macOS, tcplro on OpenBSD. Where a system has no such thing, nothing is merged.
 */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sockio.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LRO 1U /* the only bit of `turned_off` here */

#if defined(IFXF_LRO)

/* OpenBSD 7.3. */
static int
lro_read(int fd, const char *iface, struct ifreq *request, bool *on)
{
	memset(request, 0, sizeof(*request));
	(void)snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", iface);
	if (ioctl(fd, SIOCGIFXFLAGS, request) == -1)
		return -1;
	*on = (request->ifr_flags & IFXF_LRO) != 0;
	return 0;
}

static int
lro_set(int fd, const char *iface, bool on)
{
	struct ifreq request;
	bool was;

	if (lro_read(fd, iface, &request, &was) == -1)
		return -1;
	request.ifr_flags = (short)(on ? request.ifr_flags | IFXF_LRO : request.ifr_flags & ~IFXF_LRO);
	return ioctl(fd, SIOCSIFXFLAGS, &request);
}

#define LRO_REQUEST struct ifreq
#define LRO_COMMAND "tcplro"

#elif defined(SIOCSIFCAP) && defined(IFCAP_LRO) && defined(ifr_curcap)

/* FreeBSD, macOS. */
static int
lro_read(int fd, const char *iface, struct ifreq *request, bool *on)
{
	memset(request, 0, sizeof(*request));
	(void)snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", iface);
	if (ioctl(fd, SIOCGIFCAP, request) == -1)
		return -1;
	*on = (request->ifr_curcap & IFCAP_LRO) != 0;
	return 0;
}

static int
lro_set(int fd, const char *iface, bool on)
{
	struct ifreq request;
	bool was;

	if (lro_read(fd, iface, &request, &was) == -1)
		return -1;
	request.ifr_reqcap = on ? request.ifr_curcap | IFCAP_LRO : request.ifr_curcap & ~IFCAP_LRO;
	return ioctl(fd, SIOCSIFCAP, &request);
}

#define LRO_REQUEST struct ifreq
#define LRO_COMMAND "lro"

#elif defined(SIOCSIFCAP) && defined(IFCAP_LRO)

/* NetBSD. */
static int
lro_read(int fd, const char *iface, struct ifcapreq *request, bool *on)
{
	memset(request, 0, sizeof(*request));
	(void)snprintf(request->ifcr_name, sizeof(request->ifcr_name), "%s", iface);
	if (ioctl(fd, SIOCGIFCAP, request) == -1)
		return -1;
	*on = (request->ifcr_capenable & IFCAP_LRO) != 0;
	return 0;
}

static int
lro_set(int fd, const char *iface, bool on)
{
	struct ifcapreq request;
	bool was;

	if (lro_read(fd, iface, &request, &was) == -1)
		return -1;
	request.ifcr_capenable =
	    on ? request.ifcr_capenable | IFCAP_LRO : request.ifcr_capenable & ~(uint64_t)IFCAP_LRO;
	return ioctl(fd, SIOCSIFCAP, &request);
}

#define LRO_REQUEST struct ifcapreq
#define LRO_COMMAND "lro"

#else

/* DragonFly. An interface without the feature looks the same as one where it is off. */
static int
lro_read(int fd UNUSED, const char *iface, struct ifreq *request UNUSED, bool *on)
{
	*on = false;
	return if_nametoindex(iface) == 0 ? -1 : 0;
}

static int
lro_set(int fd UNUSED, const char *iface UNUSED, bool on UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

#define LRO_REQUEST struct ifreq
#define LRO_COMMAND "lro"

#endif

/* A driver may refuse in silence, so what counts is what is read back. 0, or -1 with errno. */
static int
lro_change(const char *iface, bool on, bool *was, bool *is)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	LRO_REQUEST request;
	int result = -1, saved;

	if (fd == -1)
		return -1;
	if (lro_read(fd, iface, &request, was) == -1)
		goto out;
	*is = *was;
	if (*was != on && lro_set(fd, iface, on) == -1)
		goto out;
	result = lro_read(fd, iface, &request, is);
out:
	saved = errno;
	(void)close(fd);
	errno = saved;
	return result;
}

int
os_offload_off(const char *iface, struct offload *offload, char error[OS_ERROR])
{
	bool was = false, is = false;

	offload->turned_off = 0;
	if (lro_change(iface, false, &was, &is) == -1) {
		(void)snprintf(error, OS_ERROR,
		    "cannot turn lro off on %s: %s: as root type: ifconfig %s -" LRO_COMMAND, iface, strerror(errno), iface);
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
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	LRO_REQUEST request;
	bool is = false;
	int result;

	on->turned_off = 0;
	if (fd == -1)
		return -1;
	result = lro_read(fd, iface, &request, &is);
	(void)close(fd);
	if (result == 0 && is)
		on->turned_off = LRO;
	return result;
}

int
os_offload_restore(const char *iface, const struct offload *offload, char error[OS_ERROR])
{
	bool was, is = false;

	if ((offload->turned_off & LRO) == 0)
		return 0;
	if (lro_change(iface, true, &was, &is) == 0 && is)
		return 0;
	(void)snprintf(error, OS_ERROR, "cannot turn lro on again on %s: %s: as root type: ifconfig %s " LRO_COMMAND, iface,
	    is ? "the driver does not allow it" : strerror(errno), iface);
	return -1;
}

const char *
os_offload_text(const struct offload *offload, char text[OFFLOAD_TEXT])
{
	(void)snprintf(text, OFFLOAD_TEXT, "%s", (offload->turned_off & LRO) != 0 ? "lro" : "none");
	return text;
}
