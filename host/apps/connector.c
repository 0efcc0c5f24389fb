/* SPDX-License-Identifier: Apache-2.0 */
#include "connector.h"

#include <errno.h>

int lan_connector_open(struct lan_stack *stack, const struct lan_sockaddr_in *to)
{
    int fd = lan_socket(stack, LAN_AF_INET, LAN_SOCK_STREAM | LAN_SOCK_NONBLOCK, 0);
    if (fd < 0)
        return fd;
    int result = lan_connect(stack, fd, to);
    if (result < 0 && result != -EINPROGRESS) {
        lan_close(stack, fd);
        return result;
    }
    return fd;
}

int lan_connector_result(struct lan_stack *stack, int fd)
{
    int error = 0;
    uint32_t bytes = sizeof error;
    lan_getsockopt(stack, fd, LAN_SOL_SOCKET, LAN_SO_ERROR, &error, &bytes);
    return -error;
}
