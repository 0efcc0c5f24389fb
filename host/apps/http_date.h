/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTP_DATE_H
#define LANYARD_HTTP_DATE_H

/* HTTP's dates (RFC 9110 5.6.7) as seconds since 1970-01-01 UTC. */

#include "text.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT"; `seconds` from year 1970 to 9999. */
void lan_http_date_add(struct lan_text *text, int64_t seconds);

/* Reads any of the three forms; -1 when it is none. */
int64_t lan_http_date_parse(const char *string);

#endif
