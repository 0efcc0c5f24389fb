/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_PACKETDRILL_INTERFACE_H
#define LANYARD_PACKETDRILL_INTERFACE_H

/* What packetdrill asks of a shared object given with --so_filename, declared from its public description: the object
 * exports packetdrill_interface_init(), which fills this table. Only the order and the types matter. Each function
 * takes `userdata` first; the calls of POSIX return -1 and set errno, as the C library's do.
 */

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct packetdrill_interface {
    void *userdata;
    void (*free)(void *userdata);

    int (*socket)(void *userdata, int domain, int type, int protocol);
    int (*bind)(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes);
    int (*listen)(void *userdata, int fd, int backlog);
    int (*accept)(void *userdata, int fd, struct sockaddr *peer, socklen_t *bytes);
    int (*connect)(void *userdata, int fd, const struct sockaddr *address, socklen_t bytes);
    ssize_t (*read)(void *userdata, int fd, void *data, size_t bytes);
    ssize_t (*readv)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*recv)(void *userdata, int fd, void *data, size_t bytes, int flags);
    ssize_t (*recvfrom)(void *userdata, int fd, void *data, size_t bytes, int flags, struct sockaddr *from,
                        socklen_t *from_bytes);
    ssize_t (*recvmsg)(void *userdata, int fd, struct msghdr *message, int flags);
    ssize_t (*write)(void *userdata, int fd, const void *data, size_t bytes);
    ssize_t (*writev)(void *userdata, int fd, const struct iovec *parts, int count);
    ssize_t (*send)(void *userdata, int fd, const void *data, size_t bytes, int flags);
    ssize_t (*sendto)(void *userdata, int fd, const void *data, size_t bytes, int flags, const struct sockaddr *to,
                      socklen_t to_bytes);
    ssize_t (*sendmsg)(void *userdata, int fd, const struct msghdr *message, int flags);
    int (*fcntl)(void *userdata, int fd, int command, ...);
    int (*ioctl)(void *userdata, int fd, unsigned long request, ...);
    int (*close)(void *userdata, int fd);
    int (*shutdown)(void *userdata, int fd, int how);
    int (*getsockopt)(void *userdata, int fd, int level, int option, void *value, socklen_t *bytes);
    int (*setsockopt)(void *userdata, int fd, int level, int option, const void *value, socklen_t bytes);
    int (*poll)(void *userdata, struct pollfd *fds, nfds_t count, int timeout_ms);

    /* IP packets to the stack, and the next one from it: *bytes is the room, then the packet's length. */
    int (*netdev_send)(void *userdata, const void *packet, size_t bytes);
    int (*netdev_receive)(void *userdata, void *packet, size_t *bytes, long long *time_us);

    int (*usleep)(void *userdata, useconds_t us);
    int (*gettimeofday)(void *userdata, struct timeval *now, struct timezone *zone);
    int (*epoll_create)(void *userdata, int size);
    int (*epoll_ctl)(void *userdata, int epoll, int operation, int fd, struct epoll_event *event);
    int (*epoll_wait)(void *userdata, int epoll, struct epoll_event *events, int room, int timeout_ms);
    int (*pipe)(void *userdata, int ends[2]);
    ssize_t (*splice)(void *userdata, int from, loff_t *from_offset, int to, loff_t *to_offset, size_t bytes,
                      unsigned flags);
};

__attribute__((visibility("default"))) void packetdrill_interface_init(const char *flags,
                                                                       struct packetdrill_interface *interface);

#endif
