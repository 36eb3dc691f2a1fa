/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_MIME_H
#define CGI_SERVER_MIME_H

/* The media type of a file by its name. */
const char *mime_type(const char *path);

#endif
