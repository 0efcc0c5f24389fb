/* SPDX-License-Identifier: Apache-2.0 */
#include "http_request.h"

#include <string.h>

#include "http_date.h"
#include "http_fields.h"

/* Percent-decoding in place, once; false for a bad escape and for what no name may hold. */
static bool decode(char *path)
{
    char *to = path;
    for (const char *from = path; *from; from++) {
        char c = *from;
        if (c == '%') {
            int high = lan_http_hex(from[1]), low = high < 0 ? -1 : lan_http_hex(from[2]);
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high << 4 | low);
            from += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

/* Takes empty, "." and ".." parts out, in place (RFC 3986 5.2.4, and then no leading slash); false when ".." leads out.
 * Runs after decoding, so that no spelling gets past it. */
static bool normalise(char *path, bool *folder)
{
    char *to = path;
    *folder = true;
    for (char *part = path; *part;) {
        part += strspn(part, "/");
        size_t len = strcspn(part, "/");
        bool self = len == 0 || (len == 1 && part[0] == '.');
        bool parent = len == 2 && part[0] == '.' && part[1] == '.';
        *folder = self || parent || part[len] == '/';
        if (parent) {
            if (to == path)
                return false;
            while (--to > path && *to != '/')
                ;
        } else if (!self) {
            if (to > path)
                *to++ = '/';
            memmove(to, part, len);
            to += len;
        }
        part += len;
    }
    *to = '\0';
    return true;
}

/* The target's path (RFC 9112 3.2): origin-form, or what remains of absolute-form. */
static int parse_target(char *target, struct lan_http_request *request)
{
    for (const uint8_t *at = (const uint8_t *)target; *at; at++) {
        if (*at <= ' ' || *at == 0x7f || *at == '#') /* from 0x80 on they are tolerated, as file names hold them */
            return 400;
    }
    static const char SCHEME[] = "http://";
    char *path = target;
    size_t scheme = 0;
    while (SCHEME[scheme] && lan_http_lower(path[scheme]) == SCHEME[scheme])
        scheme++;
    if (!SCHEME[scheme]) {
        path += scheme;
        size_t authority = strcspn(path, "/?");
        if (authority == 0)
            return 400;
        path += authority;
    } else if (*path != '/') {
        return 400;
    }
    path[strcspn(path, "?")] = '\0';
    if (!decode(path))
        return 400;
    request->path = path;
    return normalise(path, &request->folder) ? 0 : 403;
}

static int parse_version(const char *version, struct lan_http_request *request)
{
    if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8 || version[6] != '.' ||
        lan_http_hex(version[5]) < 0 || lan_http_hex(version[5]) > 9 || lan_http_hex(version[7]) < 0 ||
        lan_http_hex(version[7]) > 9)
        return 400;
    request->http_1_0 = version[7] == '0';
    return version[5] == '1' ? 0 : 505;
}

static int parse_method(const char *method, struct lan_http_request *request)
{
    static const char *const OTHERS[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"};
    request->head = strcmp(method, "HEAD") == 0;
    if (request->head || strcmp(method, "GET") == 0)
        return 0;
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        if (strcmp(method, OTHERS[i]) == 0)
            return 405;
    }
    return lan_http_is_token(method) ? 501 : 400;
}

static int parse_request_line(char *line, struct lan_http_request *request)
{
    char *target = strchr(line, ' '), *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version)
        return 400;
    *target++ = '\0';
    *version++ = '\0';
    int status = parse_version(version, request);
    if (status == 0)
        status = parse_method(line, request);
    return status ? status : parse_target(target, request);
}

/* RFC 9110 14.1.2. What is not one valid range of octets is ignored: the whole file is the answer. */
static void parse_range(char *value, struct lan_http_request *request)
{
    static const char UNIT[] = "bytes=";
    request->range = LAN_HTTP_RANGE_NONE;
    for (size_t i = 0; UNIT[i]; i++) {
        if (lan_http_lower(*value++) != UNIT[i])
            return;
    }
    char *dash = strchr(value, '-');
    if (!dash)
        return;
    *dash++ = '\0';
    request->last = UINT64_MAX;
    if (*dash && !lan_http_decimal(dash, &request->last))
        return;
    if (!*value && *dash)
        request->range = LAN_HTTP_RANGE_SUFFIX;
    else if (lan_http_decimal(value, &request->first) && request->first <= request->last)
        request->range = LAN_HTTP_RANGE_FROM;
}

