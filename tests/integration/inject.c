/* SPDX-License-Identifier: ISC */
/*
 * Puts frames on an interface, exactly as they are written on standard input: a frame a line, in hexadecimal digits,
 * blanks between bytes allowed. Empty lines and lines that begin with '#' are skipped.
 *
 *	inject INTERFACE <FRAMES
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include <pcap.h>

#define FRAME_BYTES 9216                /* more than any MTU the tests use */
#define LINE_BYTES (3 * FRAME_BYTES + 2) /* two digits and a blank each, the newline, the end */

static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* The number of bytes, or -1 when the line is not what it should be. */
static int
read_frame(const char *line, unsigned char frame[FRAME_BYTES])
{
	int length = 0;

	while (*line != '\0' && *line != '\n') {
		const int high = digit(line[0]);
		const int low = high < 0 ? -1 : digit(line[1]);

		if (*line == ' ') {
			line++;
			continue;
		}
		if (low < 0 || length == FRAME_BYTES)
			return -1;
		frame[length++] = (unsigned char)(high << 4 | low);
		line += 2;
	}
	return length;
}

static int
inject_all(pcap_t *pcap)
{
	static char line[LINE_BYTES];
	static unsigned char frame[FRAME_BYTES];
	unsigned number = 0;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		int length;

		number++;
		if (line[0] == '#' || line[0] == '\n')
			continue;
		length = read_frame(line, frame);
		if (length <= 0) {
			fprintf(stderr, "inject: line %u: not a frame in hexadecimal digits (lower case)\n", number);
			return 1;
		}
		if (pcap_inject(pcap, frame, (size_t)length) != length) {
			fprintf(stderr, "inject: line %u: %s\n", number, pcap_geterr(pcap));
			return 1;
		}
	}
	return 0;
}

int
main(int argc, char *argv[])
{
	char error[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap;
	int status;

	if (argc != 2) {
		fprintf(stderr, "usage: inject INTERFACE <FRAMES\n");
		return 64; /* EX_USAGE, sysexits(3) */
	}
	pcap = pcap_open_live(argv[1], 64, 0, 1, error);
	if (pcap == NULL) {
		fprintf(stderr, "inject: %s: %s\n", argv[1], error);
		return 1;
	}
	status = inject_all(pcap);
	pcap_close(pcap);
	return status;
}
