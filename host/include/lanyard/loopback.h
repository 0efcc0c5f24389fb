/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_LOOPBACK_H
#define LANYARD_LOOPBACK_H

/* The loopback interface: what a stack sends to itself. Packets wait in the driver until lan_loopback_deliver() is
 * called from outside the stack, so that no protocol is entered from its own output.
 */

#include "lanyard/netif.h"

struct lan_loopback {
    struct lan_netif netif; /* for lan_stack_add_netif(); then give it 127.0.0.1/8 */
    struct lan_buf *head, *tail;
    uint32_t waiting; /* packets */
    void (*wanted)(void *arg);
    void *arg;
};

/* `wanted(arg)` is called when a first packet waits: let lan_loopback_deliver() be called soon, but not from there. */
void lan_loopback_init(struct lan_loopback *loopback, void (*wanted)(void *arg), void *arg);

/* Delivers the packets that wait now; what they give rise to waits for the next call. */
void lan_loopback_deliver(struct lan_loopback *loopback);

#endif
