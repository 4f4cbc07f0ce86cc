/* SPDX-License-Identifier: ISC */
/*
 * Sends through the socket of libnet's link layer, a burst per system call. libnet_write_link() itself looks up the
 * interface's index and sends with an address, two system calls per frame. Here the socket is bound once, and
 * sendmmsg(2) sends the whole burst. A header in front of each frame says what the kernel or the network card has to
 * finish (PACKET_VNET_HDR): checksums, and super-frames to be split. Other systems: io_libnet.c.
 */
#include "config.h"

#include "io/io.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <libnet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include "io/io_link.h"

/* Beyond 64 frames a call nothing is gained; a slot holds what an ordinary MTU allows, larger frames go at once. */
#define QUEUE 64
#define SLOT_BYTES 2048
/* How long a full socket buffer may keep the loop waiting; the kernel gives buffers back within microseconds. */
#define SEND_TIMEOUT_US 20000
/* Frames on their way through the network card count until they have left it: 10 Gbit/s need more than the default. */
#define SEND_BUFFER (4 * 1024 * 1024)
/* A full queue of a network card is half empty after this time, and is waited for so often in a burst at most. */
#define NAP_NS 50000
#define NAPS_MOST 20

#define TCP_FLAGS 13 /* RFC 9293 section 3.1 */
#define TCP_CWR 0x80

struct slot {
	struct virtio_net_hdr header;
	uint8_t bytes[SLOT_BYTES];
};

struct libnet_sender {
	struct link_sender link; /* first: the ops get a pointer to it */
	bool headers; /* before each frame */
	bool bypass;  /* the queue discipline, for all but super-frames */
	struct sockaddr_ll where; /* each frame's address */
	unsigned queued;
	struct mmsghdr messages[QUEUE];
	struct iovec vectors[QUEUE];
	struct slot slots[QUEUE];
};
static_assert(offsetof(struct slot, bytes) == sizeof(struct virtio_net_hdr), "the frame follows its header at once");

static void
count_failure(struct sender *sender, unsigned frames)
{
	sender->stats.failed += frames;
	sender->stats.last_errno = errno;
}

/* The queue discipline or the card is full: it will not be in a moment. False when that was waited for long enough. */
static bool
io_libnet_sleep(unsigned *naps)
{
	const struct timespec time = { 0, NAP_NS };

	if (errno != ENOBUFS || *naps == 0)
		return false;
	(*naps)--;
	(void)nanosleep(&time, NULL);
	return true;
}

/*
 * A frame that the kernel refuses (too long, interface down, no room after all patience) is counted and passed over.
 * Where the socket's own buffer stayed full for SEND_TIMEOUT_US, nothing leaves at all, and the burst is given up.
 */
static void
libnet_sender_flush(struct sender *sender)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;
	const int fd = libnet_getfd(self->link.libnet);
	unsigned done = 0, naps = NAPS_MOST;

	while (done < self->queued) {
		const int sent = sendmmsg(fd, self->messages + done, self->queued - done, 0);

		if (sent > 0) {
			done += (unsigned)sent;
			sender->stats.sent += (uint64_t)sent;
		} else if (errno == EAGAIN) {
			count_failure(sender, self->queued - done);
			done = self->queued;
		} else if (errno != EINTR && !io_libnet_sleep(&naps)) {
			count_failure(sender, 1);
			done++;
		}
	}
	self->queued = 0;
}

/* The socket expects the numbers in host byte order (net/packet/af_packet.c, vio_le()). */
static struct virtio_net_hdr
header_of(const struct frame *frame)
{
	struct virtio_net_hdr header = { 0 };

	if (frame->sum_from == 0)
		return header;
	header.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header.csum_start = frame->sum_from;
	header.csum_offset = (uint16_t)(frame->sum_at - frame->sum_from);
	if (frame->segment == 0)
		return header;
	header.hdr_len = frame->headers;
	header.gso_size = frame->segment;
	header.gso_type = frame->bytes[ETHER_TYPE] == ETHERTYPE_IPV6 >> 8 ? VIRTIO_NET_HDR_GSO_TCPV6 :
	    VIRTIO_NET_HDR_GSO_TCPV4;
	if ((frame->bytes[frame->sum_from + TCP_FLAGS] & TCP_CWR) != 0)
		header.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	return header;
}

static void
set_bypass(struct libnet_sender *self, int on)
{
	if (self->bypass)
		(void)setsockopt(libnet_getfd(self->link.libnet), SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on));
}

