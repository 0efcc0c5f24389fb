/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"
#include "stack_internal.h"

#include <errno.h>

size_t lan_route_memory(const struct lan_config *config)
{
    return lan_carve_size(config->routes * sizeof(struct lan_route));
}

void lan_route_init(struct lan_stack *stack)
{
    struct lan_routes *routes = &stack->routes;

    routes->capacity = stack->config.routes;
    routes->entries = lan_stack_carve(stack, routes->capacity * sizeof *routes->entries);
}

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
    uint32_t zeros = ~lan_htonl(netmask);

    return (zeros & (zeros + 1)) == 0;
}

static uint32_t find_exact(const struct lan_routes *routes, uint32_t destination, uint32_t netmask)
{
    uint32_t i = 0;

    while (i < routes->count &&
           (routes->entries[i].destination != destination || routes->entries[i].netmask != netmask))
        i++;
    return i;
}

int lan_route_add(struct lan_stack *stack, uint32_t destination, uint32_t netmask, uint32_t gateway,
                  struct lan_netif *netif)
{
    struct lan_routes *routes = &stack->routes;

    if (!mask_valid(netmask) || (destination & ~netmask) || netif->stack != stack)
        return -EINVAL;
    if (find_exact(routes, destination, netmask) < routes->count)
        return -EEXIST;
    if (routes->count == routes->capacity)
        return -ENOBUFS;

    uint32_t i = routes->count++;

    for (; i > 0 && lan_htonl(routes->entries[i - 1].netmask) < lan_htonl(netmask); i--)
        routes->entries[i] = routes->entries[i - 1];
    routes->entries[i] = (struct lan_route){destination, netmask, gateway, netif};
    lan_arp_invalidate_flows(stack);
    return 0;
}

int lan_route_delete(struct lan_stack *stack, uint32_t destination, uint32_t netmask)
{
    struct lan_routes *routes = &stack->routes;
    uint32_t i = find_exact(routes, destination, netmask);

    if (i == routes->count)
        return -ESRCH;
    for (routes->count--; i < routes->count; i++)
        routes->entries[i] = routes->entries[i + 1];
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
