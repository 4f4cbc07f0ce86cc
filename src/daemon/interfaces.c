/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/interfaces.h"

#include <errno.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "daemon/iface_lock.h"
#include "daemon/host_shield.h"
#include "daemon/local_server.h"
#include "daemon/loop.h"
#include "daemon/offloading.h"
#include "daemon/privsep.h"
#include "io/io_lend.h"

/* The number of system interfaces examined to find a server by its address, at most. */
#define NAMES_MOST 256

static enum exit_status
interfaces_exit_status(int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return EXIT_NO_PERMISSION;
	case ENODEV:
	case ENXIO:
	case ENETDOWN:
	case ENOTSUP:
		return EXIT_NO_INTERFACE;
	default:
		return EXIT_SYSTEM;
	}
}

static struct iface_lock *
interfaces_take_lock(struct interfaces *interfaces, const char *name, char error[IFACE_LOCK_ERROR])
{
	int fd;

	if (interfaces->privsep == NULL)
		return iface_lock_take(name, getpid(), interfaces->control, error);
	fd = privsep_lock(interfaces->privsep, name, error, IFACE_LOCK_ERROR);
	return fd == -1 ? NULL : iface_lock_given(fd);
}

/* A dsrd that only observes sends nothing and takes no lock. */
static enum exit_status
interfaces_lock_one(struct interfaces *interfaces, uint16_t index)
{
	const char *name = interfaces->director->ifaces[index].name;
	char error[IFACE_LOCK_ERROR];

	if (interfaces->observe || interfaces->locks[index] != NULL)
		return EXIT_OK;
	interfaces->locks[index] = interfaces_take_lock(interfaces, name, error);
	if (interfaces->locks[index] != NULL)
		return EXIT_OK;
	log_error("interface-failed interface=%s reason=\"%s\"", name, error);
	return EXIT_SYSTEM;
}

static void
interfaces_unlock_one(struct interfaces *interfaces, size_t index)
{
	if (interfaces->locks[index] != NULL && interfaces->privsep != NULL)
		privsep_unlock(interfaces->privsep, interfaces->director->ifaces[index].name);
	iface_lock_release(interfaces->locks[index]);
	interfaces->locks[index] = NULL;
}

/* `again`: it was open before and is tried until it works, so a failure is not logged. */
static enum exit_status
interfaces_open_one(struct interfaces *interfaces, uint16_t index, bool again)
{
	struct nic *nic = &interfaces->nics[index];
	const struct iface *iface = &interfaces->director->ifaces[index];
	struct receiver *receiver;
	char error[IO_ERROR];

	nic->privsep = interfaces->privsep;
	if (nic_open(nic, iface, index, interfaces->observe, interfaces->bypass, error) == -1) {
		const enum exit_status status = interfaces_exit_status(errno);
		/* A system without partial privileges opens nothing once root is dropped. */
		const char *missing = status == EXIT_NO_INTERFACE || interfaces->privsep != NULL ? NULL :
		    os_missing_privilege();

		if (again)
			log_debug("interface-failed interface=%s reason=\"%s\"", iface->name, error);
		else
			log_error("interface-failed interface=%s reason=\"%s%s%s\"", iface->name, error,
			    missing != NULL ? "; " : "", missing != NULL ? missing : "");
		return status;
	}
	receiver = nic->receiver;
	if (loop_watch(interfaces->loop, index, receiver->ops->descriptor(receiver), receiver->ops->wait(receiver)) ==
	    -1) {
		log_error("interface-failed interface=%s reason=\"the event loop cannot watch it\"", iface->name);
		nic_close(nic, iface);
		return EXIT_SYSTEM;
	}
	if (interfaces->locked)
		nic_lock(nic, iface);
	return EXIT_OK;
}

/* Reads the facts of the named interface and opens it, unless that is done already. */
static enum exit_status
interfaces_prepare_one(struct interfaces *interfaces, const char *name, uint16_t *index)
{
	char error[OS_ERROR];
	struct iface facts;

	if (os_iface_read(name, &facts, error) == -1) {
		const enum exit_status status = interfaces_exit_status(errno);

		log_error("interface-failed interface=%s reason=\"%s\"", name, error);
		return status;
	}
	*index = director_iface(interfaces->director, name);
	if (*index == IFACE_NONE) {
		log_error("interface-failed interface=%s reason=\"dsrd works on %d interfaces at most\"", name,
		    IFACES_MOST);
		return EXIT_BAD_CONFIG;
	}
	/* The table has properties of interfaces in it, and is used until the next one, also when the reload fails. */
	interfaces->director->stale |= !iface_equal(&facts, &interfaces->director->ifaces[*index]);
	interfaces->director->ifaces[*index] = facts;
	if (nic_is_open(&interfaces->nics[*index]))
		return EXIT_OK;
	if (interfaces_lock_one(interfaces, *index) != EXIT_OK)
		return EXIT_SYSTEM;
	return interfaces_open_one(interfaces, *index, false);
}

