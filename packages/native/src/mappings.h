#ifndef MAPACHE_MAPPINGS_H_
#define MAPACHE_MAPPINGS_H_

namespace mapache {

// Lets a fork copy all of this process's memory. V8 marks its pages MADV_DONTFORK, and a child without them has no heap.
// Returns 0 or an errno.
int ShareMappings();

}  // namespace mapache

#endif  // MAPACHE_MAPPINGS_H_
