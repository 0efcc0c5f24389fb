/* SPDX-License-Identifier: Apache-2.0 */
#include "http_type.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *extension, *type;
} TYPES[] = {
    {"html", "text/html; charset=utf-8"},
    {"htm", "text/html; charset=utf-8"},
    {"css", "text/css; charset=utf-8"},
    {"js", "text/javascript; charset=utf-8"},
    {"mjs", "text/javascript; charset=utf-8"},
    {"txt", "text/plain; charset=utf-8"},
    {"md", "text/markdown; charset=utf-8"},
    {"csv", "text/csv; charset=utf-8"},
    {"json", "application/json"},
    {"xml", "application/xml"},
    {"pdf", "application/pdf"},
    {"wasm", "application/wasm"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"tar", "application/x-tar"},
    {"pcap", "application/vnd.tcpdump.pcap"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"webp", "image/webp"},
    {"svg", "image/svg+xml"},
    {"ico", "image/vnd.microsoft.icon"},
    {"mp3", "audio/mpeg"},
    {"ogg", "audio/ogg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"webm", "video/webm"},
    {"woff2", "font/woff2"},
};

static int is_extension(const char *name, const char *extension)
{
    while (*extension && (*name | 0x20) == *extension) {
        name++;
        extension++;
    }
    return *name == '\0' && *extension == '\0';
}

const char *lan_http_type(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    for (size_t i = 0; dot && dot > name && i < sizeof TYPES / sizeof *TYPES; i++) {
        if (is_extension(dot + 1, TYPES[i].extension))
            return TYPES[i].type;
    }
    return "application/octet-stream";
}
