/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that make, name, set up and end sockets. The stack's constants have Linux's values, so nothing is translated
 * but descriptors and addresses. */
#include "adapter.h"
#include "lanyard/tcp_info.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

_Static_assert(sizeof(struct sockaddr_in) == sizeof(struct lan_sockaddr_in), "addresses are handed on as they are");

int adapter_open(struct adapter *a, int socket)
{
    int fd = eventfd(0, EFD_CLOEXEC);

    if (fd < 0 || fd >= ADAPTER_FDS) {
        if (fd >= 0)
            close(fd);
        lan_close(a->machine->stack, socket);
        errno = EMFILE;
        return -1;
    }
    a->sockets[fd] = socket;
    a->taken[fd] = 0;
    return fd;
}

int adapter_socket(const struct adapter *a, int fd)
{
    return fd >= 0 && fd < ADAPTER_FDS ? a->sockets[fd] : NOT_A_SOCKET;
}

long adapter_result(long result)
{
    if (result >= 0)
        return result;
    errno = (int)-result;
    return -1;
}

void adapter_give_address(const struct lan_sockaddr_in *address, void *out, socklen_t *bytes)
{
    if (!out || !bytes)
        return;
    memcpy(out, address, *bytes < sizeof *address ? *bytes : sizeof *address);
    *bytes = sizeof *address;
}

static int call_socket(void *userdata, int domain, int type, int protocol)
{
    struct adapter *a = userdata;

    machine_enter(a->machine);
    int socket = lan_socket(a->machine->stack, domain, type & ~SOCK_CLOEXEC, protocol);
    int fd = socket < 0 ? (int)adapter_result(socket) : adapter_open(a, socket);
    machine_leave(a->machine);
    return fd;
}

static int name(struct adapter *a, int fd, const struct sockaddr *address, socklen_t bytes,
                int (*call)(struct lan_stack *, int, const struct lan_sockaddr_in *))
{
    struct lan_sockaddr_in own;

    if (bytes < sizeof own)
        return (int)adapter_result(-EINVAL);
    memcpy(&own, address, sizeof own);
    machine_enter(a->machine);
    int result = call(a->machine->stack, adapter_socket(a, fd), &own);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

static int call_bind(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes)
{
    return name(userdata, fd, address, bytes, lan_bind);
}

static int call_connect(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes)
{
    return name(userdata, fd, address, bytes, lan_connect);
}

static int call_listen(void *userdata, int fd, int backlog)
{
    struct adapter *a = userdata;

    machine_enter(a->machine);
    int result = lan_listen(a->machine->stack, adapter_socket(a, fd), backlog);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

static int call_accept(void *userdata, int fd, struct sockaddr *peer, socklen_t *bytes)
{
    struct adapter *a = userdata;
    struct lan_sockaddr_in address;

    machine_enter(a->machine);
    int socket = lan_accept(a->machine->stack, adapter_socket(a, fd), &address, 0);
    int accepted = socket < 0 ? (int)adapter_result(socket) : adapter_open(a, socket);
    machine_leave(a->machine);
    if (accepted >= 0)
        adapter_give_address(&address, peer, bytes);
    return accepted;
}

static int call_fcntl(void *userdata, int fd, int command, ...)
{
    struct adapter *a = userdata;
    va_list arguments;

    va_start(arguments, command);
    int argument = va_arg(arguments, int);
    va_end(arguments);
    if (adapter_socket(a, fd) == NOT_A_SOCKET)
        return fcntl(fd, command, argument);
    machine_enter(a->machine);
    int result = lan_fcntl(a->machine->stack, adapter_socket(a, fd), command, argument);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

static int call_ioctl(void *userdata, int fd, unsigned long request, ...)
{
    struct adapter *a = userdata;
    struct lan_tcp_info info;
    uint32_t bytes = sizeof info;
    va_list arguments;

    va_start(arguments, request);
    int *value = va_arg(arguments, int *);
    va_end(arguments);
    machine_enter(a->machine);
    int result = lan_getsockopt(a->machine->stack, adapter_socket(a, fd), IPPROTO_TCP, LAN_TCP_INFO, &info, &bytes);
    machine_leave(a->machine);
    if (result < 0)
        return (int)adapter_result(result);
    if (request == SIOCINQ)
        *value = (int)info.unread;
    else if (request == SIOCOUTQ)
        *value = (int)(info.unacked + info.notsent);
    else if (request == SIOCOUTQNSD)
        *value = (int)info.notsent;
    else
        return (int)adapter_result(-EINVAL);
    return 0;
}

static int call_close(void *userdata, int fd)
{
    struct adapter *a = userdata;

    if (adapter_socket(a, fd) == NOT_A_SOCKET) {
        if (fd >= 0 && fd < ADAPTER_FDS)
            adapter_forget_watches(a, fd);
        return close(fd);
    }
    machine_enter(a->machine);
    int result = lan_close(a->machine->stack, a->sockets[fd]);
    a->sockets[fd] = NOT_A_SOCKET;
    machine_leave(a->machine);
    close(fd);
    return (int)adapter_result(result);
}

static int call_shutdown(void *userdata, int fd, int how)
{
    struct adapter *a = userdata;

    machine_enter(a->machine);
    int result = lan_shutdown(a->machine->stack, adapter_socket(a, fd), how);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

/* Linux calls its NewReno "reno". */
static bool is_congestion(int level, int option)
{
    return level == IPPROTO_TCP && option == LAN_TCP_CONGESTION;
}

static int call_getsockopt(void *userdata, int fd, int level, int option, void *value, socklen_t *bytes)
{
    struct adapter *a = userdata;

    machine_enter(a->machine);
    int result = level == IPPROTO_TCP && option == LAN_TCP_INFO
                     ? adapter_tcp_info(a, fd, value, bytes)
                     : lan_getsockopt(a->machine->stack, adapter_socket(a, fd), level, option, value, bytes);
    machine_leave(a->machine);
    if (is_congestion(level, option) && result == 0 && *bytes > 7 && strcmp(value, "newreno") == 0)
        strcpy(value, "reno");
    return (int)adapter_result(result);
}

static int call_setsockopt(void *userdata, int fd, int level, int option, const void *value, socklen_t bytes)
{
    struct adapter *a = userdata;

    if (!value && bytes)
        return (int)adapter_result(-EFAULT);
    if (is_congestion(level, option) && bytes >= 4 && strncmp(value, "reno", bytes) == 0) {
        value = "newreno";
        bytes = sizeof "newreno";
    }
    machine_enter(a->machine);
    int result = lan_setsockopt(a->machine->stack, adapter_socket(a, fd), level, option, value, bytes);
    machine_leave(a->machine);
    return (int)adapter_result(result);
}

void adapter_socket_calls(struct packetdrill_interface *interface)
{
    interface->socket = call_socket;
    interface->bind = call_bind;
    interface->listen = call_listen;
    interface->accept = call_accept;
    interface->connect = call_connect;
    interface->fcntl = call_fcntl;
    interface->ioctl = call_ioctl;
    interface->close = call_close;
    interface->shutdown = call_shutdown;
    interface->getsockopt = call_getsockopt;
    interface->setsockopt = call_setsockopt;
}
