/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_TAP_H
#define LANYARD_TAP_H

/* An interface on a TAP device of Linux: the stack and the kernel are the two ends of one Ethernet cable. The kernel is
 * asked for no offload, so frames come with whole checksums and fit the MTU.
 */

#include "lanyard/netif.h"

struct lan_tap_counters {
    uint64_t no_buffer, too_long, write_errors;
};

struct lan_tap {
    struct lan_netif netif; /* for lan_stack_add_netif() */
    struct lan_pool *pool;  /* borrowed: received frames lie here */
    int fd;                 /* wait for POLLIN, then call lan_tap_receive() */
    struct lan_tap_counters counters;
};

/* Attaches to the device `device`, making it if it does not exist. `mac` is this end's address. 0, or a negative errno
 * of open(2) or ioctl(2): -ENOENT without /dev/net/tun, -EPERM without the right to, -EBUSY when somebody else has it.
 * -ENAMETOOLONG for a name of more than 15 bytes.
 */
int lan_tap_open(struct lan_tap *tap, const char *device, const uint8_t mac[6], struct lan_pool *pool);

/* Takes what the kernel has sent, at most a batch; the rest keeps the descriptor readable. */
void lan_tap_receive(struct lan_tap *tap);

void lan_tap_close(struct lan_tap *tap);

#endif
