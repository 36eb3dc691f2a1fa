/* SPDX-License-Identifier: MIT */
/* What options.c and options_process.c share. */
#ifndef SAFEHOLD_OPTIONS_H
#define SAFEHOLD_OPTIONS_H

#include "internal.h"

int safe__check_size(const void *caller, const char *name, safe_error *error);
/* Copies the caller's struct over the defaults, of which a shorter one leaves the rest as it is. */
int safe__read_struct(void *into, size_t full, const void *from, const char *name, safe_error *error);
int safe__check_flags(uint32_t flags, uint32_t known, const char *name, safe_error *error);
int safe__check_choice(int32_t value, int32_t last, const char *name, safe_error *error);
int safe__read_allocator(safe_allocator *into, const safe_allocator *from);
/* It stays where it is: it must have all the fields. */
int safe__check_tracer(const safe_tracer *tracer);

#endif
