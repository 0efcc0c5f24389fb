/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/loopback.h"

#include <errno.h>

enum { WAITING_MAX = 1024 };

static int transmit(struct lan_netif *netif, struct lan_buf *packet)
{
    struct lan_loopback *loopback = netif->driver;

    if (loopback->waiting == WAITING_MAX)
        return -ENOBUFS;
    packet->link = NULL;
    if (loopback->head)
        loopback->tail->link = packet;
    else
        loopback->head = packet;
    loopback->tail = packet;
    if (loopback->waiting++ == 0)
        loopback->wanted(loopback->arg);
    return 0;
}

static const struct lan_netif_ops OPS = {.transmit = transmit};

void lan_loopback_init(struct lan_loopback *loopback, void (*wanted)(void *arg), void *arg)
{
    *loopback = (struct lan_loopback){
        .netif = {.ops = &OPS,
                  .driver = loopback,
                  .name = "lo",
                  .mtu = 65535,
                  .features = LAN_NETIF_LOOPBACK,
                  .link_up = true},
        .wanted = wanted,
        .arg = arg,
    };
}

void lan_loopback_deliver(struct lan_loopback *loopback)
{
    struct lan_buf *packets = loopback->head;

    loopback->head = NULL;
    loopback->waiting = 0;
    if (packets)
        lan_netif_input(&loopback->netif, packets);
    lan_netif_tx_ready(&loopback->netif);
}
