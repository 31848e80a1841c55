#ifndef MAPACHE_STACK_H_
#define MAPACHE_STACK_H_

#include <node.h>

#include <string>

namespace mapache {

// From now on SIGUSR1 wakes who waits for `asked`, an eventfd, beside what it does already, and what `RequestStack` finds is
// written to `file`.
void BeginStack(const std::string& file, int asked);

// `asked` is to be closed.
void EndStack();

// Lets the JavaScript that runs write where it is, between two of its instructions. From any thread.
void RequestStack(v8::Isolate* isolate);

}  // namespace mapache

#endif  // MAPACHE_STACK_H_
