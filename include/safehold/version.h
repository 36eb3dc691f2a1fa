/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_VERSION_H
#define SAFEHOLD_VERSION_H

/*
 * While the major number is 0, a new minor number may change the ABI; from 1.0 on only a new major
 * number may. Struct growth is never an ABI change: every public struct starts with its size.
 */
#define SAFE_VERSION_MAJOR 0
#define SAFE_VERSION_MINOR 1
#define SAFE_VERSION_PATCH 0
#define SAFE_VERSION_STRING "0.1.0"
#define SAFE_VERSION_NUMBER (SAFE_VERSION_MAJOR * 1000000 + SAFE_VERSION_MINOR * 1000 + SAFE_VERSION_PATCH)

#if defined(_WIN32)
#if defined(SAFE_BUILDING_SHARED) && defined(SAFE_USING_SHARED)
#error "SAFE_BUILDING_SHARED and SAFE_USING_SHARED exclude each other"
#elif defined(SAFE_BUILDING_SHARED)
#define SAFE_API __declspec(dllexport)
#elif defined(SAFE_USING_SHARED)
#define SAFE_API __declspec(dllimport)
#else
#define SAFE_API
#endif
#else
#define SAFE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library that is linked, which may differ from the header's: compare the two. */
SAFE_API const char *safe_version(void);
SAFE_API int safe_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
