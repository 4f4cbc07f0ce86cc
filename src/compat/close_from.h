/* SPDX-License-Identifier: ISC */
#ifndef COMPAT_CLOSE_FROM_H
#define COMPAT_CLOSE_FROM_H

/* Closes every descriptor from `first` on, also those inherited. */
void close_from(int first);

#endif
