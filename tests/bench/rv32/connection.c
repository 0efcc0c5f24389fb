/* SPDX-License-Identifier: Apache-2.0 */
/* What an idle connection takes beside queued data, as the size of a symbol. */

#include "tcp_internal.h"

extern const char connection_bytes[];
const char connection_bytes[sizeof(struct lan_tcb)] = {0};
