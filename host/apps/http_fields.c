/* SPDX-License-Identifier: Apache-2.0 */
#include "http_fields.h"

#include <string.h>

size_t lan_http_empty_lines(const char *data, size_t bytes)
{
    size_t count = 0;
    while (count < bytes && (data[count] == '\r' || data[count] == '\n'))
        count++;
    return count;
}

size_t lan_http_head_length(const char *data, size_t bytes, size_t *scanned)
{
    for (size_t i = *scanned; i < bytes; i++) {
        if (data[i] != '\n')
            continue;
        size_t before = i;
        if (before > 0 && data[before - 1] == '\r')
            before--;
        if (before > 0 && data[before - 1] == '\n')
            return i + 1;
    }
    *scanned = bytes;
    return 0;
}

char lan_http_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool lan_http_same(const char *a, const char *b)
{
    while (*a && lan_http_lower(*a) == lan_http_lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool lan_http_is_token(const char *string)
{
    const char *at = string;
    while (*at && ((*at >= '0' && *at <= '9') || (lan_http_lower(*at) >= 'a' && lan_http_lower(*at) <= 'z') ||
                   strchr("!#$%&'*+-.^_`|~", *at)))
        at++;
    return at > string && *at == '\0';
}

bool lan_http_decimal(const char *string, uint64_t *value)
{
    *value = 0;
    if (!*string)
        return false;
    for (; *string; string++) {
        unsigned digit = (unsigned)(*string - '0');
        if (digit > 9 || *value > (UINT64_MAX - digit) / 10)
            return false;
        *value = *value * 10 + digit;
    }
    return true;
}

int lan_http_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lan_http_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *lan_http_split_field(char *line)
{
    char *value = strchr(line, ':');
    if (!value)
        return NULL;
    *value++ = '\0';
    value += strspn(value, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    for (const char *at = value; *at; at++) {
        if (((uint8_t)*at < ' ' && *at != '\t') || *at == 0x7f)
            return NULL;
    }
    return lan_http_is_token(line) ? value : NULL;
}

char *lan_http_next_line(char **at)
{
    char *line = *at, *end = strchr(line, '\n');
    *at = end + 1;
    if (end > line && end[-1] == '\r')
        end--;
    *end = '\0';
    return line;
}
