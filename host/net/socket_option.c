/* SPDX-License-Identifier: Apache-2.0 */
#include "socket_table.h"
#include "stack_internal.h"

#include <errno.h>

static uint32_t load(const void *field, uint32_t bytes)
{
    switch (bytes) {
    case 1:
        return *(const uint8_t *)field;
    case 2:
        return *(const uint16_t *)field;
    default:
        return *(const uint32_t *)field;
    }
}

static void store(void *field, uint32_t bytes, uint32_t value)
{
    switch (bytes) {
    case 1:
        *(uint8_t *)field = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)field = (uint16_t)value;
        break;
    default:
        *(uint32_t *)field = value;
        break;
    }
}

static const struct lan_option *find(const struct lan_option *row, uint32_t option)
{
    while (row->option && row->option != option)
        row++;
    return row->option ? row : NULL;
}

int lan_option_set(const struct lan_option *row, void *pcb, uint32_t option, int value)
{
    uint32_t number = (uint32_t)value;

    row = find(row, option);
    if (!row)
        return -ENOPROTOOPT;

    void *field = (uint8_t *)pcb + row->offset;

    switch (row->kind) {
    case LAN_OPTION_FLAG:
        number = load(field, row->bytes);
        number = value ? number | row->most : number & ~row->most;
        break;
    case LAN_OPTION_BOUNDED:
        if (value < row->least)
            number = row->least;
        else if (number > row->most)
            number = row->most;
        break;
    default:
        if (number < row->least || number > row->most)
            return -EINVAL;
        break;
    }
    store(field, row->bytes, number);
    return 0;
}

int lan_option_get(const struct lan_option *row, const void *pcb, uint32_t option, union lan_option_value *value)
{
    row = find(row, option);
    if (!row)
        return -ENOPROTOOPT;
    value->number = (int)load((const uint8_t *)pcb + row->offset, row->bytes);
    if (row->kind == LAN_OPTION_FLAG)
        value->number = (value->number & (int)row->most) != 0;
    return sizeof value->number;
}

/* LAN_OPTION(), or 0, which no option has. */
static uint32_t number_of(int level, int option)
{
    return (uint32_t)level < 8 && (uint32_t)option < 1 << 13 ? LAN_OPTION((uint32_t)level, (uint32_t)option) : 0;
}

static int set_timeout(uint32_t *timeout_ms, const struct lan_timeval *time)
{
    if (time->tv_sec < 0 || (uint64_t)time->tv_usec >= 1000000)
        return -EDOM;
    if (time->tv_sec >= UINT32_MAX / 1000)
        *timeout_ms = 0; /* 49 days and more: for ever */
    else
        *timeout_ms = (uint32_t)time->tv_sec * 1000 + ((uint32_t)time->tv_usec + 999) / 1000;
    return 0;
}

static int set_linger(struct lan_socket *socket, const struct lan_linger *linger)
{
    int seconds = linger->l_linger < INT16_MAX ? linger->l_linger : INT16_MAX;

    if (!linger->l_onoff)
        seconds = -1;
    else if (seconds < 0)
        return -EINVAL;
    socket->linger_s = seconds;
    return 0;
}

static uint32_t *timeout_of(struct lan_socket *socket, uint32_t option)
{
    return option == LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVTIMEO) ? &socket->receive_timeout_ms
                                                                 : &socket->send_timeout_ms;
}

static int set(struct lan_socket *socket, uint32_t option, const union lan_option_value *value, uint32_t bytes)
{
    switch (option) {
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVTIMEO):
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_SNDTIMEO):
        return bytes >= sizeof value->time ? set_timeout(timeout_of(socket, option), &value->time) : -EINVAL;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_LINGER):
        return bytes >= sizeof value->linger ? set_linger(socket, &value->linger) : -EINVAL;
    default:
        if (bytes < sizeof value->number && option != LAN_OPTION(LAN_IPPROTO_TCP, LAN_TCP_CONGESTION))
            return -EINVAL;
        return socket->ops->set(socket->stack, socket->pcb, option, value);
    }
}

int lan_setsockopt(struct lan_stack *stack, int fd, int level, int option, const void *value, uint32_t bytes)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);
    union lan_option_value copy;

    if (!socket)
        return -EBADF;
    memset(&copy, 0, sizeof copy);
    memcpy(&copy, value, bytes < sizeof copy ? bytes : sizeof copy);

    int result = set(socket, number_of(level, option), &copy, bytes);

    lan_stack_leave(stack);
    return result;
}

/* Returns the bytes of the value. */
static int get(struct lan_socket *socket, uint32_t option, union lan_option_value *value)
{
    uint32_t timeout_ms;

    switch (option) {
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_TYPE):
        value->number = socket->type;
        return sizeof value->number;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_ERROR):
        value->number = socket->error;
        socket->error = 0;
        return sizeof value->number;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_LINGER):
        value->linger.l_onoff = socket->linger_s >= 0;
        value->linger.l_linger = socket->linger_s >= 0 ? socket->linger_s : 0;
        return sizeof value->linger;
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_RCVTIMEO):
    case LAN_OPTION(LAN_SOL_SOCKET, LAN_SO_SNDTIMEO):
        timeout_ms = *timeout_of(socket, option);
        value->time = (struct lan_timeval){.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
        return sizeof value->time;
    default:
        return socket->ops->get(socket->stack, socket->pcb, option, value);
    }
}

int lan_getsockopt(struct lan_stack *stack, int fd, int level, int option, void *value, uint32_t *bytes)
{
    struct lan_socket *socket = lan_socket_find(stack, fd);
    union lan_option_value all;

    if (!socket)
        return -EBADF;

    int size = get(socket, number_of(level, option), &all);

    if (size < 0)
        return size;
    if (*bytes > (uint32_t)size)
        *bytes = (uint32_t)size;
    memcpy(value, &all, *bytes);
    return 0;
}
