/* SPDX-License-Identifier: ISC */
/* Settings of bpf(4) descriptors beyond those of libpcap and libnet. */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <net/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/vip_filter.h"

/* The wanted size of the capture buffer: io_pcap.c requests this, and the kernel grants up to its limit. */
#define BUFFER_WANTED (16 * 1024 * 1024)

static_assert(sizeof(struct filter_insn) == sizeof(struct bpf_insn), "our instructions must be the kernel's");

static int
set_program(int fd, unsigned long request, const struct filter_insn *program, size_t length)
{
	struct bpf_insn insns[FILTER_INSNS];
	struct bpf_program whole = {.bf_len = (u_int)length, .bf_insns = insns};

	memcpy(insns, program, length * sizeof(insns[0]));
	return ioctl(fd, request, &whole);
}

int
os_silence_socket(int fd)
{
	static const struct filter_insn nothing = {.code = BPF_RET | BPF_K, .k = 0};

	/* Setting a filter also empties the buffer. */
	return set_program(fd, BIOCSETF, &nothing, 1);
}

/* Each system's name for the same setting; on some, libpcap has made it already, and twice does no harm. */
int
os_ignore_outgoing(int fd)
{
#if defined(BIOCSDIRECTION)
	u_int direction = BPF_D_IN;

	return ioctl(fd, BIOCSDIRECTION, &direction);
#elif defined(BIOCSDIRFILT)
	u_int unwanted = BPF_DIRECTION_OUT;

	return ioctl(fd, BIOCSDIRFILT, &unwanted);
#elif defined(BIOCSSEESENT)
	u_int sent = 0;

	return ioctl(fd, BIOCSSEESENT, &sent);
#else
	(void)fd;
	errno = ENOTSUP;
	return -1;
#endif
}

int
os_complete_headers(int fd)
{
#ifdef __APPLE__ /* some of its drivers then refuse frames (libpcap's pcap-bpf.c); ours have the card's own address */
	(void)fd;
	return 0;
#else
	u_int yes = 1;

	return ioctl(fd, BIOCSHDRCMPLT, &yes);
#endif
}

size_t
os_capture_buffer(int fd, char *fix, size_t size)
{
	u_int bytes = 0;

	if (ioctl(fd, BIOCGBLEN, &bytes) == -1 || bytes >= BUFFER_WANTED)
		return 0;
#if defined(__APPLE__) || defined(__DragonFly__)
	(void)snprintf(fix, size, "sysctl -w debug.bpf_maxbufsize=%d", BUFFER_WANTED);
#else
	(void)snprintf(fix, size, "sysctl -w net.bpf.maxbufsize=%d", BUFFER_WANTED);
#endif
	return bytes;
}

#if defined(BIOCLOCK) && defined(BIOCSETWF)

bool
os_can_lock(void)
{
	return true;
}

int
os_lock_capture(int fd)
{
	static const struct filter_insn nothing = {.code = BPF_RET | BPF_K, .k = 0};

	return set_program(fd, BIOCSETWF, &nothing, 1) == -1 ? -1 : ioctl(fd, BIOCLOCK);
}

int
os_lock_sender(int fd)
{
	struct filter_insn program[FILTER_INSNS];
	size_t length = sender_filter_write(program);

	return set_program(fd, BIOCSETWF, program, length) == -1 ? -1 : ioctl(fd, BIOCLOCK);
}

#else /* macOS */

bool
os_can_lock(void)
{
	return false;
}

int
os_lock_capture(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

int
os_lock_sender(int fd UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

#endif

#ifdef BIOCSFILDROP /* OpenBSD */

/* Before OpenBSD 6.8, dropped packets were captured too: into a buffer that is never read. */
#ifndef BPF_FILDROP_DROP
#define BPF_FILDROP_DROP 1
#endif

/* The filter comes first: without one the descriptor would withhold everything. */
static int
begin_to_withhold(const char *iface, const struct filter_insn *program, size_t length)
{
	struct ifreq request;
	u_int drop = BPF_FILDROP_DROP;
	int fd = open("/dev/bpf", O_RDWR | O_CLOEXEC), saved;

	if (fd == -1)
		return -1;
	memset(&request, 0, sizeof(request));
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", iface);
	if (set_program(fd, BIOCSETF, program, length) == 0 && os_ignore_outgoing(fd) == 0 &&
	    ioctl(fd, BIOCSFILDROP, &drop) == 0 && ioctl(fd, BIOCSETIF, &request) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int
os_withhold(int *fd, const char *iface, const struct mac *mac, const struct addr *addresses, size_t count)
{
	struct filter_insn program[FILTER_INSNS];
	const size_t length = vip_filter_write(program, mac, addresses, count);
	int result = 0;

	if (length == 0) {
		errno = E2BIG;
		return -1;
	}
	if (*fd != -1)
		result = set_program(*fd, BIOCSETF, program, length);
	else if (count > 0)
		result = *fd = begin_to_withhold(iface, program, length);
	/* What pledge(2) forbids fails with ENOSYS, where `error` is among the promises. */
	if (result == -1 && errno == ENOSYS)
		errno = EPERM;
	return result == -1 ? -1 : 0;
}

#else

int
os_withhold(int *fd UNUSED, const char *iface UNUSED, const struct mac *mac UNUSED, const struct addr *addresses UNUSED,
    size_t count UNUSED)
{
	errno = ENOTSUP;
	return -1;
}

#endif
