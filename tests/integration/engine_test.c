/* SPDX-License-Identifier: ISC */
/*
 * The hands of test_engine.sh: does with the live engines and the platform what the shell can't, and prints what came
 * out as `key=value` words on one line.
 *
 *	engine_test address ADDRESS           does the host hold it, and where
 *	engine_test forwards INTERFACE        and the command that fixes it
 *	engine_test offload INTERFACE         off, then waits for a line on standard input, then on again
 *	engine_test capture INTERFACE FILTER COUNT   says "ready"; reads until COUNT frames, an error, or 5 s
 * engine_test hold INTERFACE FILTER     says "ready"; reads only after a line on standard input: what has been kept?
 *	engine_test own INTERFACE [ignore]    sends 100 frames and reads what comes: how many were our own?
 *	engine_test deaf INTERFACE            what is queued on the socket that we send by, while 100 frames come in
 *	engine_test refused INTERFACE         sends a frame larger than the interface takes
 *	engine_test drop USER INTERFACE       what is left of root
 */
#include "config.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/duration.h"
#include "io/io.h"
#include "os/os.h"

#define BUDGET 64
#define PATIENCE SECONDS(5)
#define FRAMES 100

struct seen {
	unsigned frames;
	unsigned own;    /* with our source MAC */
	unsigned cut;
	unsigned largest;
	struct mac mac;
};

static uint64_t
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return SECONDS(time.tv_sec) + (uint64_t)time.tv_nsec / 1000;
}

static int
complain(const char *error)
{
	(void)printf("errno=%d error=\"%s\"\n", errno, error);
	return 1;
}

static void
see(void *context, struct frame *frame, uint64_t when UNUSED)
{
	struct seen *seen = context;

	seen->frames++;
	if (frame->length >= ETHER_HEADER && memcmp(frame->bytes + ETHER_SOURCE, seen->mac.bytes, MAC_BYTES) == 0)
		seen->own++;
	if (frame->wire_length > frame->length)
		seen->cut++;
	if (frame->length > seen->largest)
		seen->largest = frame->length;
	frame->bytes[0] = 0x02; /* frames may be written to */
}

/* Waits for one readiness of the descriptor and takes what is there. As dispatch(). */
static int
receive_once(struct receiver *receiver, int milliseconds, struct seen *seen, char error[IO_ERROR])
{
	struct pollfd wait = {.fd = receiver->ops->descriptor(receiver), .events = POLLIN};

	(void)poll(&wait, 1, milliseconds);
	return receiver->ops->dispatch(receiver, BUDGET, see, seen, error);
}

/* Frames to a MAC that nobody has, of an experimental type (IEEE 802: 0x88b5). */
static void
send_frames(struct sender *sender, const struct mac *source, unsigned count)
{
	uint8_t bytes[64] = {0x02, 0, 0, 0, 0xff, 0xff};
	struct frame frame = {.bytes = bytes, .length = sizeof(bytes), .wire_length = sizeof(bytes)};

	memcpy(bytes + ETHER_SOURCE, source->bytes, MAC_BYTES);
	bytes[ETHER_TYPE] = 0x88;
	bytes[ETHER_TYPE + 1] = 0xb5;
	for (unsigned i = 0; i < count; i++)
		sender->ops->send(sender, &frame);
	sender->ops->flush(sender);
}

static int
test_address(char **arguments)
{
	char iface[IFACE_NAME] = "";
	struct addr addr;

	if (addr_parse(arguments[0], &addr) != 0)
		return complain("no address");
	(void)printf("holds=%d", os_holds_address(&addr, iface));
	(void)printf(" interface=%s\n", iface);
	return 0;
}

static int
test_forwards(char **arguments)
{
	char fix[128] = "";
	struct os_routing routing;

	os_routing_read(&routing);
	(void)printf("forwards=%d fix=\"%s\"\n", os_forwards(&routing, arguments[0], ADDR_IPV4, fix, sizeof(fix)) ==
	    OS_YES, fix);
	return 0;
}

