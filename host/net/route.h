/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ROUTE_H
#define LANYARD_ROUTE_H

/* The routing table: an array sorted by falling prefix length, so that the first match is the longest. Looked up once
 * per flow, not per packet. Addresses in network order.
 */

#include "lanyard/stack.h"

struct lan_route {
    uint32_t destination, netmask, gateway;
    struct lan_netif *netif;
};

struct lan_routes {
    struct lan_route *entries;
    uint32_t count;
};

/* The route to `destination`, over a netif with an address; NULL if there is none. */
const struct lan_route *lan_route_find(const struct lan_stack *stack, uint32_t destination);

#endif
