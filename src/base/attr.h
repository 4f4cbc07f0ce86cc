/* SPDX-License-Identifier: ISC */
/* Compiler attributes and the few macros that everybody needs. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((__format__(__printf__, string, first)))
#define UNUSED __attribute__((unused))
#define ALWAYS_INLINE __attribute__((always_inline))
/* Not into its caller, whose every call would pay for what this needs on the stack. */
#define SELDOM __attribute__((noinline))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
