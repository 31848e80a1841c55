#ifndef MAPACHE_PLATFORM_H_
#define MAPACHE_PLATFORM_H_

#include <node.h>

#include "pool.h"

namespace mapache {

// Puts a Pool in the place of the worker threads of this process's V8 platform, once; returns it.
Pool* InstallPool(node::MultiIsolatePlatform* platform);

}  // namespace mapache

#endif  // MAPACHE_PLATFORM_H_
