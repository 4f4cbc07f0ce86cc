/* SPDX-License-Identifier: ISC */
#include "config.h"

#include "daemon/state_file.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/duration.h"
#include "base/keyhash.h"
#include "os/os.h"

#define STATE_MAGIC "dsrdflow"
/* Another one whenever the layout, a record or a number in it (enum conn_state) gets another meaning. */
#define STATE_VERSION 1
/* A multiple of every platform's page size. */
#define ALIGNMENT 65536U
/* Of each of the two texts: about 200 bytes for each of 65535 servers. Sparse. */
#define TEXT_ROOM (UINT64_C(32) << 20)
/* Records that get room at once: some 50 microseconds. */
#define CHUNK 8192U
/* Two clocks that were set an hour apart in between speak of another boot, where the system has no name for it. */
#define CLOCKS_DIFFER SECONDS(3600)
#define VIPCHECK_ROOM 256

struct header {
	char magic[8];
	uint32_t version;
	uint32_t header_bytes;
	uint32_t record_bytes;
	uint32_t capacities[2]; /* of flows, of clients */
	uint32_t byte_order;    /* 1 */
	uint64_t records_at[2];
	uint64_t text_at[2];
	uint64_t text_room;
	char boot[OS_BOOT];
	uint64_t check;         /* of all above */
	/* What changes, and cannot be checked so. */
	uint64_t beat;          /* microseconds of the monotonic clock */
	uint64_t wall;          /* seconds since 1970 at that time */
	uint32_t ready[2];
};

struct text_header {
	uint64_t sequence; /* the higher one is the newer */
	uint64_t length;
	uint64_t check;    /* of sequence and length, xor that of the text */
};

struct region {
	struct state_file *file;
	unsigned index;
	struct conn_records records;
	size_t bytes;
	bool refused; /* there was no room; tried again at the next heartbeat */
};

struct state_file {
	int fd;
	char path[VIPCHECK_ROOM];
	char fresh[VIPCHECK_ROOM]; /* before it is published; empty afterwards */
	struct header *header;
	struct region regions[2];
	uint64_t sequence;
};

static const struct siphash_key no_key;

static uint64_t
state_check_header(const struct header *header)
{
	return siphash24(&no_key, header, offsetof(struct header, check));
}

static uint64_t
state_check_text(const struct text_header *header, const char *text)
{
	return siphash24(&no_key, header, offsetof(struct text_header, check)) ^ siphash24(&no_key, text,
	    (size_t)header->length);
}

