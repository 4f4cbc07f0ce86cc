/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/hash_key.h"

#include <sys/stat.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "compat/entropy.h"

void
hash_key_path(const struct conf *conf, char path[HASH_KEY_PATH])
{
	const char *control = conf->control[0] == '/' ? conf->control : CONF_CONTROL;

	(void)snprintf(path, HASH_KEY_PATH, "%s.key", control);
}

static int
hash_key_read(const char *path, struct siphash_key *key)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool good;

	if (fd == -1)
		return -1;
	good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    st.st_size == SIPHASH_KEY && read(fd, key->bytes, SIPHASH_KEY) == SIPHASH_KEY;
	(void)close(fd);
	return good ? 0 : -1;
}

static int
hash_key_write(const char *path, const struct siphash_key *key)
{
	bool good;
	int fd;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	good = write(fd, key->bytes, SIPHASH_KEY) == SIPHASH_KEY;
	return close(fd) == 0 && good ? 0 : -1;
}

int
hash_key_open(const char *path, struct siphash_key *key, bool *kept)
{
	*kept = true;
	if (hash_key_read(path, key) == 0)
		return 0;
	if (getentropy(key->bytes, SIPHASH_KEY) == -1)
		return -1;
	*kept = hash_key_write(path, key) == 0;
	return 0;
}
