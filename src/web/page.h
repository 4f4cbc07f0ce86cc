/* SPDX-License-Identifier: ISC */
/* The status page, made from page.html by the build. */
#ifndef WEB_PAGE_H
#define WEB_PAGE_H

#include <stddef.h>

extern const char web_page[];
extern const size_t web_page_length;

/*
 * The placeholder for the response's nonce, which lets the page's own script and style, and no others, pass the content
 * security policy.
 */
#define WEB_NONCE "00000000000000000000000000000000"
#define WEB_NONCE_LENGTH 32

#endif