/* The name of the system's interface whose prefix contains `addr`, or NULL. */
static const char *
interfaces_find_by_address(const struct addr *addr, char names[][IFACE_NAME], size_t count)
{
	char error[OS_ERROR];
	struct iface facts;

	for (size_t i = 0; i < count; i++)
		if (os_iface_read(names[i], &facts, error) == 0 && !mac_is_zero(&facts.mac) &&
		    iface_is_on_link(&facts, addr))
			return names[i];
	return NULL;
}

static enum exit_status
interfaces_prepare_server(struct interfaces *interfaces, const struct server_settings *server, uint16_t service_iface,
    char names[][IFACE_NAME], size_t count)
{
	const char *name = server->iface;
	uint16_t index;

	if (server->method == ENCAP_LOCAL)
		return EXIT_OK;
	if (name[0] == '\0') {
		if (iface_is_on_link(&interfaces->director->ifaces[service_iface], &server->addr))
			return EXIT_OK;
		name = interfaces_find_by_address(&server->addr, names, count);
	}
	return name == NULL ? EXIT_OK : interfaces_prepare_one(interfaces, name, &index);
}

/* Not to a network, but to this host's own stack. */
static enum exit_status
interfaces_prepare_local(struct interfaces *interfaces)
{
	const char *loopback = os_loopback();
	char error[IO_ERROR];
	int number;

	if (interfaces->local != NULL || interfaces->observe || loopback == NULL)
		return EXIT_OK;
	if (privsep_lend(interfaces->privsep, PRIVSEP_SENDER, loopback, error, sizeof(error)) == 0) {
		interfaces->local = io_libnet_open(loopback, false, error);
		number = errno;
		io_lend_end();
		errno = number;
	}
	if (interfaces->local != NULL)
		return EXIT_OK;
	number = errno;
	log_error("interface-failed interface=%s reason=\"%s\"", loopback, error);
	return interfaces_exit_status(number);
}

static void
interfaces_close_local(struct interfaces *interfaces)
{
	char error[IO_ERROR];

	if (interfaces->local != NULL)
		(void)interfaces->local->ops->close(interfaces->local, error);
	interfaces->local = NULL;
}

enum exit_status
interfaces_prepare(struct interfaces *interfaces, const struct settings *settings)
{
	char names[NAMES_MOST][IFACE_NAME];
	const size_t count = os_iface_list(names, NAMES_MOST);
	enum exit_status status = EXIT_OK;
	uint16_t index;

	for (size_t i = 0; i < settings->service_count && status == EXIT_OK; i++) {
		const struct service_settings *service = &settings->services[i];

		status = interfaces_prepare_one(interfaces, service->iface, &index);
		for (size_t j = 0; j < service->server_count && status == EXIT_OK; j++)
			status = interfaces_prepare_server(interfaces, &service->servers[j], index, names, count);
	}
	for (size_t i = 0; i < settings->service_count && status == EXIT_OK; i++)
		if (service_settings_have_local(&settings->services[i]))
			status = interfaces_prepare_local(interfaces);
	return status;
}

static enum exit_status
interfaces_check_probe_addr(const struct addr *addr)
{
	char text[ADDR_TEXT], holder[IFACE_NAME] = "", fix[OS_COMMAND];

	if (!addr_is_set(addr) || !os_holds_address(addr, holder))
		return EXIT_OK;
	addr_format(addr, text);
	os_release_command(addr, holder, fix, sizeof(fix));
	log_error("probe-address result=held address=%s interface=%s reason=\"this host's own kernel holds it: no host "
	    "may; "
	    "remove it, as in `%s`, or choose a free one\"", text, holder, fix);
	return EXIT_BAD_CONFIG;
}

static enum exit_status
interfaces_check_server(const struct service_settings *service, const struct server_settings *server)
{
	char addr[ADDR_TEXT], holder[IFACE_NAME] = "";

	if (server->method == ENCAP_LOCAL || !os_holds_address(&server->addr, holder))
		return EXIT_OK;
	addr_format(&server->addr, addr);
	log_error("server-address server=%s/%s address=%s interface=%s file=\"%s\" line=%u reason=\"the address is this "
	    "host's own, so its packets would come back: if this director is to be one of the servers, write `server = "
	    "%s %s local`, and give the host the VIPs by `dsr-realserver apply`\"", service->name, server->name, addr,
	    holder, server->file, server->line, server->name, addr);
	return EXIT_BAD_CONFIG;
}

static enum exit_status
interfaces_check_servers(const struct service_settings *service)
{
	enum exit_status status = EXIT_OK;

	for (size_t i = 0; i < service->server_count; i++)
		if (interfaces_check_server(service, &service->servers[i]) != EXIT_OK)
			status = EXIT_BAD_CONFIG;
	return status;
}