static int
test_offload(char **arguments)
{
	struct offload offload;
	char error[OS_ERROR] = "", text[OFFLOAD_TEXT], line[8];
	int result = os_offload_off(arguments[0], &offload, error);

	(void)printf("off=%d which=\"%s\" error=\"%s\"\n", result, os_offload_text(&offload, text), error);
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 1;
	if (os_offload_restore(arguments[0], &offload, error) != 0)
		return complain(error);
	return 0;
}

static int
test_capture(char **arguments)
{
	char error[IO_ERROR] = "";
	struct receiver *receiver = io_pcap_open(arguments[0], 7, error);
	unsigned count = (unsigned)strtoul(arguments[2], NULL, 10);
	struct receiver_stats stats;
	struct seen seen = {0};
	uint64_t end = now() + PATIENCE;
	int result = 0;

	if (receiver == NULL)
		return complain(error);
	if (receiver->ops->filter(receiver, arguments[1], error) != 0) {
		receiver->ops->close(receiver);
		return complain(error);
	}
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (result >= 0 && seen.frames < count && now() < end)
		result = receive_once(receiver, 100, &seen, error);
	receiver->ops->stats(receiver, &stats);
	(void)printf("frames=%u cut=%u largest=%u received=%llu dropped=%llu result=%s error=\"%s\"\n", seen.frames,
	    seen.cut, seen.largest, (unsigned long long)stats.received, (unsigned long long)stats.dropped,
	    result < 0 ? "failed" : "fine", error);
	receiver->ops->close(receiver);
	return 0;
}

static int
test_hold(char **arguments)
{
	char error[IO_ERROR] = "", line[8];
	struct receiver *receiver = io_pcap_open(arguments[0], 0, error);
	struct receiver_stats stats;
	struct seen seen = {0};

	if (receiver == NULL || receiver->ops->filter(receiver, arguments[1], error) != 0)
		return complain(error);
	(void)printf("ready\n");
	(void)fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 1;
	while (receive_once(receiver, 300, &seen, error) > 0)
		continue;
	receiver->ops->stats(receiver, &stats);
	(void)printf("frames=%u cut=%u largest=%u received=%llu dropped=%llu\n", seen.frames, seen.cut, seen.largest,
	    (unsigned long long)stats.received, (unsigned long long)stats.dropped);
	receiver->ops->close(receiver);
	return 0;
}

/* Opens both engines and reads the interface. 0 or -1, said. */
static int
open_both(const char *name, struct iface *iface, struct receiver **receiver, struct sender **sender)
{
	char error[IO_ERROR] = "";

	if (os_iface_read(name, iface, error) != 0 || (*receiver = io_pcap_open(name, 0, error)) == NULL)
		return complain(error), -1;
	*sender = io_libnet_open(name, false, error);
	if (*sender != NULL)
		return 0;
	(void)complain(error);
	(*receiver)->ops->close(*receiver);
	return -1;
}

static int
test_own(char **arguments)
{
	struct iface iface;
	struct receiver *receiver;
	struct sender *sender;
	struct receiver_stats stats;
	struct seen seen = {0};
	char error[IO_ERROR];
	uint64_t end;

	if (open_both(arguments[0], &iface, &receiver, &sender) != 0)
		return 1;
	seen.mac = iface.mac;
	if (arguments[1] != NULL)
		(void)printf("ignore=%d ", os_ignore_outgoing(receiver->ops->descriptor(receiver)));
	send_frames(sender, &iface.mac, FRAMES);
	for (end = now() + MILLISECONDS(300); now() < end; )
		(void)receive_once(receiver, 50, &seen, error);
	receiver->ops->stats(receiver, &stats);
	(void)printf("sent=%llu failed=%llu own=%u received=%llu\n", (unsigned long long)sender->stats.sent,
	    (unsigned long long)sender->stats.failed, seen.own, (unsigned long long)stats.received);
	receiver->ops->close(receiver);
	return sender->ops->close(sender, error) == 0 ? 0 : complain(error);
}