static bool
send_one(struct libnet_sender *self, const struct frame *frame)
{
	const int fd = libnet_getfd(self->link.libnet);
	struct virtio_net_hdr header = header_of(frame);
	struct iovec vectors[2] = { { &header, sizeof(header) }, { frame->bytes, frame->length } };
	const struct msghdr message = { .msg_name = &self->where, .msg_namelen = sizeof(self->where),
		.msg_iov = vectors + !self->headers, .msg_iovlen = 1 + (size_t)self->headers };
	unsigned naps = NAPS_MOST;
	ssize_t sent;

	do {
		sent = sendmsg(fd, &message, 0);
	} while (sent == -1 && (errno == EINTR || io_libnet_sleep(&naps)));
	return sent != -1;
}

static void
send_now(struct sender *sender, const struct frame *frame)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;
	bool sent;

	/* QDISC_BYPASS also bypasses software GSO (__dev_direct_xmit()), so super-frames take the normal path. */
	if (frame->segment != 0)
		set_bypass(self, 0);
	sent = send_one(self, frame);
	if (sent)
		sender->stats.sent++;
	else
		count_failure(sender, 1);
	if (frame->segment != 0)
		set_bypass(self, 1);
	/* The kernel refuses GSO here; segment in software from now on. */
	if (!sent && frame->segment != 0 && errno == EINVAL)
		sender->features &= ~TX_SEGMENTS;
}

static void
libnet_sender_send(struct sender *sender, const struct frame *frame)
{
	struct libnet_sender *self = (struct libnet_sender *)sender;
	struct slot *slot;

	/* A super-frame goes another way than what is queued then, however small it is. */
	if (!sender->burst || frame->length > SLOT_BYTES || (self->bypass && frame->segment != 0)) {
		libnet_sender_flush(sender);
		send_now(sender, frame);
		return;
	}
	if (self->queued == QUEUE)
		libnet_sender_flush(sender);
	slot = &self->slots[self->queued];
	slot->header = header_of(frame);
	memcpy(slot->bytes, frame->bytes, frame->length);
	self->vectors[self->queued].iov_len = frame->length + (self->headers ? sizeof(slot->header) : 0);
	self->queued++;
}

static const struct sender_ops libnet_sender_ops = {
	.send = libnet_sender_send,
	.flush = libnet_sender_flush,
	.descriptor = io_link_descriptor,
	.close = io_link_close,
};

/*
 * By default libnet's socket receives every frame of every interface into a queue that is never read, which costs time
 * per frame. Bound to a type that no frame has, it receives none: below 0x600 the field is a length (IEEE 802.3,
 * eth_type_trans() in net/ethernet/eth.c). Frames sent would be of that type too, so each has an address without a
 * type, and the kernel reads the type from the frame (packet_parse_headers() in net/packet/af_packet.c).
 */
static int
bind_to_nothing(struct libnet_sender *self, const char *device)
{
	struct sockaddr_ll deaf;

	self->where.sll_family = AF_PACKET;
	self->where.sll_ifindex = (int)if_nametoindex(device);
	deaf = self->where;
	deaf.sll_protocol = htons(ETH_P_LOOP);
	return self->where.sll_ifindex == 0 ? -1 :
	    bind(libnet_getfd(self->link.libnet), (struct sockaddr *)&deaf, sizeof(deaf));
}

/* -1 with errno. */
static int
prepare_socket(struct libnet_sender *self, const char *device)
{
	const int fd = libnet_getfd(self->link.libnet), one = 1, buffer = SEND_BUFFER;
	const struct timeval timeout = { 0, SEND_TIMEOUT_US };

	if (bind_to_nothing(self, device) == -1)
		return -1;
	/* Without these a wait may be longer, and come more often. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof(buffer)) == -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	self->headers = setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) == 0;
	self->link.sender.features = self->headers ? TX_CHECKSUM | TX_SEGMENTS : 0;
	set_bypass(self, 1);
	return 0;
}

static void
prepare_queue(struct libnet_sender *self)
{
	for (unsigned i = 0; i < QUEUE; i++) {
		self->vectors[i].iov_base = self->headers ? (void *)&self->slots[i] : self->slots[i].bytes;
		self->messages[i].msg_hdr.msg_name = &self->where;
		self->messages[i].msg_hdr.msg_namelen = sizeof(self->where);
		self->messages[i].msg_hdr.msg_iov = &self->vectors[i];
		self->messages[i].msg_hdr.msg_iovlen = 1;
	}
}

struct sender *
io_libnet_open(const char *iface, bool bypass, char error[IO_ERROR])
{
	struct libnet_sender *self = io_link_new(sizeof(*self), &libnet_sender_ops, iface, error);
	int number;

	if (self == NULL)
		return NULL;
	self->bypass = bypass;
	if (prepare_socket(self, iface) == -1) {
		io_link_explain(iface, "", error);
		number = errno;
		(void)io_link_close(&self->link.sender, error);
		errno = number;
		return NULL;
	}
	prepare_queue(self);
	return &self->link.sender;
}
