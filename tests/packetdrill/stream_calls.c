/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that move data. All of them end in one receive and one send of a plain buffer. */
#include "adapter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ssize_t receive(struct adapter *a, int fd, void *data, size_t bytes, int flags, struct lan_sockaddr_in *from)
{
    if (flags & MSG_ERRQUEUE) /* there is none, so nothing is in it */
        return adapter_result(-EAGAIN);
    if (!data && bytes)
        return adapter_result(-EFAULT);
    machine_enter(a->machine);
    long result = lan_recvfrom(a->machine->stack, adapter_socket(a, fd), data, bytes, flags, from);
    if (result > 0 && !(flags & MSG_PEEK))
        a->taken[fd] += (uint64_t)result;
    machine_leave(a->machine);
    return adapter_result(result);
}

static ssize_t transmit(struct adapter *a, int fd, const void *data, size_t bytes, int flags,
                        const struct lan_sockaddr_in *to)
{
    if (!data && bytes)
        return adapter_result(-EFAULT);
    machine_enter(a->machine);
    long result = lan_sendto(a->machine->stack, adapter_socket(a, fd), data, bytes, flags & ~MSG_NOSIGNAL, to);
    machine_leave(a->machine);
    return adapter_result(result);
}

static size_t total(const struct iovec *parts, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += parts[i].iov_len;
    return bytes;
}

/* A scattered call by way of one buffer: a packet of the script stands for it either way. */
static ssize_t receive_parts(struct adapter *a, int fd, const struct iovec *parts, size_t count, int flags,
                             struct lan_sockaddr_in *from)
{
    size_t room = total(parts, count);
    uint8_t *data = malloc(room + 1);

    if (!data)
        return adapter_result(-ENOMEM);

    ssize_t received = receive(a, fd, data, room, flags, from);
    int error = errno;
    const uint8_t *next = data;

    for (ssize_t left = received; left > 0; parts++) {
        size_t bytes = (size_t)left < parts->iov_len ? (size_t)left : parts->iov_len;

        memcpy(parts->iov_base, next, bytes);
        next += bytes;
        left -= (ssize_t)bytes;
    }
    free(data);
    errno = error;
    return received;
}

static ssize_t transmit_parts(struct adapter *a, int fd, const struct iovec *parts, size_t count, int flags,
                              const struct lan_sockaddr_in *to)
{
    size_t bytes = total(parts, count);
    uint8_t *data = malloc(bytes + 1), *next = data;

    if (!data)
        return adapter_result(-ENOMEM);
    for (size_t i = 0; i < count; i++) {
        memcpy(next, parts[i].iov_base, parts[i].iov_len);
        next += parts[i].iov_len;
    }

    ssize_t sent = transmit(a, fd, data, bytes, flags, to);
    int error = errno;

    free(data);
    errno = error;
    return sent;
}

/* NULL for no address, and for one that is too short to be one. */
static const struct lan_sockaddr_in *taken(const void *address, socklen_t bytes, struct lan_sockaddr_in *own)
{
    if (!address || bytes < sizeof *own)
        return NULL;
    memcpy(own, address, sizeof *own);
    return own;
}

static ssize_t call_read(void *userdata, int fd, void *data, size_t bytes)
{
    return receive(userdata, fd, data, bytes, 0, NULL);
}

static ssize_t call_readv(void *userdata, int fd, const struct iovec *parts, int count)
{
    return receive_parts(userdata, fd, parts, (size_t)count, 0, NULL);
}

static ssize_t call_recv(void *userdata, int fd, void *data, size_t bytes, int flags)
{
    return receive(userdata, fd, data, bytes, flags, NULL);
}

static ssize_t call_recvfrom(void *userdata, int fd, void *data, size_t bytes, int flags, struct sockaddr *from,
                             socklen_t *from_bytes)
{
    struct lan_sockaddr_in address = {0};
    ssize_t received = receive(userdata, fd, data, bytes, flags, &address);

    if (received >= 0)
        adapter_give_address(&address, from, from_bytes);
    return received;
}

static ssize_t call_recvmsg(void *userdata, int fd, struct msghdr *message, int flags)
{
    struct lan_sockaddr_in address = {0};
    ssize_t received = receive_parts(userdata, fd, message->msg_iov, message->msg_iovlen, flags, &address);

    if (received >= 0) {
        adapter_give_address(&address, message->msg_name, &message->msg_namelen);
        message->msg_controllen = 0;
        message->msg_flags = 0;
    }
    return received;
}

static ssize_t call_write(void *userdata, int fd, const void *data, size_t bytes)
{
    return transmit(userdata, fd, data, bytes, 0, NULL);
}

static ssize_t call_writev(void *userdata, int fd, const struct iovec *parts, int count)
{
    return transmit_parts(userdata, fd, parts, (size_t)count, 0, NULL);
}

static ssize_t call_send(void *userdata, int fd, const void *data, size_t bytes, int flags)
{
    return transmit(userdata, fd, data, bytes, flags, NULL);
}

static ssize_t call_sendto(void *userdata, int fd, const void *data, size_t bytes, int flags, const struct sockaddr *to,
                           socklen_t to_bytes)
{
    struct lan_sockaddr_in own;

    return transmit(userdata, fd, data, bytes, flags, taken(to, to_bytes, &own));
}

static ssize_t call_sendmsg(void *userdata, int fd, const struct msghdr *message, int flags)
{
    struct lan_sockaddr_in own;

    return transmit_parts(userdata, fd, message->msg_iov, message->msg_iovlen, flags,
                          taken(message->msg_name, message->msg_namelen, &own));
}

static int call_pipe(void *userdata, int ends[2])
{
    (void)userdata;
    return pipe(ends);
}

/* One side is a pipe of the process, the other a socket of the stack. */
static ssize_t call_splice(void *userdata, int from, loff_t *from_offset, int to, loff_t *to_offset, size_t bytes,
                           unsigned flags)
{
    struct adapter *a = userdata;
    uint8_t data[65536];
    size_t room = bytes < sizeof data ? bytes : sizeof data;
    bool socket_to_pipe = adapter_socket(a, from) != NOT_A_SOCKET;

    (void)flags;
    if (from_offset || to_offset)
        return adapter_result(-ESPIPE);
    ssize_t moved = socket_to_pipe ? receive(a, from, data, room, 0, NULL) : read(from, data, room);
    if (moved <= 0)
        return moved;
    return socket_to_pipe ? write(to, data, (size_t)moved) : transmit(a, to, data, (size_t)moved, 0, NULL);
}

void adapter_stream_calls(struct packetdrill_interface *interface)
{
    interface->read = call_read;
    interface->readv = call_readv;
    interface->recv = call_recv;
    interface->recvfrom = call_recvfrom;
    interface->recvmsg = call_recvmsg;
    interface->write = call_write;
    interface->writev = call_writev;
    interface->send = call_send;
    interface->sendto = call_sendto;
    interface->sendmsg = call_sendmsg;
    interface->pipe = call_pipe;
    interface->splice = call_splice;
}