static int
test_deaf(char **arguments)
{
	struct iface iface;
	struct receiver *receiver;
	struct sender *sender;
	struct tpacket_stats queued = {0};
	struct seen seen = {0};
	socklen_t length = sizeof(queued);
	char error[IO_ERROR];
	uint64_t end = now() + PATIENCE;
	int fd;

	if (open_both(arguments[0], &iface, &receiver, &sender) != 0)
		return 1;
	fd = sender->ops->descriptor(sender);
	(void)getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &queued, &length); /* reading sets it to zero */
	(void)printf("ready\n");
	(void)fflush(stdout);
	while (seen.frames < FRAMES && now() < end)
		(void)receive_once(receiver, 100, &seen, error);
	(void)getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &queued, &length);
	(void)printf("silence=%d left=%zd ", os_silence_socket(fd), recv(fd, error, 1, MSG_DONTWAIT));
	send_frames(sender, &iface.mac, FRAMES);
	(void)printf("came=%d queued=%u sent=%llu failed=%llu\n", seen.frames >= FRAMES, queued.tp_packets,
	    (unsigned long long)sender->stats.sent, (unsigned long long)sender->stats.failed);
	receiver->ops->close(receiver);
	return sender->ops->close(sender, error) == 0 ? 0 : complain(error);
}

static int
test_refused(char **arguments)
{
	static uint8_t bytes[FRAME_MOST];
	struct frame frame = {.bytes = bytes, .length = sizeof(bytes), .wire_length = sizeof(bytes)};
	char error[IO_ERROR] = "";
	struct sender *sender = io_libnet_open(arguments[0], false, error);

	if (sender == NULL)
		return complain(error);
	sender->ops->send(sender, &frame);
	(void)printf("sent=%llu failed=%llu errno=%d\n", (unsigned long long)sender->stats.sent,
	    (unsigned long long)sender->stats.failed, sender->stats.last_errno);
	return sender->ops->close(sender, error) == 0 ? 0 : complain(error);
}

static const char *
value_of(char *text)
{
	text += strspn(text, "\t ");
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void
print_status_line(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			(void)printf("%s=%s", name, value_of(line + strlen(name) + 1));
	}
	(void)printf(" ");
	if (file != NULL)
		(void)fclose(file);
}

static int
test_drop(char **arguments)
{
	static const char *const lines[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"};
	char error[IO_ERROR] = "";
	struct iface iface;
	struct receiver *receiver;
	struct sender *sender;
	struct offload offload;
	const char *missing;
	int off, restored;

	if (os_drop_root(arguments[0], error) != 0)
		return complain(error);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		print_status_line(lines[i]);
	missing = os_missing_privilege();
	(void)printf("uid=%ld gid=%ld groups=%d back=%d shadow=%d missing=%s ", (long)getuid(), (long)getgid(),
	    getgroups(0, NULL), setuid(0), open("/etc/shadow", O_RDONLY), missing == NULL ? "nothing" : "something");
	if (open_both(arguments[1], &iface, &receiver, &sender) != 0)
		return 1;
	off = os_offload_off(arguments[1], &offload, error);
	restored = os_offload_restore(arguments[1], &offload, error);
	(void)printf("open=1 off=%d restored=%d again=%d\n", off, restored, os_drop_root(arguments[0], error));
	receiver->ops->close(receiver);
	return sender->ops->close(sender, error) == 0 ? 0 : complain(error);
}

static int
test_missing(char **arguments UNUSED)
{
	const char *missing = os_missing_privilege();

	(void)printf("missing=\"%s\"\n", missing != NULL ? missing : "");
	return 0;
}

int
main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		int arguments;
		int (*run)(char **arguments);
	} tests[] = {
		{"address", 1, test_address}, {"forwards", 1, test_forwards}, {"offload", 1, test_offload},
		{"capture", 3, test_capture}, {"hold", 2, test_hold}, {"own", 1, test_own}, {"deaf", 1, test_deaf},
		{"drop", 2, test_drop}, {"missing", 0, test_missing}, {"refused", 1, test_refused},
	};

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(tests); i++) {
		if (strcmp(argv[1], tests[i].name) == 0 && argc >= 2 + tests[i].arguments)
			return tests[i].run(argv + 2);
	}
	(void)fprintf(stderr, "usage: engine_test TEST ARGUMENT...\n");
	return 64; /* EX_USAGE */
}
