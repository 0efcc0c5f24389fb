/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_CONNECTOR_H
#define LANYARD_CONNECTOR_H

/* The connecting half of every TCP client. */

#include "lanyard/socket.h"

/* Begins to connect. The new, non-blocking socket, which is to be watched for LAN_POLLOUT, or what the socket calls
 * said. */
int lan_connector_open(struct lan_stack *stack, const struct lan_sockaddr_in *to);

/* How that has ended, once the socket is ready: 0 or a negative errno. */
int lan_connector_result(struct lan_stack *stack, int fd);

#endif
