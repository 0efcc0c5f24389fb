/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"
#include "stack_internal.h"

#include <errno.h>

const struct lan_route *lan_route_find(const struct lan_stack *stack, uint32_t destination)
{
    const struct lan_routes *routes = &stack->routes;

    for (uint32_t i = 0; i < routes->count; i++) {
        const struct lan_route *route = &routes->entries[i];

        if ((destination & route->netmask) == route->destination && route->netif->address)
            return route;
    }
    return NULL;
}

/* Ones from the left, nothing else. */
static bool mask_valid(uint32_t netmask)
{
    uint32_t zeros = ~lan_get32(&netmask);

    return (zeros & (zeros + 1)) == 0;
}

int lan_route_add(struct lan_stack *stack, uint32_t destination, uint32_t netmask, uint32_t gateway,
                  struct lan_netif *netif)
{
    struct lan_routes *routes = &stack->routes;
    struct lan_route *route = routes->entries, *end = route + routes->count;

    if (!mask_valid(netmask) || (destination & ~netmask) || netif->stack != stack)
        return -EINVAL;
    for (; route < end && route->netmask >= netmask; route++) /* the longer mask is the greater in any byte order */
        if (route->destination == destination && route->netmask == netmask)
            return -EEXIST;
    if (routes->count == stack->config.routes)
        return -ENOBUFS;
    memmove(route + 1, route, (size_t)(end - route) * sizeof *route);
    *route = (struct lan_route){destination, netmask, gateway, netif};
    routes->count++;
    lan_arp_invalidate_flows(stack);
    return 0;
}

int lan_route_delete(struct lan_stack *stack, uint32_t destination, uint32_t netmask)
{
    struct lan_routes *routes = &stack->routes;
    struct lan_route *route = routes->entries, *end = route + routes->count;

    while (route < end && (route->destination != destination || route->netmask != netmask))
        route++;
    if (route == end)
        return -ESRCH;
    routes->count--;
    memmove(route, route + 1, (size_t)(end - route - 1) * sizeof *route);
    lan_arp_invalidate_flows(stack);
    return 0;
}

int lan_netif_set_address(struct lan_netif *netif, uint32_t address, uint32_t netmask)
{
    struct lan_stack *stack = netif->stack;

    if (!mask_valid(netmask) || lan_ip_is_multicast(address) || lan_ip_is_class_e(address))
        return -EINVAL;
    if (netif->address)
        lan_route_delete(stack, netif->address & netif->netmask, netif->netmask);
    netif->address = address;
    netif->netmask = netmask;
    for (struct lan_netif *other = stack->netifs; other; other = other->next)
        other->valid_source = 0;
    lan_arp_invalidate_flows(stack);
    if (!address)
        return 0;

    int result = lan_route_add(stack, address & netmask, netmask, 0, netif);

    if (result < 0)
        netif->address = 0;
    else if (netif->link_up)
        lan_arp_announce(netif);
    return result;
}
