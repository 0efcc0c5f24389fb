/* SPDX-License-Identifier: Apache-2.0 */
#include "lanyard/tcp_info.h"
#include "socket_table.h"
#include "stack_internal.h"
#include "tcp.h"

#include <errno.h>

static int set_timeout(uint32_t *timeout_ms, const void *value, uint32_t bytes)
{
    struct lan_timeval time;

    if (bytes != sizeof time)
        return -EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.tv_sec < 0 || time.tv_usec < 0 || time.tv_usec >= 1000000)
        return -EDOM;
    if (time.tv_sec >= UINT32_MAX / 1000)
        *timeout_ms = 0; /* 49 days and more: for ever */
    else
        *timeout_ms = (uint32_t)time.tv_sec * 1000 + ((uint32_t)time.tv_usec + 999) / 1000;
    return 0;
}

static int set_linger(struct lan_socket *socket, const void *value, uint32_t bytes)
{
    struct lan_linger linger;

    if (bytes != sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    if (linger.l_linger < 0)
        return -EINVAL;
    if (!linger.l_onoff)
        socket->linger_s = -1;
    else
        socket->linger_s = (int16_t)(linger.l_linger < INT16_MAX ? linger.l_linger : INT16_MAX);
    return 0;
}

int lan_setsockopt(struct lan_stack *stack, int fd, int level, int option, const void *value, uint32_t bytes)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);
    int number;

    if (!socket)
        return -EBADF;
    if (level == LAN_SOL_SOCKET) {
        switch (option) {
        case LAN_SO_RCVTIMEO:
            return set_timeout(&socket->receive_timeout_ms, value, bytes);
        case LAN_SO_SNDTIMEO:
            return set_timeout(&socket->send_timeout_ms, value, bytes);
        case LAN_SO_LINGER:
            return set_linger(socket, value, bytes);
        default:
            break;
        }
    }
    if (level == LAN_IPPROTO_TCP && option == LAN_TCP_CONGESTION) {
        number = lan_tcp_congestion_number(value, bytes);
        if (number < 0)
            return number;
    } else if (bytes < sizeof number) {
        return -EINVAL;
    } else {
        memcpy(&number, value, sizeof number);
    }

    int result = socket->ops->set(stack, socket->pcb, level, option, number);

    lan_stack_leave(stack);
    return result;
}

/* As much of the option as the caller has room for. */
static int give(const void *option, uint32_t option_bytes, void *value, uint32_t *bytes)
{
    if (*bytes > option_bytes)
        *bytes = option_bytes;
    memcpy(value, option, *bytes);
    return 0;
}

static int give_timeout(uint32_t timeout_ms, void *value, uint32_t *bytes)
{
    struct lan_timeval time = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};

    return give(&time, sizeof time, value, bytes);
}

static int give_linger(const struct lan_socket *socket, void *value, uint32_t *bytes)
{
    struct lan_linger linger = {.l_onoff = socket->linger_s >= 0, .l_linger = socket->linger_s};

    if (!linger.l_onoff)
        linger.l_linger = 0;
    return give(&linger, sizeof linger, value, bytes);
}

int lan_getsockopt(struct lan_stack *stack, int fd, int level, int option, void *value, uint32_t *bytes)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);
    int number;

    if (!socket)
        return -EBADF;
    if (level == LAN_SOL_SOCKET) {
        switch (option) {
        case LAN_SO_RCVTIMEO:
            return give_timeout(socket->receive_timeout_ms, value, bytes);
        case LAN_SO_SNDTIMEO:
            return give_timeout(socket->send_timeout_ms, value, bytes);
        case LAN_SO_LINGER:
            return give_linger(socket, value, bytes);
        case LAN_SO_TYPE:
            number = socket->type;
            return give(&number, sizeof number, value, bytes);
        case LAN_SO_ERROR:
            number = socket->error;
            socket->error = 0;
            return give(&number, sizeof number, value, bytes);
        default:
            break;
        }
    }

    if (level == LAN_IPPROTO_TCP && option == LAN_TCP_INFO && socket->ops == &lan_tcp_ops) {
        struct lan_tcp_info info;

        lan_tcp_tell(socket->pcb, &info);
        return give(&info, sizeof info, value, bytes);
    }

    int result = socket->ops->get(stack, socket->pcb, level, option, &number);

    if (result == 0 && level == LAN_IPPROTO_TCP && option == LAN_TCP_CONGESTION) {
        const char *name = lan_tcp_congestion_name(number);

        return give(name, (uint32_t)strlen(name) + 1, value, bytes);
    }
    return result < 0 ? result : give(&number, sizeof number, value, bytes);
}
