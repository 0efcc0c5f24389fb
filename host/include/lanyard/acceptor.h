/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_ACCEPTOR_H
#define LANYARD_ACCEPTOR_H

/* The listening half of every TCP server: accepts while the server has room and leaves the rest in the backlog. */

#include "lanyard/loop.h"

struct lan_acceptor {
    struct lan_source source;
    uint32_t room; /* connections that may still be accepted */
    /* A new, non-blocking connection; the server closes it and then calls lan_acceptor_release(). */
    void (*accepted)(struct lan_acceptor *acceptor, int fd);
};

/* Listens on `port` (host byte order) for a server of `room` connections. 0, or what the socket calls said. */
int lan_acceptor_open(struct lan_acceptor *acceptor, struct lan_loop *loop, uint16_t port, int backlog, uint32_t room,
                      void (*accepted)(struct lan_acceptor *acceptor, int fd));

/* One of its connections is gone; there is room for another. */
void lan_acceptor_release(struct lan_acceptor *acceptor);

void lan_acceptor_close(struct lan_acceptor *acceptor);

#endif
