/* SPDX-License-Identifier: Apache-2.0 */
/* As much of JSON as iperf3 needs: members are found by name wherever they are, and numbers lose their fraction. */
#include "iperf_internal.h"

#include <string.h>

static const char *skip_spaces(const char *text)
{
    while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
        text++;
    return text;
}

const char *lan_iperf_find(const char *json, const char *key)
{
    size_t bytes = strlen(key);
    for (const char *quote = strchr(json, '"'); quote; quote = strchr(quote + 1, '"')) {
        if (strncmp(quote + 1, key, bytes) != 0 || quote[1 + bytes] != '"')
            continue;
        const char *colon = skip_spaces(quote + bytes + 2);
        if (*colon == ':')
            return skip_spaces(colon + 1);
    }
    return NULL;
}

uint64_t lan_iperf_number(const char *value)
{
    uint64_t number = 0;
    if (!value)
        return 0;
    if (strncmp(value, "true", 4) == 0)
        return 1;
    for (; *value >= '0' && *value <= '9'; value++) {
        if (number > (UINT64_MAX - 9) / 10)
            return UINT64_MAX;
        number = number * 10 + (uint64_t)(*value - '0');
    }
    return number;
}
