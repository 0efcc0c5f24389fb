/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "http_date.h"
#include "http_type.h"
#include "httpd_internal.h"

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } REASONS[] = {
        {200, "OK"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {414, "URI Too Long"},
        {416, "Range Not Satisfiable"},
        {431, "Request Header Fields Too Large"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof REASONS / sizeof *REASONS; i++) {
        if (REASONS[i].status == status)
            return REASONS[i].reason;
    }
    return "Internal Server Error";
}

static void add_field(struct lan_text *out, const char *name, const char *value)
{
    lan_text_add(out, name);
    lan_text_add(out, ": ");
    lan_text_add(out, value);
    lan_text_add(out, "\r\n");
}

static void add_number(struct lan_text *out, const char *name, uint64_t value)
{
    lan_text_add(out, name);
    lan_text_add(out, ": ");
    lan_text_number(out, value);
    lan_text_add(out, "\r\n");
}

static void add_modified(struct lan_text *out, int64_t mtime_s)
{
    if (mtime_s < 0)
        return;
    lan_text_add(out, "Last-Modified: ");
    lan_http_date_add(out, mtime_s);
    lan_text_add(out, "\r\n");
}

/* "bytes first-last/size", or the whole of it unsatisfied when first is past last. */
static void add_content_range(struct lan_text *out, uint64_t first, uint64_t last, uint64_t size)
{
    lan_text_add(out, "Content-Range: bytes ");
    if (first <= last) {
        lan_text_number(out, first);
        lan_text_add(out, "-");
        lan_text_number(out, last);
    } else {
        lan_text_add(out, "*");
    }
    lan_text_add(out, "/");
    lan_text_number(out, size);
    lan_text_add(out, "\r\n");
}

/* Status line and what every answer has. There is no Date: the stack has a monotonic clock only (RFC 9110 6.6.1). */
static struct lan_text start(struct http_connection *c, int status)
{
    struct lan_text out = lan_text(c->out, sizeof c->out);
    c->status = status;
    c->body = HTTP_BODY_NONE;
    lan_text_add(&out, "HTTP/1.1 ");
    lan_text_number(&out, (uint64_t)status);
    lan_text_add(&out, " ");
    lan_text_add(&out, reason(status));
    lan_text_add(&out, "\r\n");
    add_field(&out, "Server", "Lanyard");
    add_field(&out, "Connection", c->keep_alive ? "keep-alive" : "close");
    return out;
}

static void finish(struct http_connection *c, struct lan_text *out)
{
    lan_text_add(out, "\r\n");
    c->out_len = out->len;
    c->out_sent = 0;
}

/* Ends a head with the status in words as its body. */
static void finish_in_words(struct http_connection *c, struct lan_text *out, bool head)
{
    const char *words = reason(c->status);
    add_field(out, "Content-Type", "text/plain; charset=utf-8");
    add_number(out, "Content-Length", strlen(words) + 1);
    lan_text_add(out, "\r\n");
    if (!head) {
        lan_text_add(out, words);
        lan_text_add(out, "\n");
    }
    c->out_len = out->len;
    c->out_sent = 0;
}

static void respond_in_words(struct http_connection *c, int status, bool head)
{
    struct lan_text out = start(c, status);
    if (status == 405)
        add_field(&out, "Allow", "GET, HEAD");
    finish_in_words(c, &out, head);
}

void lan_httpd_refuse(struct http_connection *c, int status, bool head)
{
    c->keep_alive = false;
    respond_in_words(c, status, head);
}

static int status_of(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
        return 404;
    case -EACCES:
    case -EPERM:
    case -ELOOP:
        return 403;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
        return 503;
    default:
        return 500;
    }
}

/* The octets first..last of a file that the request asks for; first is past last when there are none of them. */
static void choose_range(const struct lan_http_request *request, uint64_t size, uint64_t *first, uint64_t *last)
{
    *first = 0;
    *last = size - 1;
    if (request->range == LAN_HTTP_RANGE_SUFFIX && request->last < size)
        *first = size - request->last;
    if (request->range == LAN_HTTP_RANGE_FROM) {
        *first = request->first;
        if (request->last < *last)
            *last = request->last;
    }
    if (size == 0 || *first >= size) {
        *first = 1;
        *last = 0;
    }
}

/* Takes over c->file. */
static void respond_file(struct http_connection *c, const struct lan_http_request *request, const char *path)
{
    struct lan_content_file *file = &c->file;
    uint64_t first, last;
    choose_range(request, file->size, &first, &last);
    int status = request->range == LAN_HTTP_RANGE_NONE ? 200 : first <= last ? 206 : 416;
    if (request->modified_since >= 0 && file->mtime_s >= 0 && file->mtime_s <= request->modified_since)
        status = 304;

    struct lan_text out = start(c, status);
    if (status == 206 || status == 416)
        add_content_range(&out, first, last, file->size);
    if (status == 416) {
        finish_in_words(c, &out, request->head);
    } else {
        add_modified(&out, file->mtime_s);
        if (status != 304) {
            add_field(&out, "Content-Type", lan_http_type(path));
            add_number(&out, "Content-Length", first <= last ? last - first + 1 : 0);
            add_field(&out, "Accept-Ranges", "bytes");
        }
        finish(c, &out);
    }
    c->body = HTTP_BODY_FILE;
    c->offset = first;
    c->end = last + 1;
    if (request->head || status == 304 || first > last)
        lan_httpd_end_body(c);
}

