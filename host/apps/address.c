/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/address.h"

#include <string.h>

#include "text.h"

struct lan_sockaddr_in lan_sockaddr(uint32_t address, uint16_t port)
{
    struct lan_sockaddr_in result = {.sin_family = LAN_AF_INET};
    uint8_t octets[4] = {(uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8), (uint8_t)address};
    uint8_t port_octets[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    memcpy(&result.sin_addr, octets, sizeof octets);
    memcpy(&result.sin_port, port_octets, sizeof port_octets);
    return result;
}

/* A decimal number of at most `max`, without leading zeros (which some readers take for octal). NULL if there is none.
 */
static const char *number(const char *text, uint32_t max, uint32_t *value)
{
    const char *at = text;
    for (*value = 0; *at >= '0' && *at <= '9' && *value <= max; at++)
        *value = *value * 10 + (uint32_t)(*at - '0');
    bool leading_zero = text[0] == '0' && at > text + 1;
    return at == text || *value > max || leading_zero ? NULL : at;
}

size_t lan_sockaddr_parse(const char *text, uint16_t port, struct lan_sockaddr_in *out)
{
    uint32_t address = 0, value;
    const char *at = text;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && *at++ != '.')
            return 0;
        at = number(at, 255, &value);
        if (!at)
            return 0;
        address = address << 8 | value;
    }
    if (*at == ':') {
        at = number(at + 1, UINT16_MAX, &value);
        if (!at || value == 0)
            return 0;
        port = (uint16_t)value;
    }
    *out = lan_sockaddr(address, port);
    return (size_t)(at - text);
}

const char *lan_sockaddr_format(const struct lan_sockaddr_in *address, char out[LAN_ADDRESS_BYTES])
{
    struct lan_text text = lan_text(out, LAN_ADDRESS_BYTES - 1);
    uint8_t octets[4], port[2];
    memcpy(octets, &address->sin_addr, sizeof octets);
    memcpy(port, &address->sin_port, sizeof port);
    for (int i = 0; i < 4; i++) {
        lan_text_number(&text, octets[i]);
        lan_text_add(&text, i < 3 ? "." : ":");
    }
    lan_text_number(&text, (uint64_t)port[0] << 8 | port[1]);
    out[text.len] = '\0';
    return out;
}
