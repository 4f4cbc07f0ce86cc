/* SPDX-License-Identifier: ISC */
/* What bpf(4) descriptors are told beyond what libpcap and libnet tell them. */
#include "config.h"

#include "os/os.h"

#include <sys/types.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <errno.h>
#include <net/bpf.h>
#include <net/if.h>

int
os_silence_socket(int fd)
{
	struct bpf_insn nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct bpf_program program = {.bf_len = 1, .bf_insns = &nothing};

	/* Setting a filter also empties the buffer. */
	return ioctl(fd, BIOCSETF, &program);
}

/* The systems' names for one thing; in some of them libpcap has done it already, and twice does no harm. */
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
