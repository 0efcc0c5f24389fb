/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TEXT_H
#define LANYARD_TEXT_H

/* Text built piece by piece into memory of a fixed size, without stdio. What does not fit is left out and noted. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lan_text {
    char *data;
    size_t room, len;
    bool cut; /* something did not fit */
};

static inline struct lan_text lan_text(char *data, size_t room)
{
    return (struct lan_text){.data = data, .room = room};
}

void lan_text_add(struct lan_text *text, const char *string);
void lan_text_bytes(struct lan_text *text, const char *bytes, size_t count);
void lan_text_number(struct lan_text *text, uint64_t value);

/* With leading zeros up to `digits`. */
void lan_text_padded(struct lan_text *text, uint64_t value, int digits, int base);

/* Escaped, for HTML text and attribute values: at most 5 octets for each. */
void lan_text_html(struct lan_text *text, const char *string);

/* Percent-encoded but for RFC 3986's unreserved characters: at most 3 octets for each. */
void lan_text_url(struct lan_text *text, const char *string);

#endif
