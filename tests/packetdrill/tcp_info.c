/* SPDX-License-Identifier: Apache-2.0 */
/* TCP_INFO as Linux lays it out, in its units: what a script's %{ assert tcpi_... }% looks at. */
#include "lanyard/tcp_info.h"
#include "adapter.h"

#include <errno.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>

/* By enum lan_tcp_state. */
static const uint8_t LINUX_STATE[] = {7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6};

static struct tcp_info linux_info(const struct lan_tcp_info *own)
{
    const uint32_t mss = own->snd_mss ? own->snd_mss : 1;

    return (struct tcp_info){
        .tcpi_state = LINUX_STATE[own->state],
        .tcpi_ca_state = own->ca_state,
        .tcpi_retransmits = own->retransmits,
        .tcpi_backoff = own->retransmits,
        .tcpi_probes = own->probes,
        .tcpi_options = own->options,
        .tcpi_snd_wscale = own->snd_wscale & 15,
        .tcpi_rcv_wscale = own->rcv_wscale & 15,
        .tcpi_rto = own->rto_us,
        .tcpi_rtt = own->rtt_us,
        .tcpi_rttvar = own->rttvar_us,
        .tcpi_min_rtt = own->min_rtt_us,
        .tcpi_snd_mss = own->snd_mss,
        .tcpi_rcv_mss = own->rcv_mss,
        .tcpi_advmss = own->advmss,
        .tcpi_pmtu = own->pmtu,
        .tcpi_unacked = (own->unacked + mss - 1) / mss,
        .tcpi_sacked = (own->sacked + mss - 1) / mss,
        .tcpi_lost = (own->lost + mss - 1) / mss,
        .tcpi_notsent_bytes = own->notsent,
        .tcpi_snd_cwnd = own->snd_cwnd / mss,
        .tcpi_snd_ssthresh = own->snd_ssthresh < INT_MAX ? own->snd_ssthresh / mss : INT_MAX,
        .tcpi_reordering = 3, /* segments, what Linux begins with */
        .tcpi_reord_seen = own->reordering,
        .tcpi_total_retrans = own->total_retrans,
        .tcpi_pacing_rate = own->pacing_rate,
        .tcpi_delivery_rate = own->delivery_rate,
    };
}

int adapter_tcp_info(struct adapter *a, int fd, void *value, socklen_t *bytes)
{
    struct lan_tcp_info own;
    uint32_t own_bytes = sizeof own;
    int result = lan_getsockopt(a->machine->stack, adapter_socket(a, fd), IPPROTO_TCP, LAN_TCP_INFO, &own, &own_bytes);

    if (result < 0)
        return result;

    struct tcp_info info = linux_info(&own);

    memset(value, 0, *bytes); /* packetdrill may know of more than this machine's header */
    memcpy(value, &info, *bytes < sizeof info ? *bytes : sizeof info);
    return 0;
}
