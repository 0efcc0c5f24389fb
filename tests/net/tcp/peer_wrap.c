/* SPDX-License-Identifier: Apache-2.0 */
/* Where the environment's LANYARD_WRAP_OCTETS says so, the sequence numbers of both ends begin as many octets before
 * they wrap; and the host's time stamps wrap with its clock. For connections with PEER_PORT: those of others must still
 * differ. */
#include "peer.h"
#include "tcp_internal.h"

uint64_t __real_lan_tcp_hash(const struct lan_tcb *tcb, enum lan_tcp_purpose purpose);
uint64_t __wrap_lan_tcp_hash(const struct lan_tcb *tcb, enum lan_tcp_purpose purpose);

uint64_t __wrap_lan_tcp_hash(const struct lan_tcb *tcb, enum lan_tcp_purpose purpose)
{
    uint64_t hash = __real_lan_tcp_hash(tcb, purpose);

    if (tcb->remote_port != lan_htons(PEER_PORT) || !peer_first_number(0))
        return hash;
    if (purpose == LAN_TCP_FOR_ISS) /* without the clock, which is added */
        return peer_first_number(0) - (uint32_t)(lan_tcp_of(tcb)->now_ns >> 12);
    return purpose == LAN_TCP_FOR_STAMP ? 0 : hash;
}
