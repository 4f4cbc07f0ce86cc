/* SPDX-License-Identifier: ISC */
/* The status page, made from page.html by the build. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <stddef.h>

extern const char web_page[];
extern const size_t web_page_length;

/*
 * Stands in the page wherever the nonce of the response goes, which lets its own script and style pass the content security
 * policy and nobody else's.
 */
#define WEB_NONCE "00000000000000000000000000000000"
#define WEB_NONCE_LENGTH 32

#endif
