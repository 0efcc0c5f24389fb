/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait for readiness: poll, and epoll on top of it (level-triggered, and EPOLLET by remembering what was
 * told). */
#include "adapter.h"
#include "lanyard/tcp_info.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>

enum { POLL_MAX = 64 };

struct watch {
    struct watch *next;
    int fd;
    uint32_t told;    /* with EPOLLET: what has been reported and still holds, ... */
    uint64_t arrived; /* ... and how much the peer had sent by then */
    struct epoll_event event;
};

/* `fds` hold real descriptors; those that are none of the stack's are reported as POSIX does. */
static int wait_for(struct adapter *a, struct pollfd *fds, unsigned count, int timeout_ms)
{
    struct lan_pollfd own[POLL_MAX];

    if (count > POLL_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < count; i++)
        own[i] = (struct lan_pollfd){fds[i].fd < 0 ? -1 : adapter_socket(a, fds[i].fd), fds[i].events, 0};

    int ready = lan_poll(a->machine->stack, own, count, timeout_ms);

    for (unsigned i = 0; i < count; i++)
        fds[i].revents = own[i].revents;
    return ready;
}

static int call_poll(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct adapter *a = userdata;

    machine_enter(a->machine);
    int ready = wait_for(a, fds, (unsigned)count, timeout_ms);
    machine_leave(a->machine);
    return (int)adapter_result(ready);
}

void adapter_forget_watches(struct adapter *a, int fd)
{
    while (a->epolls[fd]) {
        struct watch *watch = a->epolls[fd];

        a->epolls[fd] = watch->next;
        free(watch);
    }
}

static int call_epoll_create(void *userdata, int size)
{
    struct adapter *a = userdata;
    int fd = size > 0 ? eventfd(0, EFD_CLOEXEC) : (errno = EINVAL, -1);

    if (fd >= ADAPTER_FDS) {
        close(fd);
        return (int)adapter_result(-EMFILE);
    }
    if (fd >= 0)
        adapter_forget_watches(a, fd); /* of a descriptor that the C library closed */
    return fd;
}

static int change(struct watch **list, int operation, int fd, const struct epoll_event *event)
{
    struct watch **link = list;

    while (*link && (*link)->fd != fd)
        link = &(*link)->next;
    if (operation == EPOLL_CTL_ADD) {
        if (*link)
            return -EEXIST;
        *link = calloc(1, sizeof **link);
        if (!*link)
            return -ENOMEM;
    } else if (!*link) {
        return -ENOENT;
    }

    struct watch *watch = *link;

    if (operation == EPOLL_CTL_DEL) {
        *link = watch->next;
        free(watch);
    } else {
        *watch = (struct watch){watch->next, fd, 0, 0, *event};
    }
    return 0;
}

static int call_epoll_ctl(void *userdata, int epoll, int operation, int fd, struct epoll_event *event)
{
    struct adapter *a = userdata;

    if (epoll < 0 || epoll >= ADAPTER_FDS || adapter_socket(a, fd) == NOT_A_SOCKET)
        return (int)adapter_result(-EBADF);
    machine_enter(a->machine);
    int result = change(&a->epolls[epoll], operation, fd, event);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

/* Grows with every byte that arrives, and with a FIN. */
static uint64_t arrived(struct adapter *a, int fd)
{
    struct lan_tcp_info info = {0};
    uint32_t bytes = sizeof info;

    lan_getsockopt(a->machine->stack, adapter_socket(a, fd), IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes);
    return (a->taken[fd] + info.unread) * 2 + (info.state > LAN_TCP_FIN_WAIT_2);
}

/* Reports what is new to the watch; the events of poll have the numbers of epoll's. To EPOLLET more data are new even
 * if those before have not been read. */
static int report(struct watch *watch, uint32_t ready, uint64_t now_arrived, struct epoll_event *out)
{
    uint32_t known = now_arrived == watch->arrived ? watch->told : watch->told & ~(uint32_t)EPOLLIN;
    uint32_t fresh = watch->event.events & EPOLLET ? ready & ~known : ready;

    watch->told = ready;
    watch->arrived = now_arrived;
    if (!fresh)
        return 0;
    *out = (struct epoll_event){.events = ready, .data = watch->event.data};
    if (watch->event.events & EPOLLONESHOT)
        watch->event.events = 0;
    return 1;
}

static int look(struct adapter *a, int epoll, struct epoll_event *events, int room)
{
    int count = 0;

    for (struct watch *watch = a->epolls[epoll]; watch && count < room; watch = watch->next) {
        int ready = lan_ready(a->machine->stack, adapter_socket(a, watch->fd), (int)(watch->event.events & 0xffff));

        if (watch->event.events)
            count += report(watch, (uint32_t)ready, arrived(a, watch->fd), &events[count]);
    }
    return count;
}

static int call_epoll_wait(void *userdata, int epoll, struct epoll_event *events, int room, int timeout_ms)
{
    struct adapter *a = userdata;
    int count;

    if (epoll < 0 || epoll >= ADAPTER_FDS || room <= 0)
        return (int)adapter_result(-EINVAL);
    machine_enter(a->machine);

    uint64_t deadline_ns = timeout_ms < 0 ? LAN_NEVER : a->machine->now_ns + (uint64_t)timeout_ms * 1000000;

    /* Without a change there is nothing new to report, so it looks again when a millisecond has passed. */
    while ((count = look(a, epoll, events, room)) == 0 && a->machine->now_ns < deadline_ns) {
        struct pollfd none = {.fd = -1};

        wait_for(a, &none, 1, 1);
    }
    machine_leave(a->machine);
    return count;
}

void adapter_wait_calls(struct packetdrill_interface *interface)
{
    interface->poll = call_poll;
    interface->epoll_create = call_epoll_create;
    interface->epoll_ctl = call_epoll_ctl;
    interface->epoll_wait = call_epoll_wait;
}
