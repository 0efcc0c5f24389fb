/* SPDX-License-Identifier: Apache-2.0 */
/* The shared object's entry, its flags, packets and time. */
#include "adapter.h"
#include "world.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Script and stack must not wait for ever for a packet that never comes. */
#define PATIENCE_NS (UINT64_C(3600) * 1000000000)

static struct packetdrill_interface under_test;

static void call_free(void *userdata)
{
    struct adapter *a = userdata;

    under_test.getsockopt = NULL;
    for (int fd = 0; fd < ADAPTER_FDS; fd++)
        adapter_forget_watches(a, fd);
    machine_destroy(a->machine);
    free(a);
}

static int call_netdev_send(void *userdata, const void *packet, size_t bytes)
{
    machine_receive(((struct adapter *)userdata)->machine, packet, bytes);
    return 0;
}

static int call_netdev_receive(void *userdata, void *out, size_t *bytes, long long *time_us)
{
    struct packet *packet = machine_sent(((struct adapter *)userdata)->machine, PATIENCE_NS);

    if (!packet)
        return (int)adapter_result(-ETIMEDOUT);
    if (packet->bytes < *bytes)
        *bytes = packet->bytes;
    memcpy(out, packet->data, *bytes);
    *time_us = (long long)(packet->sent_ns / 1000);
    free(packet);
    return 0;
}

static int call_usleep(void *userdata, useconds_t us)
{
    machine_sleep(((struct adapter *)userdata)->machine, (uint64_t)us * 1000);
    return 0;
}

/* Each look takes a microsecond: whoever waits by looking must see time pass. */
static int call_gettimeofday(void *userdata, struct timeval *now, struct timezone *zone)
{
    struct machine *m = ((struct adapter *)userdata)->machine;

    (void)zone;
    if (pthread_equal(pthread_self(), m->conductor))
        machine_advance(m, 1000);
    else
        machine_looked(m);
    machine_enter(m);
    *now = (struct timeval){(time_t)(m->now_ns / 1000000000), (suseconds_t)(m->now_ns / 1000 % 1000000)};
    machine_leave(m);
    return 0;
}

_Noreturn static void give_up(const char *what, const char *where, const char *expected)
{
    fprintf(stderr, "lanyard: so_flags: %s '%s', expected %s\n", what, where, expected);
    exit(2);
}

static void take_address(const char *name, const char *value, uint32_t *out)
{
    struct in_addr parsed;

    if (inet_pton(AF_INET, value, &parsed) != 1)
        give_up(name, value, "an IPv4 address such as 192.168.0.1");
    *out = parsed.s_addr;
}

/* What is left as it is, all three have in common: an initial window of 10 segments (RFC 6928) foremost. */
static void take_profile(const char *value, struct lan_config *stack)
{
    if (strcmp(value, "linux") == 0) {
        stack->tcp_syn_options = LAN_TCP_SYN_OPTIONS_LINUX;
        stack->tcp_quick_acks = 16;
        stack->tcp_rto_min_ms = 200;
        stack->receive_buffer_max_bytes = 15 << 20; /* as its published scripts set tcp_rmem: a window scale of 8 */
    } else if (strcmp(value, "freebsd") == 0) {
        stack->tcp_syn_options = LAN_TCP_SYN_OPTIONS_FREEBSD;
        stack->tcp_rto_min_ms = 230;               /* its minimum of 30 ms and its slop of 200 */
        stack->receive_buffer_max_bytes = 2 << 20; /* its maxsockbuf: a window scale of 6 */
    } else if (strcmp(value, "rfc") == 0) {
        stack->tcp_rto_min_ms = 1000; /* RFC 6298 (2.4) */
    } else {
        give_up("profile", value, "linux, freebsd or rfc");
    }
}

/* NAME=VALUE, separated by commas; the names of addresses are those of packetdrill's own options. */
static struct machine_config parse(const char *flags)
{
    struct machine_config config = {inet_addr("192.168.0.1"), inet_addr("255.255.0.0"), inet_addr("192.168.0.2"),
                                    LAN_CONFIG_DEFAULT, false};
    char copy[256], *rest = copy;

