/* SPDX-License-Identifier: ISC */
/*
 * Messages of routing sockets by system: numbers and sizes in bytes on 64-bit machines, from net/if.h and net/route.h
 * of FreeBSD 14.0, NetBSD 10.1 and OpenBSD 7.8. news_samples_bsd.c compares them with the headers of the system it is
 * compiled for; test_bsd_bytes.c makes the messages on any system.
 */
#ifndef UNIT_OS_BSD_MESSAGES_H
#define UNIT_OS_BSD_MESSAGES_H

#define FREEBSD_VERSION 5
#define FREEBSD_ADD 0x1
#define FREEBSD_NEWADDR 0xc
#define FREEBSD_DELADDR 0xd
#define FREEBSD_IFINFO 0xe
#define FREEBSD_IFANNOUNCE 0x11
#define FREEBSD_ROUTE_BYTES 152
#define FREEBSD_ADDRESS_BYTES 20
#define FREEBSD_IFINFO_BYTES 168
#define FREEBSD_IFANNOUNCE_BYTES 24

#define NETBSD_VERSION 4
#define NETBSD_ADD 0x1
#define NETBSD_IFANNOUNCE 0x10
#define NETBSD_IFINFO 0x14
#define NETBSD_NEWADDR 0x16
#define NETBSD_DELADDR 0x17
#define NETBSD_CHGADDR 0x18
#define NETBSD_ROUTE_BYTES 120
#define NETBSD_ADDRESS_BYTES 32
#define NETBSD_IFINFO_BYTES 152
#define NETBSD_IFANNOUNCE_BYTES 24

#define OPENBSD_VERSION 5
#define OPENBSD_ADD 0x1
#define OPENBSD_NEWADDR 0xc
#define OPENBSD_DELADDR 0xd
#define OPENBSD_IFINFO 0xe
#define OPENBSD_IFANNOUNCE 0xf
#define OPENBSD_DESYNC 0x10
#define OPENBSD_ROUTE_BYTES 96
#define OPENBSD_ADDRESS_BYTES 24
#define OPENBSD_IFINFO_BYTES 168
#define OPENBSD_IFANNOUNCE_BYTES 26

#endif
