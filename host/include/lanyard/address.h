/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ADDRESS_H
#define LANYARD_ADDRESS_H

/* Socket addresses from and to what people write. */

#include "lanyard/socket.h"

enum { LAN_ADDRESS_BYTES = 22 }; /* "255.255.255.255:65535" and its terminator */

/* Both numbers in host byte order: lan_sockaddr(0xC0000201, 80) is 192.0.2.1:80. */
struct lan_sockaddr_in lan_sockaddr(uint32_t address, uint16_t port);

/* Reads "a.b.c.d" or "a.b.c.d:port" (four decimal octets, a port from 1 to 65535) at the start of `text`; without a
 * port it is `port` (host byte order). Returns the characters read, or 0 when it is not an address. */
size_t lan_sockaddr_parse(const char *text, uint16_t port, struct lan_sockaddr_in *out);

/* Writes "a.b.c.d:port" and returns `out`. */
const char *lan_sockaddr_format(const struct lan_sockaddr_in *address, char out[LAN_ADDRESS_BYTES]);

#endif
