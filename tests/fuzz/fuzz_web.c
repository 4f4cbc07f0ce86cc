/* SPDX-License-Identifier: ISC */
/* What anybody may send to the HTTP port. */
#include "config.h"

#undef NDEBUG /* what is asserted is the test */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "http/message.h"
#include "web/web.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t head = http_head_length((const char *)data, size);
	struct web_request request;
	const struct addr local = { .family = ADDR_IPV4, .bytes = { 192, 0, 2, 1 } };
	const char *why = NULL;
	unsigned status;

	assert(head <= size);
	status = web_parse((const char *)data, head == 0 ? size : head, &request, &why);
	assert(memchr(request.host, '\0', sizeof(request.host)) != NULL);
	if (request.has_host)
		assert(!web_host_is_known(request.host, &local, "") ||
		    web_host_is_known(request.host, &local, "director.example.org, director"));
	if (status == 0)
		assert(request.resource <= WEB_EVENTS);
	else
		assert(status >= 400 && status < 600 && why != NULL && http_status_text(status) != NULL);
	return 0;
}