static uint64_t
state_align(uint64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static int
state_write_all(int fd, const void *bytes, size_t length, uint64_t at)
{
	const char *from = bytes;

	while (length > 0) {
		const ssize_t written = pwrite(fd, from, length, (off_t)at);

		if (written <= 0) {
			if (written == -1 && errno == EINTR)
				continue;
			return -1;
		}
		from += written;
		at += (uint64_t)written;
		length -= (size_t)written;
	}
	return 0;
}

static int
state_read_all(int fd, void *bytes, size_t length, uint64_t at)
{
	char *to = bytes;

	while (length > 0) {
		const ssize_t got = pread(fd, to, length, (off_t)at);

		if (got <= 0) {
			if (got == -1 && errno == EINTR)
				continue;
			return -1;
		}
		to += got;
		at += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

static bool
state_is_same_boot(const struct header *header, uint64_t now)
{
	const uint64_t wall = (uint64_t)time(NULL);
	char boot[OS_BOOT];
	int64_t drift;

	os_boot(boot);
	if (memcmp(boot, header->boot, sizeof(boot)) != 0 || header->beat > now)
		return false;
	drift = (int64_t)(SECONDS(wall) - SECONDS(header->wall)) - (int64_t)(now - header->beat);
	return boot[0] != '\0' || (drift < (int64_t)CLOCKS_DIFFER && drift > -(int64_t)CLOCKS_DIFFER);
}

/* Everything that is added up below must not exceed the file. */
static bool
state_is_within(const struct header *header, uint64_t size)
{
	for (unsigned i = 0; i < 2; i++)
		if (header->records_at[i] > size || header->records_at[i] % ALIGNMENT != 0 ||
		    header->ready[i] > header->capacities[i] || header->text_at[i] > size ||
		    (uint64_t)header->ready[i] * sizeof(struct conn_record) > size - header->records_at[i] ||
		    header->text_room > size - header->text_at[i] || header->text_room < sizeof(struct text_header))
			return false;
	return true;
}

/* NULL, or why the header is not to be believed. */
static const char *
state_fault(const struct header *header, uint64_t size, uint64_t now)
{
	if (header->version != STATE_VERSION || header->byte_order != 1 || header->header_bytes != sizeof(*header) ||
	    header->record_bytes != sizeof(struct conn_record))
		return "another version of dsrd wrote it";
	if (state_check_header(header) != header->check || !state_is_within(header, size))
		return "it is damaged";
	if (!state_is_same_boot(header, now))
		return "it is from before the system was started";
	return NULL;
}

static int
state_read_text(int fd, const struct header *header, struct state_old *old)
{
	uint64_t newest = 0;

	for (unsigned i = 0; i < 2; i++) {
		struct text_header text_header;
		char *text;

		if (state_read_all(fd, &text_header, sizeof(text_header), header->text_at[i]) == -1 ||
		    text_header.sequence <= newest || text_header.length > header->text_room - sizeof(text_header))
			continue;
		text = malloc((size_t)text_header.length + 1);
		if (text == NULL)
			continue;
		if (state_read_all(fd, text, (size_t)text_header.length, header->text_at[i] + sizeof(text_header)) ==
		    -1 ||
		    state_check_text(&text_header, text) != text_header.check) {
			free(text);
			continue;
		}
		text[text_header.length] = '\0';
		free(old->text);
		old->text = text;
		old->length = (size_t)text_header.length;
		newest = text_header.sequence;
	}
	return old->text != NULL ? 0 : -1;
}

static int
state_map_records(int fd, const struct header *header, struct state_old *old)
{
	for (unsigned i = 0; i < 2; i++) {
		void *map;

		old->map_bytes[i] = (size_t)header->ready[i] * sizeof(struct conn_record);
		if (old->map_bytes[i] == 0)
			continue;
		map = mmap(NULL, old->map_bytes[i], PROT_READ, MAP_SHARED, fd, (off_t)header->records_at[i]);
		if (map == MAP_FAILED) {
			old->map_bytes[i] = 0;
			return -1;
		}
		old->maps[i] = map;
	}
	old->flows = old->maps[0];
	old->clients = old->maps[1];
	old->flow_count = header->ready[0];
	old->client_count = header->ready[1];
	return 0;
}

static enum state_found
state_read_header(int fd, uid_t user, uint64_t now, struct state_old *old, char error[STATE_ERROR])
{
	struct header header;
	struct stat status;
	const char *fault;

	if (fstat(fd, &status) == -1 || !S_ISREG(status.st_mode) ||
	    state_read_all(fd, &header, sizeof(header), 0) == -1 ||
	    memcmp(header.magic, STATE_MAGIC, sizeof(header.magic)) != 0) {
		(void)snprintf(error, STATE_ERROR, "not a state file of dsrd: remove it, or set another `state` path");
		return STATE_TAKEN;
	}
	if ((status.st_uid != geteuid() && status.st_uid != 0 && status.st_uid != user) ||
	    (status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
		(void)snprintf(error, STATE_ERROR, "others may have written it: its owner is user number %jd, its mode "
		    "%03o",
		    (intmax_t)status.st_uid, (unsigned)status.st_mode & 0777);
		return STATE_IGNORED;
	}
	fault = state_fault(&header, (uint64_t)status.st_size, now);
	if (fault == NULL && state_read_text(fd, &header, old) == -1)
		fault = "it is damaged";
	if (fault == NULL && state_map_records(fd, &header, old) == -1)
		fault = "there is no memory for it";
	if (fault != NULL) {
		(void)snprintf(error, STATE_ERROR, "%s", fault);
		return STATE_IGNORED;
	}
	old->age = now - header.beat;
	return STATE_READ;
}

enum state_found
state_file_read(const char *path, uid_t user, uint64_t now, struct state_old *old, char error[STATE_ERROR])
{
	enum state_found found;

	memset(old, 0, sizeof(*old));
	old->fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (old->fd == -1) {
		if (errno == ENOENT)
			return STATE_NONE;
		/* another user's: replaced if the directory is ours */
		found = errno == EACCES ? STATE_IGNORED : STATE_TAKEN;
		(void)snprintf(error, STATE_ERROR, "%s", strerror(errno));
		return found;
	}
	if (flock(old->fd, LOCK_EX | LOCK_NB) == -1) {
		(void)snprintf(error, STATE_ERROR,
		    "another dsrd uses it: give each director a `state` path of its own");
		found = STATE_TAKEN;
	} else {
		found = state_read_header(old->fd, user, now, old, error);
	}
	/* An ignored file stays locked until it is replaced. */
	if (found == STATE_TAKEN)
		state_old_done(old);
	return found;
}

void
state_old_done(struct state_old *old)
{
	for (unsigned i = 0; i < 2; i++)
		if (old->maps[i] != NULL)
			(void)munmap(old->maps[i], old->map_bytes[i]);
	free(old->text);
	if (old->fd != -1)
		(void)close(old->fd);
	memset(old, 0, sizeof(*old));
	old->fd = -1;
}

static int
state_write_zeros(int fd, uint32_t records, uint64_t at)
{
	static const struct conn_record zeros[256];

	for (uint32_t written = 0; written < records; written += ARRAY_LEN(zeros)) {
		const uint32_t left = records - written, count = left < ARRAY_LEN(zeros) ? left :
		    (uint32_t)ARRAY_LEN(zeros);

		if (state_write_all(fd, zeros, count * sizeof(zeros[0]), at) == -1)
			return -1;
		at += count * sizeof(zeros[0]);
	}
	return 0;
}

/* Room for flow `number` and those after it. */
static int
state_reserve(void *context, uint32_t number)
{
	struct region *region = context;
	struct state_file *file = region->file;
	struct header *header = file->header;
	const uint32_t capacity = header->capacities[region->index];

	while (!region->refused && region->records.ready < number && region->records.ready < capacity) {
		const uint32_t ready = region->records.ready;
		const uint32_t more = capacity - ready < CHUNK ? capacity - ready : CHUNK;

		if (state_write_zeros(file->fd, more, header->records_at[region->index] + (uint64_t)ready *
		    sizeof(struct conn_record)) ==
		    -1) {
			region->refused = true;
			break;
		}
		header->ready[region->index] = region->records.ready = ready + more;
	}
	return region->records.ready >= number ? 0 : -1;
}

static int
state_map_region(struct state_file *file, unsigned index)
{
	struct region *region = &file->regions[index];
	void *map;

	region->file = file;
	region->index = index;
	region->bytes = (size_t)state_align((uint64_t)file->header->capacities[index] * sizeof(struct conn_record));
	map = mmap(NULL, region->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd,
	    (off_t)file->header->records_at[index]);
	if (map == MAP_FAILED)
		return -1;
	region->records = (struct conn_records) { .first = map, .reserve = state_reserve, .context = region };
	return 0;
}

/* The size of the file is its last one: a confined process can't change it later. */
static int
state_lay_out(struct state_file *file, uint32_t flows, uint32_t clients, uint64_t now)
{
	struct header header = { .version = STATE_VERSION, .header_bytes = sizeof(header),
		.record_bytes = sizeof(struct conn_record), .capacities = { flows, clients }, .byte_order = 1,
		.text_room = TEXT_ROOM, .beat = now, .wall = (uint64_t)time(NULL) };
	void *map;

	memcpy(header.magic, STATE_MAGIC, sizeof(header.magic));
	header.text_at[0] = ALIGNMENT;
	header.text_at[1] = header.text_at[0] + TEXT_ROOM;
	header.records_at[0] = header.text_at[1] + TEXT_ROOM;
	header.records_at[1] = header.records_at[0] + state_align((uint64_t)flows * sizeof(struct conn_record));
	os_boot(header.boot);
	header.check = state_check_header(&header);
	if (ftruncate(file->fd, (off_t)(header.records_at[1] + state_align((uint64_t)clients *
	    sizeof(struct conn_record)))) == -1 ||
	    state_write_all(file->fd, &header, sizeof(header), 0) == -1)
		return -1;
	map = mmap(NULL, ALIGNMENT, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
	if (map == MAP_FAILED)
		return -1;
	file->header = map;
	return state_map_region(file, 0) == -1 || state_map_region(file, 1) == -1 ? -1 : 0;
}

struct state_file *
state_file_create(const char *path, uint32_t flows, uint32_t clients, uint64_t now, char error[STATE_ERROR])
{
	struct state_file *file = calloc(1, sizeof(*file));

	if (file == NULL || snprintf(file->fresh, sizeof(file->fresh), "%s.new", path) >= (int)sizeof(file->fresh)) {
		(void)snprintf(error, STATE_ERROR, file == NULL ? "out of memory" : "the path is too long");
		free(file);
		return NULL;
	}
	(void)snprintf(file->path, sizeof(file->path), "%s", path);
	/* A director left it unfinished there. */
	(void)unlink(file->fresh);
	file->fd = open(file->fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
	if (file->fd != -1 && flock(file->fd, LOCK_EX | LOCK_NB) == 0 && state_lay_out(file, flows, clients, now) == 0)
		return file;
	(void)snprintf(error, STATE_ERROR, "%.150s: %.90s", file->fresh, strerror(errno));
	state_file_close(file);
	return NULL;
}

struct conn_records *
state_file_flows(struct state_file *file)
{
	return &file->regions[0].records;
}

struct conn_records *
state_file_clients(struct state_file *file)
{
	return &file->regions[1].records;
}

int
state_file_write(struct state_file *file, const char *text, size_t length)
{
	struct text_header header = { .sequence = file->sequence + 1, .length = length };
	const uint64_t at = file->header->text_at[header.sequence & 1];

	if (length > file->header->text_room - sizeof(header)) {
		errno = EFBIG;
		return -1;
	}
	header.check = state_check_text(&header, text);
	if (state_write_all(file->fd, text, length, at + sizeof(header)) == -1 ||
	    state_write_all(file->fd, &header, sizeof(header), at) == -1)
		return -1;
	file->sequence++;
	return 0;
}

int
state_file_publish(struct state_file *file, char error[STATE_ERROR])
{
	if (rename(file->fresh, file->path) == -1) {
		(void)snprintf(error, STATE_ERROR, "%.150s: %.90s", file->path, strerror(errno));
		return -1;
	}
	file->fresh[0] = '\0';
	return 0;
}

void
state_file_beat(struct state_file *file, uint64_t now)
{
	file->header->beat = now;
	file->header->wall = (uint64_t)time(NULL);
	for (unsigned i = 0; i < 2; i++) {
		struct region *region = &file->regions[i];

		if (!region->refused)
			continue;
		region->refused = false;
		(void)state_reserve(region, region->records.ready + 1);
	}
}

bool
state_file_is_full(const struct state_file *file)
{
	return file->regions[0].refused || file->regions[1].refused;
}

void
state_file_close(struct state_file *file)
{
	if (file == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (file->regions[i].records.first != NULL)
			(void)munmap(file->regions[i].records.first, file->regions[i].bytes);
	if (file->header != NULL)
		(void)munmap(file->header, ALIGNMENT);
	if (file->fresh[0] != '\0')
		(void)unlink(file->fresh);
	if (file->fd != -1)
		(void)close(file->fd);
	free(file);
}
