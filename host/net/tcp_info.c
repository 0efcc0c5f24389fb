/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection tells of itself (lanyard/tcp_info.h). */

#include "lanyard/tcp_info.h"
#include "tcp_internal.h"

const char *lan_tcp_state_name(enum lan_tcp_state state)
{
    static const char *const names[] = {
        [LAN_TCP_CLOSED] = "CLOSE",          [LAN_TCP_LISTEN] = "LISTEN",           [LAN_TCP_SYN_SENT] = "SYN_SENT",
        [LAN_TCP_SYN_RECEIVED] = "SYN_RECV", [LAN_TCP_ESTABLISHED] = "ESTABLISHED", [LAN_TCP_FIN_WAIT_1] = "FIN_WAIT1",
        [LAN_TCP_FIN_WAIT_2] = "FIN_WAIT2",  [LAN_TCP_CLOSE_WAIT] = "CLOSE_WAIT",   [LAN_TCP_CLOSING] = "CLOSING",
        [LAN_TCP_LAST_ACK] = "LAST_ACK",     [LAN_TCP_TIME_WAIT] = "TIME_WAIT",
    };
    return names[state];
}

static uint8_t options_of(const struct lan_tcb *tcb)
{
    return (uint8_t)((tcb->flags & TCB_TIMESTAMPS ? LAN_TCPI_OPT_TIMESTAMPS : 0) |
                     (tcb->flags & TCB_SACK ? LAN_TCPI_OPT_SACK : 0) |
                     (tcb->flags & TCB_SCALING ? LAN_TCPI_OPT_WSCALE : 0) |
                     (tcb->ecn & ECN_CAPABLE ? LAN_TCPI_OPT_ECN : 0));
}

static uint8_t ca_state_of(const struct lan_tcb *tcb)
{
    if (tcb->flags & TCB_LOSS_RECOVERY)
        return LAN_TCP_CA_LOSS;
    if (tcb->flags & TCB_FAST_RECOVERY)
        return LAN_TCP_CA_RECOVERY;
    if (tcb->ecn & ECN_REDUCED)
        return LAN_TCP_CA_CWR;
    return tcb->dupacks || (tcb->sender && tcb->sender->sacked) ? LAN_TCP_CA_DISORDER : LAN_TCP_CA_OPEN;
}

LAN_SHARED static uint32_t us(uint32_t ticks)
{
    return ticks + (uint32_t)((ticks * ((UINT64_C(24) << 32) / 1000) + INT32_MAX) >> 32); /* 1.024 of them */
}

static void tell_sender(const struct lan_tcb *tcb, struct lan_tcp_info *info)
{
    const struct lan_tcp_sender *sender = tcb->sender;
    uint32_t rate = lan_tcp_pacing_rate(tcb);
    info->pacing_rate = rate == UINT32_MAX ? UINT64_MAX : rate;
    if (!sender)
        return;
    info->min_rtt_us = us(sender->min_rtt);
    info->sacked = sender->sacked;
    info->lost = sender->lost;
    info->total_retrans = sender->retransmitted;
    if (tcb->opt.congestion == &LAN_TCP_BBR)
        info->delivery_rate = sender->bbr.bw_latest;
}

static void tell_connection(const struct lan_tcb *tcb, struct lan_tcp_info *info)
{
    uint32_t flight = tcb->snd_nxt - tcb->snd_una;
    info->options = options_of(tcb);
    info->ca_state = ca_state_of(tcb);
    info->retransmits = tcb->retries;
    info->probes = tcb->keep_probes_sent;
    info->snd_wscale = tcb->snd_scale;
    info->rcv_wscale = tcb->rcv_scale;
    info->reordering = !!(tcb->flags & TCB_REORDERING);
    info->rto_us = us(tcb->rto);
    info->rtt_us = us(tcb->srtt);
    info->rttvar_us = us(tcb->rttvar);
    info->rcv_mss = tcb->rcv_mss;
    info->advmss = lan_tcp_mss_of_interface(tcb);
    info->pmtu = tcb->flow.mtu;
    info->snd_wnd = tcb->snd_wnd;
    info->rcv_wnd = tcb->rcv_adv - tcb->rcv_nxt;
    info->snd_cwnd = tcb->cwnd;
    info->snd_ssthresh = tcb->ssthresh;
    info->unacked = flight;
    info->notsent = tcb->snd_queued > flight ? tcb->snd_queued - flight : 0;
    tell_sender(tcb, info);
}

LAN_RARE LAN_SHARED void lan_tcp_tell(const struct lan_tcb *tcb, struct lan_tcp_info *info)
{
    const char *congestion = tcb->opt.congestion->name;
    memset(info, 0, sizeof *info);
    info->state = tcb->state;
    info->snd_mss = tcb->mss ? tcb->mss : LAN_TCP_MSS_DEFAULT;
    info->unread = tcb->rcv_queued;
    info->snd_buf = tcb->opt.snd_limit;
    info->rcv_buf = tcb->opt.rcv_limit;
    memcpy(info->congestion, congestion, strlen(congestion)); /* names are short */
    if (tcb->state != LAN_TCP_CLOSED && tcb->state != LAN_TCP_LISTEN)
        tell_connection(tcb, info);
}
