/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/acceptor.h"

#include <errno.h>

#include "lanyard/address.h"

/* After a failure that is not the peer's (no descriptor, no memory), accepting again at once would fail again. */
#define PAUSE_NS UINT64_C(100000000)

static void pause_accepting(struct lan_acceptor *acceptor)
{
    lan_source_events(&acceptor->source, 0);
    lan_source_deadline(&acceptor->source, lan_loop_now(acceptor->source.loop) + PAUSE_NS);
}

static void accept_all(struct lan_source *source, int ready)
{
    struct lan_acceptor *acceptor = (struct lan_acceptor *)source;
    if (ready == 0)
        lan_source_events(source, acceptor->room ? LAN_POLLIN : 0);
    while (source->loop && acceptor->room) {
        int fd = lan_accept(source->loop->stack, source->fd, NULL, LAN_SOCK_NONBLOCK);
        if (fd == -EAGAIN)
            return;
        if (fd == -ECONNABORTED)
            continue;
        if (fd < 0) {
            pause_accepting(acceptor);
            return;
        }
        if (--acceptor->room == 0)
            lan_source_events(source, 0);
        acceptor->accepted(acceptor, fd);
    }
}

int lan_acceptor_open(struct lan_acceptor *acceptor, struct lan_loop *loop, uint16_t port, int backlog, uint32_t room,
                      void (*accepted)(struct lan_acceptor *acceptor, int fd))
{
    struct lan_sockaddr_in address = lan_sockaddr(0, port);
    int fd = lan_socket(loop->stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0), on = 1;
    if (fd < 0)
        return fd;
    /* A server that starts again must not wait for the TIME_WAIT of its old connections. */
    lan_setsockopt(loop->stack, fd, LAN_SOL_SOCKET, LAN_SO_REUSEADDR, &on, sizeof on);
    int result = lan_bind(loop->stack, fd, &address);
    if (result == 0)
        result = lan_listen(loop->stack, fd, backlog);
    if (result < 0) {
        lan_close(loop->stack, fd);
        return result;
    }
    acceptor->room = room;
    acceptor->accepted = accepted;
    lan_loop_add(loop, &acceptor->source, fd, LAN_POLLIN, accept_all);
    return 0;
}

void lan_acceptor_release(struct lan_acceptor *acceptor)
{
    acceptor->room++;
    if (acceptor->source.loop)
        lan_source_events(&acceptor->source, LAN_POLLIN);
}

void lan_acceptor_close(struct lan_acceptor *acceptor)
{
    struct lan_loop *loop = acceptor->source.loop;
    if (!loop)
        return;
    lan_loop_remove(&acceptor->source);
    lan_close(loop->stack, acceptor->source.fd);
}
