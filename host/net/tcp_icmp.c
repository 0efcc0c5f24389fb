/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP errors about our segments (RFC 9293 3.9.2.2). They can be forged, so they end nothing but a connection attempt
 * (RFC 5927 4), and count only if the sequence number they quote is under way. */

#include "tcp_internal.h"

enum { PROTOCOL_UNREACHABLE = 2, PORT_UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4 };

void lan_tcp_icmp_error(struct lan_stack *stack, const uint8_t *quoted, uint8_t type, uint8_t code, uint32_t mtu)
{
    const uint8_t *header = quoted + (quoted[0] & 0xf) * 4;
    lan_tcp_enter(stack);
    struct lan_tcb *tcb = lan_tcp_find(&stack->tcp, lan_load32(quoted + 12), lan_load16(header),
                                       lan_load32(quoted + 16), lan_load16(header + 2));
    uint32_t seq = lan_get32(header + 4);
    if (!tcb || lan_seq_lt(seq, tcb->snd_una) || !lan_seq_lt(seq, tcb->snd_nxt)) {
        LAN_COUNT(stack, tcp_ext_icmp_out_of_window);
        return;
    }
    if (type == LAN_ICMP_UNREACHABLE && code == FRAGMENTATION_NEEDED) {
        lan_tcp_pmtu_told(tcb, mtu, lan_get16(quoted + 2));
        return;
    }
    int error = lan_icmp_errno(type, code);
    if (!error)
        return;
    tcb->soft_error = (int8_t)error;
    bool hard = type == LAN_ICMP_UNREACHABLE && (code == PROTOCOL_UNREACHABLE || code == PORT_UNREACHABLE);
    if (tcb->state == LAN_TCP_SYN_SENT && hard) /* SHLD-26 */
        lan_tcp_finish(tcb, ECONNREFUSED);
}