enum exit_status
interfaces_check_addresses(const struct settings *settings)
{
	enum exit_status status = EXIT_OK;

	for (size_t i = 0; i < PROBE_ADDRESSES; i++)
		if (interfaces_check_probe_addr(&settings->probe_addresses[i]) != EXIT_OK)
			status = EXIT_BAD_CONFIG;
	for (size_t i = 0; i < settings->service_count; i++) {
		if (interfaces_check_servers(&settings->services[i]) != EXIT_OK)
			status = EXIT_BAD_CONFIG;
		for (size_t j = 0; j < settings->services[i].listen_count; j++) {
			const struct addr *vip = &settings->services[i].listens[j].vip;
			char text[ADDR_TEXT], holder[IFACE_NAME] = "", fix[OS_COMMAND];

			if (j > 0 && addr_equal(vip, &settings->services[i].listens[j - 1].vip))
				continue;
			if (settings_serve_locally(settings, vip) || !os_holds_address(vip, holder))
				continue;
			addr_format(vip, text);
			os_release_command(vip, holder, fix, sizeof(fix));
			log_error("vip-held service=%s vip=%s interface=%s reason=\"this host's own kernel holds the "
			    "VIP and "
			    "would reset every connection to it: remove it, as in `%s`\"", settings->services[i].name,
			    text,
			    holder, fix);
			status = EXIT_BAD_CONFIG;
		}
	}
	return status;
}

static void
interfaces_close_one(struct interfaces *interfaces, size_t index)
{
	loop_unwatch(interfaces->loop, index);
	offloading_end(interfaces->offloading, index);
	host_shield_end(interfaces->host_shield, index);
	nic_close(&interfaces->nics[index], &interfaces->director->ifaces[index]);
}

void
interfaces_settle(struct interfaces *interfaces)
{
	const struct director *director = interfaces->director;

	for (size_t i = 0; i < director->iface_count; i++)
		if (!model_uses(director->model, i)) {
			if (nic_is_open(&interfaces->nics[i]))
				interfaces_close_one(interfaces, i);
			interfaces_unlock_one(interfaces, i);
		}
	offloading_settle(interfaces->offloading);
	host_shield_settle(interfaces->host_shield);
	if (!model_has_local(director->model))
		interfaces_close_local(interfaces);
	local_servers_look(interfaces->director, interfaces->host_shield);
}

void
interfaces_rejoin(struct interfaces *interfaces)
{
	struct director *director = interfaces->director;

	for (size_t i = 0; i < director->iface_count; i++)
		nic_rejoin(&interfaces->nics[i], &director->ifaces[i], (uint16_t)i, director->model);
}

void
interfaces_listen(struct interfaces *interfaces)
{
	if (interfaces->listeners++ == 0)
		offloading_filter(interfaces->offloading, true);
}

void
interfaces_unlisten(struct interfaces *interfaces)
{
	if (--interfaces->listeners == 0)
		offloading_filter(interfaces->offloading, false);
}

void
interfaces_lose(struct interfaces *interfaces, size_t index, const char *reason)
{
	log_warning("interface-lost interface=%s reason=\"%s\"", interfaces->director->ifaces[index].name, reason);
	interfaces_close_one(interfaces, index);
}

/*
 * Reads the facts again; says whether they matter differently now. What is wrong with them is the problem list's to
 * say.
 */
static bool
interfaces_facts_changed(struct iface *iface)
{
	char error[OS_ERROR], mac[MAC_TEXT];
	struct iface facts;
	bool changed;

	if (os_iface_read(iface->name, &facts, error) == -1) {
		facts = *iface;
		facts.up = false;
		facts.gone = errno == ENXIO;
	}
	changed = !iface_equal(&facts, iface);
	if (!mac_equal(&facts.mac, &iface->mac))
		log_notice("interface-changed interface=%s mac=%s", iface->name, mac_format(&facts.mac, mac));
	*iface = facts;
	return changed;
}

static bool
interfaces_reopen(struct interfaces *interfaces, uint16_t index)
{
	if (interfaces_open_one(interfaces, index, true) != EXIT_OK)
		return false;
	log_notice("interface-back interface=%s", interfaces->director->ifaces[index].name);
	return true;
}

void
interfaces_rescan(struct interfaces *interfaces, uint64_t now)
{
	struct director *director = interfaces->director;
	bool changed = false;

	for (size_t i = 0; i < director->iface_count; i++) {
		if (!model_uses(director->model, i))
			continue;
		/*
		 * In this order: an interface that is just being set up is opened with its present properties, or
		 * when the system reports that it is up.
		 */
		changed |= interfaces_facts_changed(&director->ifaces[i]);
		if (!nic_is_open(&interfaces->nics[i]))
			changed |= interfaces_reopen(interfaces, (uint16_t)i);
	}
	offloading_rescan(interfaces->offloading);
	if (!director_routes_changed(director) && !changed)
		return;
	if (director_place(director, now) == -1 || director_announce(director, now) == -1)
		log_error("interface-changed result=failed reason=\"out of memory\"");
	director_refresh(director);
	interfaces_settle(interfaces);
}

void
interfaces_lock(struct interfaces *interfaces)
{
	if (!os_can_lock())
		return;
	interfaces->locked = true;
	for (size_t i = 0; i < interfaces->director->iface_count; i++)
		nic_lock(&interfaces->nics[i], &interfaces->director->ifaces[i]);
}

void
interfaces_close(struct interfaces *interfaces)
{
	interfaces_close_local(interfaces);
	for (size_t i = 0; i < interfaces->director->iface_count; i++) {
		interfaces_close_one(interfaces, i);
		interfaces_unlock_one(interfaces, i);
	}
}
