/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LANYARD_HTTP_TYPE_H
#define LANYARD_HTTP_TYPE_H

/* The media type of a file, by the extension of its name. */
const char *lan_http_type(const char *path);

#endif
