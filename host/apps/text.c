/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <string.h>

void lan_text_bytes(struct lan_text *text, const char *bytes, size_t count)
{
    if (count > text->room - text->len) {
        text->cut = true;
        return;
    }
    memcpy(text->data + text->len, bytes, count);
    text->len += count;
}

void lan_text_add(struct lan_text *text, const char *string)
{
    lan_text_bytes(text, string, strlen(string));
}

void lan_text_padded(struct lan_text *text, uint64_t value, int digits, int base)
{
    char buffer[20], *at = buffer + sizeof buffer;
    do {
        *--at = "0123456789ABCDEF"[value % (unsigned)base];
        value /= (unsigned)base;
    } while (--digits > 0 || value);
    lan_text_bytes(text, at, (size_t)(buffer + sizeof buffer - at));
}

void lan_text_number(struct lan_text *text, uint64_t value)
{
    lan_text_padded(text, value, 1, 10);
}

void lan_text_html(struct lan_text *text, const char *string)
{
    for (; *string; string++) {
        switch (*string) {
        case '&':
            lan_text_add(text, "&amp;");
            break;
        case '<':
            lan_text_add(text, "&lt;");
            break;
        case '>':
            lan_text_add(text, "&gt;");
            break;
        case '"':
            lan_text_add(text, "&#34;");
            break;
        case '\'':
            lan_text_add(text, "&#39;");
            break;
        default:
            lan_text_bytes(text, string, 1);
        }
    }
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void lan_text_url(struct lan_text *text, const char *string)
{
    for (; *string; string++) {
        if (unreserved(*string)) {
            lan_text_bytes(text, string, 1);
        } else {
            lan_text_add(text, "%");
            lan_text_padded(text, (uint8_t)*string, 2, 16);
        }
    }
}
