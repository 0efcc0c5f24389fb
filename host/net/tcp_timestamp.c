/* SPDX-License-Identifier: Apache-2.0 */
/* The time stamps option (RFC 7323): protection against old duplicates (PAWS), and the knowledge which transmission an
 * ACK answers (Eifel detection, RFC 3522). The clock counts coarse ticks and starts elsewhere for each connection, so
 * that it tells nobody how long this host has been running (RFC 7323 5.4). */

#include "tcp_internal.h"

#define OUTDATED LAN_TCP_AGE(24 * 86400 * LAN_S)

void lan_tcp_timestamp_open(struct lan_tcb *tcb)
{
    tcb->ts_offset = (uint32_t)lan_tcp_hash(tcb, LAN_TCP_FOR_STAMP);
    tcb->flags |= TCB_TIMESTAMPS;
}

uint32_t lan_tcp_timestamp(const struct lan_tcb *tcb)
{
    return lan_tcp_now_coarse(tcb) + tcb->ts_offset;
}

uint32_t lan_tcp_stamp_age(const struct lan_tcb *tcb, uint32_t tsecr)
{
    return tcb->flags & TCB_TIMESTAMPS && tsecr ? lan_tcp_timestamp(tcb) - tsecr : LAN_TCP_NEVER;
}

uint32_t lan_tcp_timestamp_age(const struct lan_tcb *tcb)
{
    return lan_tcp_now_age(tcb) - tcb->ts_recent_at;
}

bool lan_tcp_timestamp_outdated(const struct lan_tcb *tcb)
{
    return lan_tcp_timestamp_age(tcb) > OUTDATED;
}
