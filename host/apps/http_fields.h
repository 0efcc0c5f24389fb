/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTP_FIELDS_H
#define LANYARD_HTTP_FIELDS_H

/* The lines of a head, which requests and responses have in common (RFC 9112 2 and 5). Parsing cuts the memory up in
 * place.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of empty lines at `data`, which are skipped in front of a request (RFC 9112 2.2). */
size_t lan_http_empty_lines(const char *data, size_t bytes);

/* Length of the head that starts at `data`, with its empty line; 0 when it has not ended yet. `*scanned` says how much
 * of it was looked at before (0 at first), so that a head that comes octet by octet costs no more than its length. */
size_t lan_http_head_length(const char *data, size_t bytes, size_t *scanned);

/* The next line, cut out of a head, its end (LF or CR LF) taken off. There is one, as a head ends in a line feed; a
 * zero octet in front of that has been refused before. */
char *lan_http_next_line(char **at);

/* Cuts "name: value" in two and checks both; NULL when it is not well formed. A line that starts with white space
 * (obs-fold) fails as a name. */
char *lan_http_split_field(char *line);

char lan_http_lower(char c);

/* Equal but for the case of ASCII letters. */
bool lan_http_same(const char *a, const char *b);

/* RFC 9110 5.6.2 */
bool lan_http_is_token(const char *string);

/* A whole string of digits; false when it is not one, or too large. */
bool lan_http_decimal(const char *string, uint64_t *value);

/* The value of a hexadecimal digit; -1 for anything else. */
int lan_http_hex(char c);

#endif
