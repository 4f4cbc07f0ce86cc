/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/peering_settings.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/privsep.h"

static_assert(CONF_PEERS == SHARE_PEERS, "the configuration takes as many peers as there can be");

int
peering_open_key(const char *path)
{
	return open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* NULL, or what is wrong with the file. */
static const char *
peering_key_fault(int fd, const struct session_secret *secret)
{
	struct stat status;

	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode))
		return "it is not a regular file";
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return "others can read it: type `chmod 600` and its name";
	if (status.st_uid != 0 && status.st_uid != geteuid())
		return "its owner is neither root nor the user that starts dsrd";
	if (secret->length < SESSION_SECRET_LEAST)
		return "it has fewer than 16 bytes: type `head -c 32 /dev/urandom | base64 >` and its name, and copy "
		    "it to each peer";
	if (secret->length > SESSION_SECRET_MOST)
		return "it has more than 1024 bytes";
	return NULL;
}

/* The first line, or all of a file without one. */
static int
peering_read_key(const char *path, struct privsep *privsep, struct session_secret *secret,
    char error[PEERING_ERROR])
{
	char bytes[SESSION_SECRET_MOST + 2], reason[PRIVSEP_REASON] = "";
	const char *fault, *end;
	const int fd = privsep == NULL ? peering_open_key(path) :
	    privsep_peer(privsep, PRIVSEP_SYNC_KEY, reason, sizeof(reason));
	const ssize_t length = fd == -1 ? -1 : read(fd, bytes, sizeof(bytes));

	if (length == -1) {
		/* The reason of the privileged process begins with the path. */
		if (reason[0] != '\0')
			(void)snprintf(error, PEERING_ERROR, "sync-key-file %s", reason);
		else
			(void)snprintf(error, PEERING_ERROR, "sync-key-file %s: %s", path, strerror(errno));
		if (fd != -1)
			(void)close(fd);
		return -1;
	}
	end = memchr(bytes, '\n', (size_t)length);
	secret->length = end == NULL ? (size_t)length : (size_t)(end - bytes);
	fault = peering_key_fault(fd, secret);
	if (fault == NULL)
		memcpy(secret->bytes, bytes, secret->length);
	else
		(void)snprintf(error, PEERING_ERROR, "sync-key-file %s: %s", path, fault);
	(void)close(fd);
	return fault == NULL ? 0 : -1;
}

/* `peer-name`, or the host's name up to its first dot. */
static int
peering_set_name(struct peers_settings *settings, const struct conf *conf, char error[PEERING_ERROR])
{
	char host[NAME_MOST];

	if (conf->peer_name[0] != '\0') {
		(void)snprintf(settings->name, sizeof(settings->name), "%s", conf->peer_name);
	} else {
		if (gethostname(host, sizeof(host)) == -1)
			host[0] = '\0';
		host[sizeof(host) - 1] = '\0';
		host[strcspn(host, ".")] = '\0';
		(void)snprintf(settings->name, sizeof(settings->name), "%s", host);
	}
	for (size_t i = 0; i < settings->count; i++) {
		if (strcmp(settings->peers[i].name, settings->name) == 0) {
			(void)snprintf(error, PEERING_ERROR, "`peer` %s is this director's own name: `peer-name` sets "
			    "another one",
			    settings->name);
			return -1;
		}
	}
	if (settings->name[0] != '\0')
		return 0;
	(void)snprintf(error, PEERING_ERROR, "this host has no name that peers could know it by: set `peer-name`");
	return -1;
}

int
peering_settings_read(struct peers_settings *settings, const struct conf *conf, struct privsep *privsep,
    char error[PEERING_ERROR])
{
	settings->listen = conf->peer_address;
	settings->port = conf->peer_port;
	settings->count = conf->peer_count;
	for (size_t i = 0; i < conf->peer_count; i++) {
		(void)snprintf(settings->peers[i].name, sizeof(settings->peers[i].name), "%s", conf->peers[i].name);
		settings->peers[i].addr = conf->peers[i].addr;
		settings->peers[i].port = conf->peers[i].port;
	}
	if (peering_set_name(settings, conf, error) == -1)
		return -1;
	return peering_read_key(conf->sync_key_file, privsep, &settings->secret, error);
}
