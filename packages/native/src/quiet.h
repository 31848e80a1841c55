#ifndef MAPACHE_QUIET_H_
#define MAPACHE_QUIET_H_

#include <uv.h>

namespace mapache {

// Holds libuv's thread pool still for a fork. A thread that is inside a library (the resolver, OpenSSL) may hold one of
// its locks, and the child would wait for ever for a thread it does not have; and work under way would be lost to the
// child. So as many pieces of work as there are threads are queued, each of which waits for the others: when all are in,
// what was queued before is done.
//
// Work that takes longer than the limit is not waited for: it may be blocked for ever (opening a FIFO). The child then
// never hears of its result, and what the thread holds at this moment stays held.
class Quiet {
 public:
  explicit Quiet(int milliseconds);
  void AfterForkInParent();
  void AfterForkInChild();

 private:
  struct Barrier;
  Barrier* barrier_;
};

}  // namespace mapache

#endif  // MAPACHE_QUIET_H_
