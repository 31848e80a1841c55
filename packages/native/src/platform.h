#ifndef MAPACHE_PLATFORM_H_
#define MAPACHE_PLATFORM_H_

#include <node.h>

#include "pool.h"

namespace mapache {

// Puts a Pool in the place of the worker threads of this process's V8 platform, once; returns it.
Pool* InstallPool(node::MultiIsolatePlatform* platform);

// Whether the threads that had the work until then have done what they were given; waits for it for `milliseconds`. One
// of them may be compiling a function, and a child that was forked meanwhile would wait for it at the next collection of
// garbage.
bool OriginalsAreIdle(int milliseconds);

}  // namespace mapache

#endif  // MAPACHE_PLATFORM_H_