/* A folder named without its slash: relative links in it would go astray. The reference is relative (RFC 9110 10.2.2);
 * "./" keeps a colon in the name from making it a scheme. */
static void respond_redirect(struct http_connection *c, const struct lan_http_request *request)
{
    const char *slash = strrchr(request->path, '/');
    struct lan_text out = start(c, 301);
    lan_text_add(&out, "Location: ./");
    lan_text_url(&out, slash ? slash + 1 : request->path);
    lan_text_add(&out, "/\r\n");
    finish_in_words(c, &out, request->head);
}

/* A listing has no known length: it goes out in chunks, or to HTTP/1.0 up to the end of the connection. Takes over
 * c->file. */
static void respond_listing(struct http_connection *c, const struct lan_http_request *request)
{
    c->chunked = !request->http_1_0;
    c->keep_alive &= c->chunked;
    struct lan_text out = start(c, 200);
    add_field(&out, "Content-Type", "text/html; charset=utf-8");
    if (c->chunked)
        add_field(&out, "Transfer-Encoding", "chunked");
    finish(c, &out);
    c->body = HTTP_BODY_LISTING;
    c->row = 0;
    if (request->head)
        lan_httpd_end_body(c);
}

static void respond_folder(struct http_connection *c, const struct lan_http_request *request)
{
    struct lan_content *content = c->httpd->content;
    struct lan_content_file index;
    struct lan_text path = lan_text(c->httpd->scratch, sizeof c->httpd->scratch - 1);
    lan_text_add(&path, request->path);
    lan_text_add(&path, *request->path ? "/index.html" : "index.html");
    path.data[path.len] = '\0';

    if (content->open(content, path.data, &index) < 0) {
        respond_listing(c, request);
    } else if (index.folder) {
        content->close(content, &index);
        respond_listing(c, request);
    } else {
        content->close(content, &c->file);
        c->file = index;
        respond_file(c, request, path.data);
    }
}

void lan_httpd_respond(struct http_connection *c, const struct lan_http_request *request)
{
    struct lan_content *content = c->httpd->content;
    c->keep_alive = request->keep_alive;
    int error = content->open(content, request->path, &c->file);
    if (error < 0) {
        respond_in_words(c, status_of(error), request->head);
    } else if (c->file.folder && request->folder) {
        respond_folder(c, request);
    } else if (!c->file.folder && !request->folder) {
        respond_file(c, request, request->path);
    } else {
        content->close(content, &c->file);
        if (request->folder)
            respond_in_words(c, 404, request->head);
        else
            respond_redirect(c, request);
    }
}

void lan_httpd_end_body(struct http_connection *c)
{
    if (c->body != HTTP_BODY_NONE)
        c->httpd->content->close(c->httpd->content, &c->file);
    c->body = HTTP_BODY_NONE;
}

static void add_row(struct lan_text *out, const char *name, bool folder)
{
    const char *slash = folder ? "/" : "";
    lan_text_add(out, "<li><a href=\"./");
    lan_text_url(out, name);
    lan_text_add(out, slash);
    lan_text_add(out, "\">");
    lan_text_html(out, name);
    lan_text_add(out, slash);
    lan_text_add(out, "</a>\n");
}

bool lan_httpd_list(struct http_connection *c)
{
    enum { CHUNK_HEAD = 6 }; /* four digits and CR LF */
    struct lan_content *content = c->httpd->content;
    size_t head = c->chunked ? CHUNK_HEAD : 0;
    struct lan_text rows = lan_text(c->out + head, sizeof c->out - 64);
    char name[NAME_BYTES];
    bool folder;
    int more = 1;
    if (c->row == 0)
        lan_text_add(&rows, "<!DOCTYPE html>\n<title>Index</title>\n<ul>\n<li><a href=\"../\">../</a>\n");
    while (rows.room - rows.len >= ROW_BYTES &&
           (more = content->list(content, &c->file, c->row, name, sizeof name, &folder)) == 1) {
        add_row(&rows, name, folder);
        c->row++;
    }
    if (more < 0)
        return false;
    if (more == 0) {
        lan_text_add(&rows, "</ul>\n");
        lan_httpd_end_body(c);
    }

    struct lan_text out = lan_text(c->out, sizeof c->out);
    if (c->chunked) {
        lan_text_padded(&out, rows.len, CHUNK_HEAD - 2, 16);
        lan_text_add(&out, "\r\n");
    }
    out.len += rows.len;
    if (c->chunked)
        lan_text_add(&out, more == 0 ? "\r\n0\r\n\r\n" : "\r\n");
    c->out_len = out.len;
    c->out_sent = 0;
    return true;
}
