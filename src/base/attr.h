/* SPDX-License-Identifier: ISC */
/* Compiler attributes and a few macros used everywhere. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((__format__(__printf__, string, first)))
#define UNUSED __attribute__((unused))
#define ALWAYS_INLINE __attribute__((always_inline))
/* Kept out of line, so that the caller does not pay for this function's stack frame on every call. */
#define NOINLINE __attribute__((noinline))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