    if (strlen(flags) >= sizeof copy)
        give_up("too long:", flags, "less than 256 characters");
    strcpy(copy, flags);
    for (char *value; (value = strsep(&rest, ",")) != NULL;) {
        char *name = strsep(&value, "=");

        if (value && strcmp(name, "local_ip") == 0)
            take_address(name, value, &config.address);
        else if (value && strcmp(name, "netmask_ip") == 0)
            take_address(name, value, &config.netmask);
        else if (value && strcmp(name, "gateway_ip") == 0)
            take_address(name, value, &config.gateway);
        else if (value && strcmp(name, "profile") == 0)
            take_profile(value, &config.stack);
        else if (!value && strcmp(name, "card") == 0)
            config.card = true;
        else if (*name || value)
            give_up("unknown flag", name, "local_ip=A, netmask_ip=A, gateway_ip=A, profile=P or card");
    }
    return config;
}

/* The card comes with SystemC and a Verilated model, so it has a shared object of its own beside this one. */
static void hand_to_card(const char *flags, struct packetdrill_interface *interface)
{
    static const char NAME[] = "lanyard_packetdrill_card.so";
    void (*init)(const char *, struct packetdrill_interface *) = NULL;
    Dl_info self;
    char path[4096] = "";

    if (dladdr((void *)(uintptr_t)packetdrill_interface_init, &self))
        snprintf(path, sizeof path, "%.*s%s", (int)(strrchr(self.dli_fname, '/') - self.dli_fname + 1), self.dli_fname,
                 NAME);

    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (object)
        *(void **)&init = dlsym(object, "packetdrill_interface_init");
    if (!init) {
        fprintf(stderr, "lanyard: %s\n", dlerror());
        exit(2);
    }
    init(flags, interface);
}

/* The C library's getsockopt() for whoever preloads this object: packetdrill asks there, not in its table, for what
 * %{ }% looks at. Of that only TCP_INFO means something here, but it gives up if one of the others fails. */
__attribute__((visibility("default"))) int getsockopt(int fd, int level, int option, void *restrict value,
                                                      socklen_t *restrict bytes)
{
    if (!under_test.getsockopt ||
        under_test.getsockopt(under_test.userdata, fd, SOL_SOCKET, SO_TYPE, &(int){0}, &(socklen_t){sizeof(int)}) < 0) {
        int (*next)(int, int, int, void *, socklen_t *);

        *(void **)&next = dlsym(RTLD_NEXT, "getsockopt");
        return next(fd, level, option, value, bytes);
    }
    if ((level == IPPROTO_TCP && option == TCP_CC_INFO) || (level == SOL_SOCKET && option == SO_MEMINFO)) {
        memset(value, 0, *bytes);
        return 0;
    }
    return under_test.getsockopt(under_test.userdata, fd, level, option, value, bytes);
}

static void make_adapter(const struct machine_config *config, struct packetdrill_interface *interface)
{
    struct adapter *a = calloc(1, sizeof *a);

    if (!a || !(a->machine = machine_create(config))) {
        fputs("lanyard: no memory, or impossible addresses\n", stderr);
        exit(2);
    }
    for (int fd = 0; fd < ADAPTER_FDS; fd++)
        a->sockets[fd] = NOT_A_SOCKET;

    *interface = (struct packetdrill_interface){
        .userdata = a,
        .free = call_free,
        .netdev_send = call_netdev_send,
        .netdev_receive = call_netdev_receive,
        .usleep = call_usleep,
        .gettimeofday = call_gettimeofday,
    };
    adapter_socket_calls(interface);
    adapter_stream_calls(interface);
    adapter_wait_calls(interface);
}

void packetdrill_interface_init(const char *flags, struct packetdrill_interface *interface)
{
    struct machine_config config = parse(flags ? flags : "");

    if (config.card && !WORLD_HAS_CARD)
        hand_to_card(flags, interface);
    else
        make_adapter(&config, interface);
    under_test = *interface;
}
