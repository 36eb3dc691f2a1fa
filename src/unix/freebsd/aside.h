/* SPDX-License-Identifier: MIT */
/*
 * A question that may take longer than its asker has time, asked by a process of its own: the kernel looks at open
 * files for its tables, and may wait for a dead file server in doing so. A process can be left to that, a thread of the
 * host cannot: the host could not exit.
 */
#ifndef SAFEHOLD_ASIDE_H
#define SAFEHOLD_ASIDE_H

#include <stddef.h>
#include <stdint.h>

/* Memory that both see; NULL if there is none. */
void *safe__aside_memory(size_t size);
void safe__aside_free(void *memory, size_t size);

/*
 * Runs it in a copy of the host, with all signals blocked and no descriptor but keep (or none: -1). Calls nothing that
 * may take a lock. 0 or errno. What was found by the deadline is there when it returns, and who reads counts that grow
 * after what they count has all of it.
 */
int safe__aside(void (*run)(void *shared), void *shared, int keep, int64_t deadline);

#endif
