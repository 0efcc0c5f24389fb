/* SPDX-License-Identifier: Apache-2.0 */
/* The applications on a TAP device, for test_tap.py.
 *
 * tap_apps DEVICE ADDRESS serve FOLDER       web server, iperf server, echo and discard; ends with its standard input
 * tap_apps DEVICE ADDRESS fetch URL          the body to standard output; the status, or minus the errno, to standard
 *                                            error
 * tap_apps DEVICE ADDRESS iperf SERVER       sends for a second; octets here, octets there and minus the errno to
 *                                            standard error
 * tap_apps DEVICE ADDRESS reverse SERVER     the same, but the server sends
 */
#include "lanyard/address.h"
#include "lanyard/echo.h"
#include "lanyard/fetch.h"
#include "lanyard/httpd.h"
#include "lanyard/iperf.h"
#include "lanyard/posix.h"
#include "lanyard/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ECHO_CONNECTIONS = 16 };

static const uint8_t MAC[6] = {0x02, 0, 0, 0, 0, 0x03};

static struct lan_posix *posix;
static struct lan_loop loop;
static struct lan_tap tap;

static int fail(const char *what, int error)
{
    fprintf(stderr, "tap_apps: %s: %s\n", what, strerror(-error));
    return 1;
}

static void readable(void *arg)
{
    (void)arg;
    lan_tap_receive(&tap);
}

static void standard_input(void *arg)
{
    (void)arg;
    if (getchar() == EOF)
        lan_loop_stop(&loop);
}

static int start_host(const char *device, const char *address)
{
    struct lan_config config = LAN_CONFIG_DEFAULT;
    struct lan_sockaddr_in own, mask = lan_sockaddr(0xffffff00, 0);
    config.sockets = 2200;
    config.tcp_connections = 8192;
    config.pool.buffers = 32768;
    size_t bytes = (lan_stack_size(&config) + 63) & ~(size_t)63;
    posix = lan_posix_create();
    struct lan_stack *stack = lan_stack_create(aligned_alloc(64, bytes), bytes, lan_posix_port(posix), &config);
    int result = lan_tap_open(&tap, device, MAC, lan_stack_pool(stack));
    if (result < 0)
        return result;
    lan_posix_attach(posix, stack);
    lan_posix_watch(posix, tap.fd, readable, NULL);
    lan_stack_add_netif(stack, &tap.netif);
    lan_loop_init(&loop, stack, lan_posix_port(posix));
    lan_sockaddr_parse(address, 0, &own);
    return lan_netif_set_address(&tap.netif, own.sin_addr, mask.sin_addr);
}

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

static int serve(const char *folder)
{
    struct lan_httpd_config config = LAN_HTTPD_CONFIG_DEFAULT;
    int error;
    config.connections = 1100;
    config.backlog = 1024;
    struct lan_content *content = lan_content_posix_open(folder, &error);
    if (!content)
        return fail(folder, error);
    struct lan_httpd *httpd = lan_httpd_create(malloc(lan_httpd_size(&config)), &loop, content, &config, &error);
    if (!httpd)
        return fail("httpd", error);
    if (!lan_echo_create(malloc(lan_echo_size(ECHO_CONNECTIONS)), &loop, LAN_ECHO_PORT, ECHO_CONNECTIONS, &error) ||
        !lan_discard_create(malloc(lan_discard_size(ECHO_CONNECTIONS)), &loop, LAN_DISCARD_PORT, ECHO_CONNECTIONS,
                            &error))
        return fail("echo", error);
    static struct lan_iperf_server iperf;
    error = lan_iperf_listen(&iperf, &loop, LAN_IPERF_PORT);
    if (error)
        return fail("iperf", error);
    lan_posix_watch(posix, 0, standard_input, NULL);
    say_ready();
    lan_loop_run(&loop);
    return 0;
}

static bool write_data(struct lan_fetch *fetch, const void *data, size_t bytes)
{
    (void)fetch;
    return fwrite(data, 1, bytes, stdout) == bytes;
}

static void fetched(struct lan_fetch *fetch, int error)
{
    fprintf(stderr, "%d\n", error ? error : fetch->status);
    lan_loop_stop(&loop);
}

/* The kernel's side is set up when there is a line. */
static bool wait_for_kernel(void)
{
    char line[16];
    say_ready();
    return fgets(line, sizeof line, stdin) != NULL;
}

static void measured(struct lan_iperf *test, const struct lan_iperf_result *result)
{
    (void)test;
    fprintf(stderr, "%llu %llu %d\n", (unsigned long long)result->bytes, (unsigned long long)result->peer_bytes,
            result->error);
    lan_loop_stop(&loop);
}

static int measure(const char *server, bool reverse)
{
    static struct lan_iperf test = {.done = measured};
    struct lan_iperf_config config = {.duration_ns = 1000000000, .streams = 2, .reverse = reverse};
    struct lan_sockaddr_in to;
    if (!lan_sockaddr_parse(server, LAN_IPERF_PORT, &to) || !wait_for_kernel())
        return 1;
    int error = lan_iperf_connect(&test, &loop, &to, &config);
    if (error)
        return fail(server, error);
    lan_loop_run(&loop);
    return 0;
}

static int fetch_url(const char *url)
{
    struct lan_fetch *fetch = calloc(1, sizeof *fetch);
    fetch->data = write_data;
    fetch->done = fetched;
    if (!wait_for_kernel())
        return 1;
    int error = lan_fetch_start(fetch, &loop, url);
    if (error)
        return fail(url, error);
    lan_loop_run(&loop);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fputs("usage: tap_apps DEVICE ADDRESS serve FOLDER|fetch URL|iperf SERVER|reverse SERVER\n", stderr);
        return 2;
    }
    int error = start_host(argv[1], argv[2]);
    if (error < 0)
        return fail(argv[1], error);
    if (strcmp(argv[3], "serve") == 0)
        return serve(argv[4]);
    if (strcmp(argv[3], "fetch") == 0)
        return fetch_url(argv[4]);
    return measure(argv[4], strcmp(argv[3], "reverse") == 0);
}
