// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/one_host.h"

namespace lanyard
{

namespace
{

ApplicationSpec service(ApplicationKind kind, const char *label, uint16_t port)
{
    ApplicationSpec spec;
    spec.kind = kind;
    spec.label = label;
    spec.host = HOST_NAME;
    spec.port = port;
    return spec;
}

} // namespace

Scenario one_host_on_tap(uint32_t address, const std::string &folder, uint64_t seed)
{
    Scenario scenario;
    scenario.seed = seed;

    HostSpec host;
    host.name = HOST_NAME;
    host.address = {address, HOST_PREFIX};
    host.mac = {2, 0, 0, 0, 0, 1};
    scenario.hosts.push_back(host);

    LinkSpec link;
    link.a = HOST_NAME;
    link.tap = TAP_DEVICE;
    link.tap_address = {(address & 0xFF) == 0xFE ? address - 1 : address + 1, HOST_PREFIX};
    scenario.links.push_back(link);

    scenario.applications.push_back(service(ApplicationKind::echo, "echo", 7));
    scenario.applications.push_back(service(ApplicationKind::discard, "discard", 9));
    if (!folder.empty()) {
        ApplicationSpec httpd = service(ApplicationKind::httpd, "httpd", 80);
        httpd.folder = folder;
        scenario.applications.push_back(httpd);
    }
    return scenario;
}

} // namespace lanyard