/* One element after the other of a comma-separated list, cut out of `*list`, without white space around. */
static char *next_element(char **list)
{
    char *element = *list + strspn(*list, ", \t");
    size_t len = strcspn(element, ",");
    *list = element + len + (element[len] == ',');
    element[len] = '\0';
    while (len > 0 && (element[len - 1] == ' ' || element[len - 1] == '\t'))
        element[--len] = '\0';
    return *element ? element : NULL;
}

/* What the fields say, as far as it must be seen together before it means something. */
struct fields {
    unsigned hosts;
    bool close, keep_alive;
    bool length, transfer_encoding, body;
    bool none_match, if_range;
};

static int parse_length(const char *value, struct fields *fields)
{
    uint64_t bytes;
    if (fields->length || !lan_http_decimal(value, &bytes))
        return 400;
    fields->length = true;
    fields->body |= bytes > 0;
    return 0;
}

static bool is_host(const char *value)
{
    return value[strcspn(value, " \t/\\@\"<>#?")] == '\0';
}

static int parse_field(const char *name, char *value, struct lan_http_request *request, struct fields *fields)
{
    if (lan_http_same(name, "Host")) {
        fields->hosts++;
        return is_host(value) ? 0 : 400;
    }
    if (lan_http_same(name, "Content-Length"))
        return parse_length(value, fields);
    if (lan_http_same(name, "Transfer-Encoding")) {
        fields->transfer_encoding = fields->body = true;
        return lan_http_same(value, "chunked") ? 0 : 501; /* RFC 9112 6.1 */
    }
    if (lan_http_same(name, "Connection")) {
        for (char *option; (option = next_element(&value));) {
            fields->close |= lan_http_same(option, "close");
            fields->keep_alive |= lan_http_same(option, "keep-alive");
        }
    } else if (lan_http_same(name, "Range")) {
        parse_range(value, request);
    } else if (lan_http_same(name, "If-Modified-Since")) {
        request->modified_since = lan_http_date_parse(value);
    } else if (lan_http_same(name, "If-None-Match")) {
        fields->none_match = true;
    } else if (lan_http_same(name, "If-Range")) {
        fields->if_range = true;
    }
    return 0;
}

static int conclude(struct lan_http_request *request, const struct fields *fields)
{
    if (fields->hosts > 1 || (fields->hosts == 0 && !request->http_1_0)) /* RFC 9112 3.2 */
        return 400;
    if (fields->transfer_encoding && (fields->length || request->http_1_0)) /* RFC 9112 6.3: smuggling */
        return 400;
    /* A body means nothing to a file server; closing behind the answer is the simplest way past it. */
    request->keep_alive = !fields->close && !fields->body && (!request->http_1_0 || fields->keep_alive);
    if (fields->none_match) /* RFC 9110 13.1.3; there are no entity tags here, so it never matches */
        request->modified_since = -1;
    if (fields->if_range || request->head)
        request->range = LAN_HTTP_RANGE_NONE;
    return 0;
}

int lan_http_request_parse(char *data, size_t bytes, struct lan_http_request *request)
{
    struct fields fields = {0};
    *request = (struct lan_http_request){.modified_since = -1};
    if (memchr(data, '\0', bytes))
        return 400;

    char *at = data;
    int status = parse_request_line(lan_http_next_line(&at), request);
    while (status == 0 && at < data + bytes) {
        char *line = lan_http_next_line(&at);
        if (!*line)
            break;
        char *value = lan_http_split_field(line);
        status = value ? parse_field(line, value, request, &fields) : 400;
    }
    return status ? status : conclude(request, &fields);
}
