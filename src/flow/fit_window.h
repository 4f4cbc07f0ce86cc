/* SPDX-License-Identifier: ISC */
/*
 * How far a segment's numbers may be from those that its flow has shown, in octets of sequence space. The director sees
 * what the server sees or more, so a client's number is ahead of the latest one by no more than what was lost on the
 * way here, and behind it by no more than what is sent again. Shared with the kernel's program: macros only.
 *
 * What is blindly forged fits, and moves the numbers, with a chance of 2 * FIT_SEQUENCE * (FIT_ACK_AHEAD +
 * FIT_ACK_BEHIND) in 2^64: one in 500 000. A segment that ends a connection fits with one in 4 million, a RST without
 * ACK only if it is exact, as RFC 5961 section 3.2 has servers require.
 */
#ifndef FLOW_FIT_WINDOW_H
#define FLOW_FIT_WINDOW_H

/* Of the client's octets, both ways. A hole as large as this is a burst of 16 super-frames lost. */
#define FIT_SEQUENCE (1 << 20)
/* Of the server's octets: acknowledgements that were lost, at most one receive window of 16 MiB; and overtaken ones. */
#define FIT_ACK_AHEAD (1 << 24)
#define FIT_ACK_BEHIND (1 << 20)
/*
 * How far behind, and ahead of, what the client sent its connection may end; and how far behind its SYN it may go on.
 */
#define FIT_END_BEHIND (1 << 16)
#define FIT_END_AHEAD (1 << 17)

#endif
